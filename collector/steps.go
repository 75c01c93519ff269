package collector

import (
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// steps says what the steps of an execution are, and when they ran.
var steps = newFamily("steps", tableOf(publishedSteps,
	info("imagebuilder_workflow_step_info",
		"1: properties of the step; status and rollback_status are the API's own text.",
		[]label[step]{
			{"action", func(s step) string { return s.Action }},
			{"status", func(s step) string { return s.Status }},
			{"rollback_status", func(s step) string { return s.RollbackStatus }},
		}...),
	duration("imagebuilder_workflow_step_duration_seconds",
		"Duration of the step, until its end or until now.",
		func(s step, now time.Time) (time.Duration, bool) {
			return s.Duration(now, s.execution.Value.Status.Final())
		}),
	timestamp("imagebuilder_workflow_step_start_timestamp_seconds",
		"When the step started.",
		func(s step) time.Time { return s.Start }),
	timestamp("imagebuilder_workflow_step_end_timestamp_seconds",
		"When the step ended.",
		func(s step) time.Time { return s.End }),
))

// step is one step of an execution that is published.
type step struct {
	execution *lookup.Execution
	*imagebuilder.Step
}

var publishedSteps = newKind(stepsOf, []label[step]{
	{"workflow_execution_id", func(s step) string { return s.execution.ID }},
	{"step_execution_id", func(s step) string { return s.ID }},
	{"step", func(s step) string { return s.Name }},
}...)

func stepsOf(s *lookup.Snapshot) []step {
	var all []step
	for _, e := range pointers(s.Executions) {
		if e.Value == nil {
			continue
		}
		for _, s := range pointers(e.Steps) {
			all = append(all, step{e, s})
		}
	}
	return all
}
