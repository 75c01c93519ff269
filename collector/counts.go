package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// counts counts the steps of an execution.
type counts struct{}

var stepCounts = []struct {
	desc *prometheus.Desc
	of   func(*imagebuilder.StepCounts) int
}{
	{
		newDesc("imagebuilder_workflow_execution_steps", "Steps that the workflow defines.", executionNames),
		func(c *imagebuilder.StepCounts) int { return c.Total },
	},
	{
		newDesc("imagebuilder_workflow_execution_steps_succeeded", "Steps of the execution that succeeded.", executionNames),
		func(c *imagebuilder.StepCounts) int { return c.Succeeded },
	},
	{
		newDesc("imagebuilder_workflow_execution_steps_failed", "Steps of the execution that failed.", executionNames),
		func(c *imagebuilder.StepCounts) int { return c.Failed },
	},
	{
		newDesc("imagebuilder_workflow_execution_steps_skipped", "Steps of the execution that were skipped.", executionNames),
		func(c *imagebuilder.StepCounts) int { return c.Skipped },
	},
}

func (counts) describe(ch chan<- *prometheus.Desc) {
	for _, c := range stepCounts {
		ch <- c.desc
	}
}

func (counts) collect(ch chan<- prometheus.Metric, s *scrape) {
	for _, c := range stepCounts {
		s.known(func(e *execution) {
			if e.Value.Steps != nil {
				ch <- &sample{c.desc, e.labels, float64(c.of(e.Value.Steps))}
			}
		})
	}
}
