package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/lookup"
)

// lookups says how true the other metrics of an execution are.
type lookups struct{}

var (
	lookupSuccessDesc = newDesc("imagebuilder_workflow_execution_lookup_success",
		"Whether the last lookup of the execution that has ended succeeded.", executionLabels)
	lookupErrorDesc = newDesc("imagebuilder_workflow_execution_lookup_error",
		"1: why the last lookup of the execution failed. Absent when it succeeded.", executionLabels, "class")
	lookupTimestampDesc = newDesc("imagebuilder_workflow_execution_lookup_timestamp_seconds",
		"When the published values of the execution were read.", executionLabels)
)

func (lookups) describe(ch chan<- *prometheus.Desc) {
	ch <- lookupSuccessDesc
	ch <- lookupErrorDesc
	ch <- lookupTimestampDesc
}

func (lookups) collect(ch chan<- prometheus.Metric, snapshots []lookup.Snapshot) {
	for i := range snapshots {
		s := &snapshots[i]
		for _, e := range s.Executions {
			if e.LookedUp {
				ch <- gauge(lookupSuccessDesc, bit(e.Failure == ""), s.Name, s.Region, e.ID)
			}
			if e.Failure != "" {
				ch <- gauge(lookupErrorDesc, 1, s.Name, s.Region, e.ID, string(e.Failure))
			}
		}
	}
	eachValue(snapshots, func(s *lookup.Snapshot, e *lookup.Execution) {
		ch <- gauge(lookupTimestampDesc, seconds(e.ReadAt), s.Name, s.Region, e.ID)
	})
}
