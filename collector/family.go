package collector

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// family is a group of metrics that belong together: those of one file.
type family struct {
	name   string // the part of a scrape, for Panicked
	tables []metrics
}

// metrics are the metrics of one table.
type metrics interface {
	describe(ch chan<- *prometheus.Desc)
	// collect emits the metrics for one target, in the order of describe.
	collect(ch chan<- prometheus.Metric, s *scrape)
}

func newFamily(name string, tables ...metrics) family { return family{name, tables} }

func (f family) describe(ch chan<- *prometheus.Desc) {
	for _, t := range f.tables {
		t.describe(ch)
	}
}

func (f family) collect(ch chan<- prometheus.Metric, s *scrape) {
	for _, t := range f.tables {
		t.collect(ch, s)
	}
}

// table has a row for each metric about the entities of one kind.
type table[T any] struct {
	entities func(*scrape) []entity[T]
	rows     []row[T]
	descs    []*prometheus.Desc // of rows
}

// tableOf returns a table of these rows.
func tableOf[T any](k kind[T], rows ...row[T]) *table[T] {
	t := &table[T]{entities: k.entities, rows: rows}
	for _, r := range rows {
		names := slices.Concat(k.labels, r.labels)
		t.descs = append(t.descs, prometheus.NewDesc(r.name, r.help, names, nil))
	}
	return t
}

func (t *table[T]) describe(ch chan<- *prometheus.Desc) {
	for _, d := range t.descs {
		ch <- d
	}
}

func (t *table[T]) collect(ch chan<- prometheus.Metric, s *scrape) {
	all := t.entities(s)
	for i, r := range t.rows {
		r.collect(&output{ch, t.descs[i], s.target.Time}, all)
	}
}

// output is where a row sends its samples.
type output struct {
	ch   chan<- prometheus.Metric
	desc *prometheus.Desc
	now  time.Time // of the scrape
}

func (o *output) send(labels []*dto.LabelPair, value float64) {
	o.ch <- &sample{o.desc, labels, value}
}

// kind is what a table is about: targets, executions, steps, ...
type kind[T any] struct {
	labels   []string // the names of the labels that all of its metrics have
	entities func(*scrape) []entity[T]
}

// entity is one execution, step, image, ... of a scrape. All of its samples share its labels.
type entity[T any] struct {
	of     T
	labels []*dto.LabelPair // sorted by name; shared, never changed
}

// newKind returns the kind of what all returns, in that order. Its labels are the target's
// and these.
func newKind[T any](all func(*lookup.Snapshot) []T, labels ...label[T]) kind[T] {
	return kind[T]{append([]string{"target", "region"}, names(labels)...), func(s *scrape) []entity[T] {
		target := []*dto.LabelPair{pair("region", s.target.Region), pair("target", s.target.Name)}
		things := all(s.target)
		entities := make([]entity[T], len(things))
		for i, it := range things {
			entities[i] = entity[T]{it, withLabels(target, it, labels)}
		}
		return entities
	}}
}

// pointers returns a pointer to each of all.
func pointers[T any](all []T) []*T {
	to := make([]*T, len(all))
	for i := range all {
		to[i] = &all[i]
	}
	return to
}
