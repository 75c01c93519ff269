package collector

import (
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// counts counts the steps of an execution.
var counts = newFamily("counts", tableOf(publishedExecutions,
	stepCount("imagebuilder_workflow_execution_steps", "Steps defined by the workflow.",
		func(c *imagebuilder.StepCounts) int { return c.Total }),
	stepCount("imagebuilder_workflow_execution_steps_succeeded", "Steps of the execution that succeeded.",
		func(c *imagebuilder.StepCounts) int { return c.Succeeded }),
	stepCount("imagebuilder_workflow_execution_steps_failed", "Steps of the execution that failed.",
		func(c *imagebuilder.StepCounts) int { return c.Failed }),
	stepCount("imagebuilder_workflow_execution_steps_skipped", "Steps of the execution that were skipped.",
		func(c *imagebuilder.StepCounts) int { return c.Skipped }),
))

func stepCount(name, help string, of func(*imagebuilder.StepCounts) int) row[*lookup.Execution] {
	return gauge(name, help, func(e *lookup.Execution) (float64, bool) {
		if e.Value.Steps == nil {
			return 0, false
		}
		return float64(of(e.Value.Steps)), true
	})
}
