package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// executions says what an execution is, and when it ran.
type executions struct{}

var (
	infoDesc = newDesc("imagebuilder_workflow_execution_info",
		"1: what the execution is. A label that is not known is empty; status is the API's own text.", executionNames,
		"status", "workflow_type", "pipeline", "image_name", "image_version", "image_build_version_arn",
		"workflow_build_version_arn", "parallel_group", "account_id")
	durationDesc = newDesc("imagebuilder_workflow_execution_duration_seconds",
		"How long the execution ran, until its end or until now.", executionNames)
	startDesc = newDesc("imagebuilder_workflow_execution_start_timestamp_seconds",
		"When the execution started.", executionNames)
	endDesc = newDesc("imagebuilder_workflow_execution_end_timestamp_seconds",
		"When the execution ended.", executionNames)
)

func (executions) describe(ch chan<- *prometheus.Desc) {
	ch <- infoDesc
	ch <- durationDesc
	ch <- startDesc
	ch <- endDesc
}

func (executions) collect(ch chan<- prometheus.Metric, s *scrape) {
	s.known(func(e *execution) { ch <- &sample{infoDesc, infoLabels(e), 1} })
	s.known(func(e *execution) {
		if d, ok := e.Value.Duration(s.target.Time); ok {
			ch <- &sample{durationDesc, e.labels, d.Seconds()}
		}
	})
	s.known(func(e *execution) {
		if !e.Value.Start.IsZero() {
			ch <- &sample{startDesc, e.labels, seconds(e.Value.Start)}
		}
	})
	s.known(func(e *execution) {
		if !e.Value.End.IsZero() {
			ch <- &sample{endDesc, e.labels, seconds(e.Value.End)}
		}
	})
}

func infoLabels(e *execution) []*dto.LabelPair {
	v := e.Value
	return with(e.labels,
		pair("status", string(v.Status)),
		pair("workflow_type", v.WorkflowType),
		pair("pipeline", e.Pipeline),
		pair("image_name", v.Image.Name),
		pair("image_version", v.Image.Version),
		pair("image_build_version_arn", v.ImageBuildVersionARN),
		pair("workflow_build_version_arn", v.WorkflowBuildVersionARN),
		pair("parallel_group", v.ParallelGroup),
		pair("account_id", v.Image.AccountID),
	)
}
