package collector

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// sample is a gauge as prometheus.NewConstMetric makes one, but with label pairs that
// all samples of an execution share: with many executions, creating the pairs for
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

// label is a label of things of type T.
type label[T any] struct {
	name  string
	value func(T) string
}

func names[T any](labels []label[T]) []string {
	var all []string
	for _, l := range labels {
		all = append(all, l.name)
	}
	return all
}

// withLabels returns base, which is sorted by name, with more labels of it: a sorted slice
// of its own, or base itself when there are no more.
func withLabels[T any](base []*dto.LabelPair, it T, more []label[T]) []*dto.LabelPair {
	if len(more) == 0 {
		return base
	}
	all := slices.Grow(slices.Clip(base), len(more))
	for i := range more {
		all = insert(all, &dto.LabelPair{Name: &more[i].name, Value: new(more[i].value(it))})
	}
	return all
}

// insert puts p where it belongs among labels, which are sorted by name.
func insert(labels []*dto.LabelPair, p *dto.LabelPair) []*dto.LabelPair {
	i, _ := slices.BinarySearchFunc(labels, p, func(a, b *dto.LabelPair) int {
		return strings.Compare(a.GetName(), b.GetName())
	})
	return slices.Insert(labels, i, p)
}

func pair(name, value string) *dto.LabelPair {
	return &dto.LabelPair{Name: &name, Value: &value}
}
