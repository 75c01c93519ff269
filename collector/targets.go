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
		"Whether Image Builder can be reached: 1 while something that is looked up has an answer that counts, 0 when nothing has, and before the first answer.",
		func(t *lookup.Snapshot) (float64, bool) { return bit(t.Up), true }),
	gauge("imagebuilder_refresh_duration_seconds",
		"How long the last refresh of the target took: all lookups that were due at one scrape.",
		func(t *lookup.Snapshot) (float64, bool) { return t.RefreshDuration.Seconds(), t.RefreshEnded }),
	timestamp("imagebuilder_refresh_last_success_timestamp_seconds",
		"When a refresh of the target last ended with every lookup answered.",
		func(t *lookup.Snapshot) time.Time { return t.LastSuccess }),
	gauge("imagebuilder_workflow_executions",
		"Workflow executions that are selected.",
		func(t *lookup.Snapshot) (float64, bool) { return float64(t.Selected()), true }),
	gauge("imagebuilder_workflow_executions_dropped",
		"Workflow executions that were found but left out, because there are more than max_executions.",
		func(t *lookup.Snapshot) (float64, bool) { return float64(t.Dropped), true }),
	timestamp("imagebuilder_discovery_last_success_timestamp_seconds",
		"When the selection was last read whole. Absent without discovery.",
		func(t *lookup.Snapshot) time.Time { return t.DiscoveredAt }),
	gauge("imagebuilder_discovery_interval_seconds",
		"The interval in which pipelines and images are searched for builds: discovery_interval, or more where rate_limit and concurrency do not allow that. Absent without discovery.",
		func(t *lookup.Snapshot) (float64, bool) {
			return t.DiscoveryInterval.Seconds(), t.DiscoveryInterval > 0
		}),
), tableOf(selectors,
	gauge("imagebuilder_selector_pipelines",
		"Pipelines that the selector of the configuration matches. Absent while the pipelines are not known.",
		matches),
), tableOf(imageSelectors,
	gauge("imagebuilder_selector_images",
		"Images, by their names, that the selector of the configuration matches. Absent while the images are not known.",
		matches),
))

func matches(m *lookup.SelectorMatches) (float64, bool) { return float64(m.Matches), true }
