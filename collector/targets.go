package collector

import (
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

var thisTarget = newKind(itself)

// itself returns s, as the only thing of its kind.
func itself(s *lookup.Snapshot) []*lookup.Snapshot { return []*lookup.Snapshot{s} }

var (
	ofSelector     = label[*lookup.SelectorMatches]{"selector", func(m *lookup.SelectorMatches) string { return m.Selector }}
	selectors      = newKind(func(s *lookup.Snapshot) []*lookup.SelectorMatches { return pointers(s.Selectors) }, ofSelector)
	imageSelectors = newKind(func(s *lookup.Snapshot) []*lookup.SelectorMatches { return pointers(s.ImageSelectors) }, ofSelector)
)

// targets says whether Image Builder answers, and how much is selected.
var targets = newFamily("targets", tableOf(thisTarget,
	gauge("imagebuilder_up",
		"Whether Image Builder can be reached: 1 if at least one of the current lookups has an answer, 0 if none has, and before the first answer.",
		func(t *lookup.Snapshot) (float64, bool) { return bit(t.Up), true }),
	gauge("imagebuilder_refresh_duration_seconds",
		"Duration of the last refresh of the target: all lookups that were due at one scrape.",
		func(t *lookup.Snapshot) (float64, bool) { return t.RefreshDuration.Seconds(), t.RefreshEnded }),
	timestamp("imagebuilder_refresh_last_success_timestamp_seconds",
		"When a refresh of the target last ended with all lookups answered.",
		func(t *lookup.Snapshot) time.Time { return t.LastSuccess }),
	gauge("imagebuilder_workflow_executions",
		"Selected workflow executions.",
		func(t *lookup.Snapshot) (float64, bool) { return float64(t.Selected()), true }),
	gauge("imagebuilder_workflow_executions_dropped",
		"Workflow executions that were found but dropped because there are more than max_executions.",
		func(t *lookup.Snapshot) (float64, bool) { return float64(t.Dropped), true }),
	timestamp("imagebuilder_discovery_last_success_timestamp_seconds",
		"When discovery last read the whole selection. Absent without discovery.",
		func(t *lookup.Snapshot) time.Time { return t.DiscoveredAt }),
	gauge("imagebuilder_discovery_interval_seconds",
		"Interval at which discovery looks for pipelines, images and their builds: discovery_interval, or longer if rate_limit and concurrency do not allow that. Absent without discovery.",
		func(t *lookup.Snapshot) (float64, bool) {
			return t.DiscoveryInterval.Seconds(), t.DiscoveryInterval > 0
		}),
), tableOf(selectors,
	gauge("imagebuilder_selector_pipelines",
		"Pipelines that the selector matches. Absent while the pipelines are unknown.",
		matches),
), tableOf(imageSelectors,
	gauge("imagebuilder_selector_images",
		"Image names that the selector matches. Absent while the images are unknown.",
		matches),
))

func matches(m *lookup.SelectorMatches) (float64, bool) { return float64(m.Matches), true }
