package collector

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// broken is a Source and a table of metrics that panics.
type broken struct{}

var brokenFamily = newFamily("broken", broken{})

func (broken) Lookup(context.Context) lookup.Snapshot { panic("no luck") }

func (broken) describe(chan<- *prometheus.Desc) {}

func (broken) collect(chan<- prometheus.Metric, *scrape) { panic("no luck") }

// panicsOf collects c, compares its metrics with want, and returns the parts that panicked.
func panicsOf(t *testing.T, c *Collector, want string, metrics ...string) []string {
	t.Helper()
	var mu sync.Mutex
	var parts []string
	c.panicked = func(part string, value any, stack []byte) {
		mu.Lock()
		defer mu.Unlock()
		if value == nil || !strings.Contains(string(stack), "panic_test.go") {
			t.Errorf("%v at %s", value, stack)
		}
		parts = append(parts, part)
	}
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), metrics...); err != nil {
		t.Error(err)
	}
	slices.Sort(parts)
	return parts
}

const oneExecution = `
# HELP imagebuilder_workflow_executions Selected workflow executions.
# TYPE imagebuilder_workflow_executions gauge
imagebuilder_workflow_executions{region="eu-west-1",target="a"} 1
# HELP imagebuilder_workflow_execution_start_timestamp_seconds When the execution started.
# TYPE imagebuilder_workflow_execution_start_timestamp_seconds gauge
imagebuilder_workflow_execution_start_timestamp_seconds{region="eu-west-1",target="a",workflow_execution_id="` + id + `"} 1.7889804e+09
`

var runningSource = source(lookup.Execution{LookedUp: true, ReadAt: start, Value: &imagebuilder.Execution{Status: "RUNNING", Start: start}})

func TestAFamilyThatPanicsCostsNoOther(t *testing.T) {
	c := New(t.Context(), []Source{runningSource}, Options{}, nil)
	c.families = []family{brokenFamily, executions, brokenFamily, targets}
	got := panicsOf(t, c, oneExecution, "imagebuilder_workflow_executions", "imagebuilder_workflow_execution_start_timestamp_seconds")
	if diff := cmp.Diff([]string{"broken", "broken"}, got); diff != "" {
		t.Errorf("parts that panicked (-want +got):\n%s", diff)
	}
}

// brokenFor is a table of metrics that panics for one target.
type brokenFor struct {
	name string
	metrics
}

func (b brokenFor) collect(ch chan<- prometheus.Metric, s *scrape) {
	if s.target.Name == b.name {
		panic("no luck")
	}
	b.metrics.collect(ch, s)
}

func TestAFamilyThatPanicsForOneTarget(t *testing.T) {
	c := New(t.Context(), []Source{fakeSource{Name: "b", Region: "eu-west-1"}, runningSource}, Options{}, nil)
	c.families = []family{newFamily("targets", brokenFor{"b", targets}), executions}
	got := panicsOf(t, c, oneExecution, "imagebuilder_workflow_executions", "imagebuilder_workflow_execution_start_timestamp_seconds")
	if diff := cmp.Diff([]string{"targets"}, got); diff != "" {
		t.Errorf("parts that panicked (-want +got):\n%s", diff)
	}
}

func TestATargetThatPanicsCostsNoOther(t *testing.T) {
	c := New(t.Context(), []Source{broken{}, runningSource, broken{}}, Options{}, nil)
	got := panicsOf(t, c, oneExecution, "imagebuilder_workflow_executions", "imagebuilder_workflow_execution_start_timestamp_seconds")
	if diff := cmp.Diff([]string{"lookup", "lookup"}, got); diff != "" {
		t.Errorf("parts that panicked (-want +got):\n%s", diff)
	}
}

func TestPanickedMayBeNil(t *testing.T) {
	c := New(t.Context(), []Source{broken{}, runningSource}, Options{}, nil)
	if n := testutil.CollectAndCount(c, "imagebuilder_up"); n != 1 {
		t.Errorf("%d targets are there, want 1", n)
	}
}
