package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
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
	s.steps(func(_ *execution, step *imagebuilder.Step, labels []*dto.LabelPair) {
		ch <- &sample{stepInfoDesc, with(labels,
			pair("action", step.Action),
			pair("status", step.Status),
			pair("rollback_status", step.RollbackStatus),
		), 1}
	})
	s.steps(func(e *execution, step *imagebuilder.Step, labels []*dto.LabelPair) {
		if d, ok := step.Duration(e.snapshot.Time, e.Value.Status.Final()); ok {
			ch <- &sample{stepDurationDesc, labels, d.Seconds()}
		}
	})
	s.steps(func(_ *execution, step *imagebuilder.Step, labels []*dto.LabelPair) {
		if !step.Start.IsZero() {
			ch <- &sample{stepStartDesc, labels, seconds(step.Start)}
		}
	})
	s.steps(func(_ *execution, step *imagebuilder.Step, labels []*dto.LabelPair) {
		if !step.End.IsZero() {
			ch <- &sample{stepEndDesc, labels, seconds(step.End)}
		}
	})
}

// steps calls f for every step that is known.
func (s *scrape) steps(f func(e *execution, step *imagebuilder.Step, labels []*dto.LabelPair)) {
	s.known(func(e *execution) {
		for i := range e.Steps {
			step := &e.Steps[i]
			f(e, step, stepLabels(e.labels, step.ID, step.Name))
		}
	})
}

// stepLabels returns S of docs/metrics.md; execution is E.
func stepLabels(execution []*dto.LabelPair, id, name string) []*dto.LabelPair {
	return with(execution, pair("step_execution_id", id), pair("step", name))
}
