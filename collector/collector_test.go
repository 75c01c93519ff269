package collector

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// fakeSource returns the same snapshot each time.
type fakeSource lookup.Snapshot

func (s fakeSource) Lookup(context.Context) lookup.Snapshot { return lookup.Snapshot(s) }

var (
	now   = time.Date(2026, 9, 9, 20, 0, 0, 0, time.UTC)
	start = now.Add(-time.Hour)
)

const id = "wf-165b1cb6-3a62-4618-a021-94ddcbe32908"

// source is a target with one execution. Its value, if it has one, was read at start.
func source(e lookup.Execution) Source {
	e.ID = id
	if e.Value != nil && e.ReadAt.IsZero() {
		e.ReadAt = start
	}
	return fakeSource{Name: "a", Region: "eu-west-1", Time: now, Executions: []lookup.Execution{e}}
}

// metricsOf returns which metrics there are of an execution, by the end of their names.
func metricsOf(t *testing.T, e lookup.Execution) []string {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(New(t.Context(), []Source{source(e)}, Options{Status: true}, nil))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		if name, ok := strings.CutPrefix(f.GetName(), "imagebuilder_workflow_execution_"); ok {
			names = append(names, name)
		}
	}
	return names
}

// TestWhatIsNotKnownIsAbsent holds which series there are of an execution, by the end
// of their names.
func TestWhatIsNotKnownIsAbsent(t *testing.T) {
	all := []string{"duration_seconds", "info", "lookup_success", "lookup_timestamp_seconds", "status", "steps", "steps_failed", "steps_skipped", "steps_succeeded"}
	plus := func(names ...string) []string {
		more := append(slices.Clone(all), names...)
		slices.Sort(more)
		return more
	}
	less := func(from []string, name string) []string {
		return slices.DeleteFunc(slices.Clone(from), func(s string) bool { return strings.HasPrefix(s, name) })
	}
	counts := &imagebuilder.StepCounts{Total: 7}
	for _, c := range []struct {
		name string
		e    lookup.Execution
		want []string
	}{
		{"no lookup has ended", lookup.Execution{}, nil},
		{"never looked up with success", lookup.Execution{LookedUp: true, Failure: imagebuilder.Denied}, []string{"lookup_error", "lookup_success"}},
		{
			"ended",
			lookup.Execution{LookedUp: true, Value: &imagebuilder.Execution{Status: "COMPLETED", Steps: counts, Start: start, End: now}},
			plus("end_timestamp_seconds", "start_timestamp_seconds"),
		},
		{
			"ended, and now lookups fail",
			lookup.Execution{LookedUp: true, Failure: imagebuilder.Throttled, Value: &imagebuilder.Execution{Status: "COMPLETED", Steps: counts, Start: start, End: now}},
			plus("end_timestamp_seconds", "lookup_error", "start_timestamp_seconds"),
		},
		{
			"running",
			lookup.Execution{LookedUp: true, Value: &imagebuilder.Execution{Status: "RUNNING", Steps: counts, Start: start}},
			plus("start_timestamp_seconds"),
		},
		{
			"not started",
			lookup.Execution{LookedUp: true, Value: &imagebuilder.Execution{Status: "PENDING", Steps: counts}},
			less(all, "duration"),
		},
		{
			"final without an end",
			lookup.Execution{LookedUp: true, Value: &imagebuilder.Execution{Status: "FAILED", Steps: counts, Start: start}},
			less(plus("start_timestamp_seconds"), "duration"),
		},
		{
			"final without a start",
			lookup.Execution{LookedUp: true, Value: &imagebuilder.Execution{Status: "FAILED", Steps: counts, End: now}},
			less(plus("end_timestamp_seconds"), "duration"),
		},
		{
			"counts that contradict each other",
			lookup.Execution{LookedUp: true, Value: &imagebuilder.Execution{Status: "RUNNING", Start: start}},
			less(plus("start_timestamp_seconds"), "steps"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, metricsOf(t, c.e)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestATargetBeforeItsFirstLookup(t *testing.T) {
	c := New(t.Context(), []Source{fakeSource{Name: "a", Region: "eu-west-1"}}, Options{}, nil)
	want := `
# HELP imagebuilder_up Whether Image Builder can be reached: 1 if at least one of the current lookups has an answer, 0 if none has, and before the first answer.
# TYPE imagebuilder_up gauge
imagebuilder_up{region="eu-west-1",target="a"} 0
# HELP imagebuilder_workflow_executions Selected workflow executions.
# TYPE imagebuilder_workflow_executions gauge
imagebuilder_workflow_executions{region="eu-west-1",target="a"} 0
# HELP imagebuilder_workflow_executions_dropped Workflow executions that were found but dropped because there are more than max_executions.
# TYPE imagebuilder_workflow_executions_dropped gauge
imagebuilder_workflow_executions_dropped{region="eu-west-1",target="a"} 0
`
	if err := testutil.CollectAndCompare(c, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestTheDurationOfWhatRunsGrowsWithTheScrape(t *testing.T) {
	e := lookup.Execution{LookedUp: true, ReadAt: start, Value: &imagebuilder.Execution{Status: "RUNNING", Start: start}}
	c := New(t.Context(), []Source{source(e)}, Options{}, nil)
	want := `
# HELP imagebuilder_workflow_execution_duration_seconds Duration of the execution, until its end or until now.
# TYPE imagebuilder_workflow_execution_duration_seconds gauge
imagebuilder_workflow_execution_duration_seconds{region="eu-west-1",target="a",workflow_execution_id="` + id + `"} 3600
# HELP imagebuilder_workflow_execution_lookup_timestamp_seconds When the published values of the execution were read.
# TYPE imagebuilder_workflow_execution_lookup_timestamp_seconds gauge
imagebuilder_workflow_execution_lookup_timestamp_seconds{region="eu-west-1",target="a",workflow_execution_id="` + id + `"} 1.7889804e+09
`
	names := []string{"imagebuilder_workflow_execution_duration_seconds", "imagebuilder_workflow_execution_lookup_timestamp_seconds"}
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

// countingSource counts its lookups.
type countingSource struct{ lookups int }

func (s *countingSource) Lookup(context.Context) lookup.Snapshot {
	s.lookups++
	return lookup.Snapshot{Name: "a", Region: "eu-west-1"}
}

func TestAScrapeLooksUpATargetOnce(t *testing.T) {
	s := &countingSource{}
	c := New(t.Context(), []Source{s}, Options{}, nil)
	c.Lookup()
	if n := testutil.CollectAndCount(c, "imagebuilder_up"); n != 1 || s.lookups != 1 {
		t.Errorf("%d lookups and %d targets, want one of each", s.lookups, n)
	}
}

func TestDescribeAndCollectKeepOneOrder(t *testing.T) {
	e := lookup.Execution{
		LookedUp: true, Failure: imagebuilder.Throttled,
		Value: &imagebuilder.Execution{Status: "COMPLETED", Steps: &imagebuilder.StepCounts{}, Start: start, End: now},
	}
	c := New(t.Context(), []Source{source(e)}, Options{Status: true}, nil)
	var described, collected []string
	descs := make(chan *prometheus.Desc, 100)
	c.Describe(descs)
	close(descs)
	for d := range descs {
		described = append(described, d.String())
	}
	metrics := make(chan prometheus.Metric, 100)
	c.Collect(metrics)
	close(metrics)
	for m := range metrics {
		if d := m.Desc().String(); !slices.Contains(collected, d) {
			collected = append(collected, d)
		}
	}
	described = slices.DeleteFunc(described, func(d string) bool { return !slices.Contains(collected, d) })
	if diff := cmp.Diff(described, collected); diff != "" {
		t.Errorf("(-described +collected):\n%s", diff)
	}
}

// TestLabelsAreSorted holds that the registry need not copy the labels to sort them.
func TestLabelsAreSorted(t *testing.T) {
	e := lookup.Execution{Pipeline: "Golden", Value: &imagebuilder.Execution{Status: "RUNNING"}, Steps: []imagebuilder.Step{{ID: "step-1"}}}
	c := New(t.Context(), []Source{source(e)}, Options{Status: true, Steps: true}, nil)
	metrics := make(chan prometheus.Metric, 100)
	c.Collect(metrics)
	close(metrics)
	for m := range metrics {
		var out dto.Metric
		if err := m.Write(&out); err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(out.GetLabel(), func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) }) {
			t.Errorf("the labels of %s are %s", m.Desc(), out.GetLabel())
		}
	}
}
