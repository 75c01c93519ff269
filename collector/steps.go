package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/lookup"
)

// steps counts the steps of an execution.
type steps struct{}

var stepCounts = []struct {
	desc *prometheus.Desc
	of   func(*imagebuilder.StepCounts) int
}{
	{
		newDesc("imagebuilder_workflow_execution_steps", "Steps that the workflow defines.", executionLabels),
		func(c *imagebuilder.StepCounts) int { return c.Total },
	},
	{
		newDesc("imagebuilder_workflow_execution_steps_succeeded", "Steps of the execution that succeeded.", executionLabels),
		func(c *imagebuilder.StepCounts) int { return c.Succeeded },
	},
	{
		newDesc("imagebuilder_workflow_execution_steps_failed", "Steps of the execution that failed.", executionLabels),
		func(c *imagebuilder.StepCounts) int { return c.Failed },
	},
	{
		newDesc("imagebuilder_workflow_execution_steps_skipped", "Steps of the execution that were skipped.", executionLabels),
		func(c *imagebuilder.StepCounts) int { return c.Skipped },
	},
}

func (steps) describe(ch chan<- *prometheus.Desc) {
	for _, c := range stepCounts {
		ch <- c.desc
	}
}

func (steps) collect(ch chan<- prometheus.Metric, snapshots []lookup.Snapshot) {
	for _, c := range stepCounts {
		eachValue(snapshots, func(s *lookup.Snapshot, e *lookup.Execution) {
			if e.Value.Steps != nil {
				ch <- gauge(c.desc, float64(c.of(e.Value.Steps)), s.Name, s.Region, e.ID)
			}
		})
	}
}
