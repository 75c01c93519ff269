package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// targets says whether Image Builder answers, and how much is
// selected.
type targets struct{}

var (
	upDesc = newDesc("imagebuilder_up",
		"Whether Image Builder could be reached by the last refresh of the target that had something to look up: 0 if all of its lookups were denied or unavailable, and before the first answer.", targetNames)
	refreshDurationDesc = newDesc("imagebuilder_refresh_duration_seconds",
		"How long the last refresh of the target took: all lookups that were due at one scrape.", targetNames)
	refreshLastSuccessDesc = newDesc("imagebuilder_refresh_last_success_timestamp_seconds",
		"When a refresh of the target last ended with every lookup answered.", targetNames)
	selectedDesc = newDesc("imagebuilder_workflow_executions",
		"Workflow executions that are selected.", targetNames)
	droppedDesc = newDesc("imagebuilder_workflow_executions_dropped",
		"Workflow executions that were found but left out, because there are more than max_executions.", targetNames)
	discoveryLastSuccessDesc = newDesc("imagebuilder_discovery_last_success_timestamp_seconds",
		"When the selection was last read whole. Absent without discovery.", targetNames)
)

func (targets) describe(ch chan<- *prometheus.Desc) {
	ch <- upDesc
	ch <- refreshDurationDesc
	ch <- refreshLastSuccessDesc
	ch <- selectedDesc
	ch <- droppedDesc
	ch <- discoveryLastSuccessDesc
}

func (targets) collect(ch chan<- prometheus.Metric, s *scrape) {
	t, labels := s.target, targetLabels(s.target)
	emit := func(desc *prometheus.Desc, value float64) { ch <- &sample{desc, labels, value} }
	emit(upDesc, bit(t.Up))
	if t.RefreshEnded {
		emit(refreshDurationDesc, t.RefreshDuration.Seconds())
	}
	if !t.LastSuccess.IsZero() {
		emit(refreshLastSuccessDesc, seconds(t.LastSuccess))
	}
	emit(selectedDesc, float64(len(t.Executions)))
	emit(droppedDesc, float64(t.Dropped))
	if !t.DiscoveredAt.IsZero() {
		emit(discoveryLastSuccessDesc, seconds(t.DiscoveredAt))
	}
}

// seconds returns t as a Unix time, to the microsecond.
func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
