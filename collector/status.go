package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/lookup"
)

// status is the status of an execution as a state set: one series for each status,
// of which exactly one is 1.
type status struct{}

var statusDesc = newDesc("imagebuilder_workflow_execution_status",
	"1 for the current status of the execution, 0 for every other one. UNKNOWN stands for what is not in the API reference.",
	executionLabels, "status")

const unknownStatus imagebuilder.Status = "UNKNOWN"

func (status) describe(ch chan<- *prometheus.Desc) { ch <- statusDesc }

func (status) collect(ch chan<- prometheus.Metric, snapshots []lookup.Snapshot) {
	known := imagebuilder.Statuses()
	for _, value := range append(known, unknownStatus) {
		eachValue(snapshots, func(s *lookup.Snapshot, e *lookup.Execution) {
			current := e.Value.Status
			if !slices.Contains(known, current) {
				current = unknownStatus
			}
			ch <- gauge(statusDesc, bit(current == value), s.Name, s.Region, e.ID, string(value))
		})
	}
}
