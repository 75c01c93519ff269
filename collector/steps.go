package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// steps says how the steps of an execution stand.
type steps struct{}

var (
	stepInfoDesc = newDesc("imagebuilder_workflow_step_info",
		"1: what the step is, and how it stands in the API's own words.", stepNames, "action", "status", "rollback_status")
	stepDurationDesc = newDesc("imagebuilder_workflow_step_duration_seconds",
		"How long the step ran, until its end or until now.", stepNames)
	stepStartDesc = newDesc("imagebuilder_workflow_step_start_timestamp_seconds",
		"When the step started.", stepNames)
	stepEndDesc = newDesc("imagebuilder_workflow_step_end_timestamp_seconds",
		"When the step ended.", stepNames)
)

func (steps) describe(ch chan<- *prometheus.Desc) {
	ch <- stepInfoDesc
	ch <- stepDurationDesc
	ch <- stepStartDesc
	ch <- stepEndDesc
}

func (steps) collect(ch chan<- prometheus.Metric, s *scrape) {
	all := s.steps()
	for _, step := range all {
		ch <- &sample{stepInfoDesc, with(step.labels,
			pair("action", step.Action),
			pair("status", step.Status),
			pair("rollback_status", step.RollbackStatus),
		), 1}
	}
	for _, step := range all {
		if d, ok := step.Duration(s.target.Time, step.execution.Value.Status.Final()); ok {
			ch <- &sample{stepDurationDesc, step.labels, d.Seconds()}
		}
	}
	for _, step := range all {
		if !step.Start.IsZero() {
			ch <- &sample{stepStartDesc, step.labels, seconds(step.Start)}
		}
	}
	for _, step := range all {
		if !step.End.IsZero() {
			ch <- &sample{stepEndDesc, step.labels, seconds(step.End)}
		}
	}
}

// step is one step of a scrape, with its labels.
type step struct {
	*imagebuilder.Step
	execution *execution
	labels    []*dto.LabelPair // S of docs/metrics.md
}

// steps returns every step that is known.
func (s *scrape) steps() []step {
	var all []step
	s.known(func(e *execution) {
		for i := range e.Steps {
			all = append(all, step{&e.Steps[i], e, stepLabels(e.labels, e.Steps[i].ID, e.Steps[i].Name)})
		}
	})
	return all
}

// stepLabels returns S of docs/metrics.md; execution is E.
func stepLabels(execution []*dto.LabelPair, id, name string) []*dto.LabelPair {
	return with(execution, pair("step_execution_id", id), pair("step", name))
}
