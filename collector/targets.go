package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/lookup"
)

// targets says for each target whether Image Builder answers, and how much is
// selected.
type targets struct{}

var (
	upDesc = newDesc("imagebuilder_up",
		"Whether Image Builder could be reached by the last refresh of the target that had something to look up: 0 if all of its lookups were denied or unavailable, and before the first answer.", targetLabels)
	refreshDurationDesc = newDesc("imagebuilder_refresh_duration_seconds",
		"How long the last refresh of the target took: all lookups that were due at one scrape.", targetLabels)
	refreshLastSuccessDesc = newDesc("imagebuilder_refresh_last_success_timestamp_seconds",
		"When a refresh of the target last ended with every lookup answered.", targetLabels)
	selectedDesc = newDesc("imagebuilder_workflow_executions",
		"Workflow executions that are selected.", targetLabels)
	droppedDesc = newDesc("imagebuilder_workflow_executions_dropped",
		"Workflow executions that were found but left out, because there are more than max_executions.", targetLabels)
	discoveryLastSuccessDesc = newDesc("imagebuilder_discovery_last_success_timestamp_seconds",
		"When the selection was last read whole. Absent without discovery.", targetLabels)
)

func (targets) describe(ch chan<- *prometheus.Desc) {
	ch <- upDesc
	ch <- refreshDurationDesc
	ch <- refreshLastSuccessDesc
	ch <- selectedDesc
	ch <- droppedDesc
	ch <- discoveryLastSuccessDesc
}

func (targets) collect(ch chan<- prometheus.Metric, snapshots []lookup.Snapshot) {
	for i := range snapshots {
		s := &snapshots[i]
		ch <- gauge(upDesc, bit(s.Up), s.Name, s.Region)
		if s.RefreshEnded {
			ch <- gauge(refreshDurationDesc, s.RefreshDuration.Seconds(), s.Name, s.Region)
		}
		if !s.LastSuccess.IsZero() {
			ch <- gauge(refreshLastSuccessDesc, seconds(s.LastSuccess), s.Name, s.Region)
		}
		ch <- gauge(selectedDesc, float64(len(s.Executions)), s.Name, s.Region)
		ch <- gauge(droppedDesc, 0, s.Name, s.Region)
	}
}

// seconds returns t as a Unix time, to the microsecond.
func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
