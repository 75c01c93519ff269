package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// pipelines says how the selected pipelines stand.
type pipelines struct{}

var (
	pipelineNames = []string{"target", "region", "pipeline"}

	pipelineInfoDesc = newDesc("imagebuilder_pipeline_info",
		"1: what the pipeline is.", pipelineNames, "pipeline_arn", "platform")
	pipelineEnabledDesc = newDesc("imagebuilder_pipeline_enabled",
		"Whether the pipeline is enabled.", pipelineNames)
	pipelineLastRunDesc = newDesc("imagebuilder_pipeline_last_run_status",
		"1 for the state of the image of the pipeline's last run, 0 for every other one. Absent when it never ran.",
		pipelineNames, "status")
	pipelineFailuresDesc = newDesc("imagebuilder_pipeline_consecutive_failures",
		"Scheduled runs of the pipeline in a row that have failed.", pipelineNames)
	pipelineNextRunDesc = newDesc("imagebuilder_pipeline_next_run_timestamp_seconds",
		"When the pipeline's schedule starts the next run. Absent when it is not scheduled.", pipelineNames)
	pipelineLastSuccessDesc = newDesc("imagebuilder_pipeline_last_success_timestamp_seconds",
		"When the newest available image among all builds of the pipeline was created. Absent when there is none.", pipelineNames)
)

func (pipelines) describe(ch chan<- *prometheus.Desc) {
	ch <- pipelineInfoDesc
	ch <- pipelineEnabledDesc
	ch <- pipelineLastRunDesc
	ch <- pipelineFailuresDesc
	ch <- pipelineNextRunDesc
	ch <- pipelineLastSuccessDesc
}

func (pipelines) collect(ch chan<- prometheus.Metric, s *scrape) {
	all := labelAll(s, s.target.Pipelines, "pipeline", func(p *lookup.Pipeline) string { return p.Name })
	for _, p := range all {
		ch <- &sample{pipelineInfoDesc, with(p.labels, pair("pipeline_arn", p.it.ARN), pair("platform", p.it.Platform)), 1}
	}
	for _, p := range all {
		if p.it.Status == "ENABLED" || p.it.Status == "DISABLED" {
			ch <- &sample{pipelineEnabledDesc, p.labels, bit(p.it.Status == "ENABLED")}
		}
	}
	for _, p := range all {
		if p.it.LastRunStatus != "" {
			imageStates(ch, pipelineLastRunDesc, p.labels, p.it.LastRunStatus)
		}
	}
	for _, p := range all {
		if p.it.ConsecutiveFailures != nil {
			ch <- &sample{pipelineFailuresDesc, p.labels, float64(*p.it.ConsecutiveFailures)}
		}
	}
	for _, p := range all {
		if !p.it.NextRun.IsZero() {
			ch <- &sample{pipelineNextRunDesc, p.labels, seconds(p.it.NextRun)}
		}
	}
	for _, p := range all {
		if !p.it.LastSuccess.IsZero() {
			ch <- &sample{pipelineLastSuccessDesc, p.labels, seconds(p.it.LastSuccess)}
		}
	}
}
