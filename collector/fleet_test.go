package collector_test

import (
	"context"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// addFleet adds the targets of a fleet of so many pipelines, with the exporter's limits.
func (s *scraped) addFleet(t *testing.T, pipelines int) {
	t.Helper()
	api, targets := emulator.Fleet(1, pipelines, time.Now())
	for _, target := range targets {
		s.add(t, lookuptest.Config{
			Name: target.Name, Region: target.Region, API: api,
			Role: imagebuilder.Role{ARN: target.RoleARN, ExternalID: target.ExternalID},
			Selection: lookup.Selection{
				Pipelines: []lookup.Selector{{Name: regexp.MustCompile(`.`), Builds: 3, Text: "name=.*"}},
				Steps:     lookup.StepsActive, Waiting: true, TagLabels: target.OwnerTags,
			},
		})
	}
}

// lookUp lets the targets look up what is due, as a scrape does that nobody renders.
func (s *scraped) lookUp(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scrapeTime)
	defer cancel()
	var all sync.WaitGroup
	for _, source := range s.sources {
		all.Go(func() { source.Lookup(ctx) })
	}
	all.Wait()
}

// TestAFleetIsFollowed has 400 pipelines in four targets, each of which has the limits that it has
// by default.
func TestAFleetIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScraped()
		s.addFleet(t, 400)
		for _, days := range []int{0, 1} {
			<-time.After(time.Duration(days) * 24 * time.Hour)
			for range 4 {
				s.lookUp(t)
				<-time.After(15 * time.Second)
			}
			w := s.scrape(t)
			disabled := 0
			for _, enabled := range w.samples("imagebuilder_pipeline_enabled", "target", "pipeline") {
				disabled += int(1 - enabled)
			}
			got := map[string]int{
				"pipelines":         len(w.samples("imagebuilder_pipeline_info", "target", "pipeline")),
				"disabled":          disabled,
				"with a good image": len(w.samples("imagebuilder_pipeline_last_success_timestamp_seconds", "target", "pipeline")),
				"waiting":           len(w.samples("imagebuilder_workflow_step_waiting_since_timestamp_seconds", "step_execution_id")),
				"with owners":       len(w.samples("imagebuilder_pipeline_tags", "target", "pipeline")),
			}
			want := map[string]int{"pipelines": 400, "disabled": 1, "with a good image": 399, "waiting": 2, "with owners": 400}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("after %d days (-want +got):\n%s", days, diff)
			}
			s.holdsLimits(t, w)
		}
	})
}

// holdsLimits holds that everything was looked up and nothing left out.
func (s *scraped) holdsLimits(t *testing.T, w families) {
	t.Helper()
	for metric, want := range map[string]float64{
		"imagebuilder_up": 1, "imagebuilder_workflow_execution_lookup_success": 1, "imagebuilder_workflow_executions_dropped": 0,
	} {
		all := w.samples(metric, "target", "workflow_execution_id")
		for of, got := range all {
			if got != want {
				t.Errorf("%s of %s is %g, want %g", metric, of, got, want)
			}
		}
		if len(all) < len(s.sources) {
			t.Errorf("%d samples of %s", len(all), metric)
		}
	}
	for _, metric := range []string{"imagebuilder_lookup_error", "imagebuilder_exporter_api_errors_total", "imagebuilder_exporter_invalid_responses_total"} {
		for of, n := range w.samples(metric, "target", "class", "operation") {
			if n > 0 {
				t.Errorf("%s of %s is %g", metric, of, n)
			}
		}
	}
	failed := 0
	for _, builds := range w.samples("imagebuilder_pipeline_consecutive_failed_builds", "target", "pipeline") {
		if builds > 0 {
			failed++
		}
	}
	if failed < 14 || failed > 26 {
		t.Errorf("%d pipelines have failed, want about 20", failed)
	}
}
