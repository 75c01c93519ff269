package collector

import (
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

var pipelineName = label[*lookup.Pipeline]{"pipeline", func(p *lookup.Pipeline) string { return p.Name }}

var selectedPipelines = newKind(func(s *lookup.Snapshot) []*lookup.Pipeline { return pointers(s.Pipelines) }, pipelineName)

// scheduledPipelines are those that have a schedule.
var scheduledPipelines = newKind(func(s *lookup.Snapshot) []*lookup.Pipeline {
	return slices.DeleteFunc(pointers(s.Pipelines), func(p *lookup.Pipeline) bool { return p.Schedule == nil })
}, pipelineName)

// pipelines says what the selected pipelines are, and how their last and next runs go.
var pipelines = newFamily("pipelines", pipelineTags{}, tableOf(scheduledPipelines,
	info("imagebuilder_pipeline_schedule_info", "1: the schedule of the pipeline. Absent if it has none.",
		[]label[*lookup.Pipeline]{
			{"expression", func(p *lookup.Pipeline) string { return p.Schedule.Expression }},
			{"timezone", func(p *lookup.Pipeline) string { return p.Schedule.Timezone }},
			{"start_condition", func(p *lookup.Pipeline) string { return p.Schedule.StartCondition }},
		}...),
	gauge("imagebuilder_pipeline_auto_disable_failures",
		"Number of consecutive failed scheduled runs after which AWS disables the pipeline. Absent without such a policy.",
		func(p *lookup.Pipeline) (float64, bool) {
			return float64(p.Schedule.AutoDisableFailures), p.Schedule.AutoDisableFailures > 0
		}),
), tableOf(selectedPipelines,
	info("imagebuilder_pipeline_info", "1: properties of the pipeline.",
		[]label[*lookup.Pipeline]{
			{"pipeline_arn", func(p *lookup.Pipeline) string { return p.ARN }},
			{"platform", func(p *lookup.Pipeline) string { return p.Platform }},
			{"account_id", func(p *lookup.Pipeline) string { return p.AccountID() }},
		}...),
	gauge("imagebuilder_pipeline_enabled", "Whether the pipeline is enabled.",
		func(p *lookup.Pipeline) (float64, bool) {
			enabled, known := p.Enabled()
			return bit(enabled), known
		}),
	stateSet("imagebuilder_pipeline_last_run_status",
		"1 for the state of the image of the pipeline's last run, 0 for all others. Absent if it has never run.",
		imagebuilder.ImageStatuses(),
		func(p *lookup.Pipeline) imagebuilder.ImageStatus { return p.LastRunStatus }),
	gauge("imagebuilder_pipeline_consecutive_failures",
		"Consecutive failed scheduled runs of the pipeline.",
		func(p *lookup.Pipeline) (float64, bool) { return number(p.ConsecutiveFailures) }),
	gauge("imagebuilder_pipeline_consecutive_failed_builds",
		"Consecutive failed builds of the pipeline up to the newest one that has ended, whether scheduled or not. Absent if it has never built.",
		func(p *lookup.Pipeline) (float64, bool) { return number(p.FailedInRow) }),
	timestamp("imagebuilder_pipeline_next_run_timestamp_seconds",
		"When the schedule next starts the pipeline. Absent if it is not scheduled.",
		func(p *lookup.Pipeline) time.Time { return p.NextRun }),
	timestamp("imagebuilder_pipeline_last_success_timestamp_seconds",
		"When the newest good image of the pipeline was created: a build that became AVAILABLE and was not deleted. Absent if there is none.",
		func(p *lookup.Pipeline) time.Time { return p.LastSuccess }),
))

// number returns the value of a count, if it is known.
func number(n *int) (float64, bool) {
	if n == nil {
		return 0, false
	}
	return float64(*n), true
}
