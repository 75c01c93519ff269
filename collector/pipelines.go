package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/lookup"
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
	s.pipelines(func(p *lookup.Pipeline, labels []*dto.LabelPair) {
		ch <- &sample{pipelineInfoDesc, with(labels, pair("pipeline_arn", p.ARN), pair("platform", p.Platform)), 1}
	})
	s.pipelines(func(p *lookup.Pipeline, labels []*dto.LabelPair) {
		if p.Status == "ENABLED" || p.Status == "DISABLED" {
			ch <- &sample{pipelineEnabledDesc, labels, bit(p.Status == "ENABLED")}
		}
	})
	s.pipelines(func(p *lookup.Pipeline, labels []*dto.LabelPair) {
		if p.LastRunStatus != "" {
			imageStates(ch, pipelineLastRunDesc, labels, p.LastRunStatus)
		}
	})
	s.pipelines(func(p *lookup.Pipeline, labels []*dto.LabelPair) {
		if p.ConsecutiveFailures != nil {
			ch <- &sample{pipelineFailuresDesc, labels, float64(*p.ConsecutiveFailures)}
		}
	})
	s.pipelines(func(p *lookup.Pipeline, labels []*dto.LabelPair) {
		if !p.NextRun.IsZero() {
			ch <- &sample{pipelineNextRunDesc, labels, seconds(p.NextRun)}
		}
	})
	s.pipelines(func(p *lookup.Pipeline, labels []*dto.LabelPair) {
		if !p.LastSuccess.IsZero() {
			ch <- &sample{pipelineLastSuccessDesc, labels, seconds(p.LastSuccess)}
		}
	})
}

// pipelines calls f for every pipeline.
func (s *scrape) pipelines(f func(p *lookup.Pipeline, labels []*dto.LabelPair)) {
	for t := range s.targets {
		labels := targetLabels(&s.targets[t])
		for i := range s.targets[t].Pipelines {
			p := &s.targets[t].Pipelines[i]
			f(p, with(labels, pair("pipeline", p.Name)))
		}
	}
}
