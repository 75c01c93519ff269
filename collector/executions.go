package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/lookup"
)

// executions says what an execution is, and when it ran.
type executions struct{}

var (
	infoDesc = newDesc("imagebuilder_workflow_execution_info",
		"1: what the execution is. A label that is not known is empty; status is the API's own text.", executionLabels,
		"status", "workflow_type", "pipeline", "image_name", "image_version", "image_build_version_arn",
		"workflow_build_version_arn", "parallel_group", "account_id")
	durationDesc = newDesc("imagebuilder_workflow_execution_duration_seconds",
		"How long the execution ran, until its end or until now.", executionLabels)
	startDesc = newDesc("imagebuilder_workflow_execution_start_timestamp_seconds",
		"When the execution started.", executionLabels)
	endDesc = newDesc("imagebuilder_workflow_execution_end_timestamp_seconds",
		"When the execution ended.", executionLabels)
)

func (executions) describe(ch chan<- *prometheus.Desc) {
	ch <- infoDesc
	ch <- durationDesc
	ch <- startDesc
	ch <- endDesc
}

func (executions) collect(ch chan<- prometheus.Metric, snapshots []lookup.Snapshot) {
	eachValue(snapshots, func(s *lookup.Snapshot, e *lookup.Execution) {
		v := e.Value
		ch <- gauge(infoDesc, 1, s.Name, s.Region, e.ID,
			string(v.Status), v.WorkflowType, "", v.Image.Name, v.Image.Version, v.ImageBuildVersionARN,
			v.WorkflowBuildVersionARN, v.ParallelGroup, v.Image.AccountID)
	})
	eachValue(snapshots, func(s *lookup.Snapshot, e *lookup.Execution) {
		if d, ok := e.Value.Duration(s.Time); ok {
			ch <- gauge(durationDesc, d.Seconds(), s.Name, s.Region, e.ID)
		}
	})
	eachValue(snapshots, func(s *lookup.Snapshot, e *lookup.Execution) {
		if !e.Value.Start.IsZero() {
			ch <- gauge(startDesc, seconds(e.Value.Start), s.Name, s.Region, e.ID)
		}
	})
	eachValue(snapshots, func(s *lookup.Snapshot, e *lookup.Execution) {
		if !e.Value.End.IsZero() {
			ch <- gauge(endDesc, seconds(e.Value.End), s.Name, s.Region, e.ID)
		}
	})
}
