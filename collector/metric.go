package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// sample is a gauge as prometheus.NewConstMetric makes one, but with label pairs that
// all samples of an execution share: with many executions, making the pairs anew for
// each sample would be a third of the cost of a scrape.
type sample struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair // sorted by name; shared, never changed
	value  float64
}

var _ prometheus.Metric = (*sample)(nil)

// Desc implements prometheus.Metric.
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *sample) Write(out *dto.Metric) error {
	out.Label = s.labels
	out.Gauge = &dto.Gauge{Value: &s.value}
	return nil
}

// execution is one execution of a scrape, with its labels.
type execution struct {
	*lookup.Execution
	labels []*dto.LabelPair // E of docs/metrics.md
}

// executionsOf returns all executions of the snapshot, in their order.
func executionsOf(s *lookup.Snapshot) []execution {
	target := targetLabels(s)
	all := make([]execution, len(s.Executions))
	for i := range all {
		e := &s.Executions[i]
		all[i] = execution{e, with(target, pair("workflow_execution_id", e.ID))}
	}
	return all
}

// labelled is a thing of a target, with its labels.
type labelled[T any] struct {
	it     *T
	labels []*dto.LabelPair
}

// labelAll returns things of the target, in their order, each with the target's labels and
// one of its own.
func labelAll[T any](s *scrape, things []T, name string, value func(*T) string) []labelled[T] {
	target := targetLabels(s.target)
	all := make([]labelled[T], len(things))
	for i := range things {
		it := &things[i]
		all[i] = labelled[T]{it, with(target, pair(name, value(it)))}
	}
	return all
}

// targetLabels returns T of docs/metrics.md.
func targetLabels(s *lookup.Snapshot) []*dto.LabelPair {
	return []*dto.LabelPair{pair("region", s.Region), pair("target", s.Name)}
}

func pair(name, value string) *dto.LabelPair {
	return &dto.LabelPair{Name: &name, Value: &value}
}

// with returns labels, which are sorted by name, and more in a sorted slice of its own.
func with(labels []*dto.LabelPair, more ...*dto.LabelPair) []*dto.LabelPair {
	all := append(make([]*dto.LabelPair, 0, len(labels)+len(more)), labels...)
	for _, p := range more {
		i := len(all)
		for i > 0 && all[i-1].GetName() > p.GetName() {
			i--
		}
		all = slices.Insert(all, i, p)
	}
	return all
}
