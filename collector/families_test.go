package collector_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

func TestTheCollectorIsConsistent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		s := newScraped()
		s.addIDs(t, lookuptest.Config{API: api}, ids...)
		pedantic := prometheus.NewPedanticRegistry()
		pedantic.MustRegister(collector.New(t.Context(), s.sources, s.options, nil))
		if _, err := pedantic.Gather(); err != nil {
			t.Error(err)
		}
	})
}

func TestEveryStatusIsOneOfTheStateSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		s := newScraped()
		s.addIDs(t, lookuptest.Config{API: api}, ids...)
		w := s.scrape(t)
		sums, current := map[string]float64{}, map[string]float64{}
		for key, value := range w.samples("imagebuilder_workflow_execution_status", "workflow_execution_id", "status") {
			id, status, _ := strings.Cut(key, " ")
			sums[id] += value
			current[status] += value
		}
		for id, sum := range sums {
			if sum != 1 {
				t.Errorf("%s has %g statuses, want 1", id, sum)
			}
		}
		want := map[string]float64{
			"CANCELLED": 1, "COMPLETED": 2, "FAILED": 1, "PENDING": 1, "ROLLBACK_COMPLETED": 1,
			"ROLLBACK_IN_PROGRESS": 1, "RUNNING": 1, "SKIPPED": 1, "UNKNOWN": 1,
		}
		if diff := cmp.Diff(want, current); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestFamiliesCanBeLeftOut(t *testing.T) {
	switches := map[string]struct {
		off   func(*collector.Options)
		names *regexp.Regexp
	}{
		"status":    {func(o *collector.Options) { o.Status = false }, regexp.MustCompile(`(?m)^imagebuilder_workflow_execution_status$`)},
		"images":    {func(o *collector.Options) { o.Images = false }, regexp.MustCompile(`(?m)^imagebuilder_image_`)},
		"pipelines": {func(o *collector.Options) { o.Pipelines = false }, regexp.MustCompile(`(?m)^imagebuilder_pipeline_`)},
		"steps":     {func(o *collector.Options) { o.Steps = false }, regexp.MustCompile(`(?m)^imagebuilder_workflow_step_(info|duration|start|end)`)},
		"waiting":   {func(o *collector.Options) { o.Waiting = false }, regexp.MustCompile(`(?m)^imagebuilder_workflow_step_waiting`)},
	}
	for off, c := range switches {
		synctest.Test(t, func(t *testing.T) {
			api, selection := lookuptest.Pipelines(time.Now())
			s := newScraped()
			s.add(t, lookuptest.Config{Name: "platform", API: api, Selection: selection})
			c.off(&s.options)
			names := strings.Join(slices.Sorted(maps.Keys(s.scrape(t))), "\n")
			for name, other := range switches {
				if there := other.names.MatchString(names); there == (name == off) {
					t.Errorf("without %s: there is %s: %t", off, name, there)
				}
			}
		})
	}
}
