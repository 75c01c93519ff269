package collector

import (
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// row is one metric of a table.
type row[T any] struct {
	name, help string
	labels     []string // in addition to those of the kind
	// collect sends the samples of all entities.
	collect func(o *output, all []entity[T])
}

// gauge is a metric with one sample for each entity for which value reports true.
func gauge[T any](name, help string, value func(T) (float64, bool), labels ...label[T]) row[T] {
	return row[T]{name, help, names(labels), func(o *output, all []entity[T]) {
		for _, e := range all {
			if v, ok := value(e.of); ok {
				o.send(withLabels(e.labels, e.of, labels), v)
			}
		}
	}}
}

// fact is 1 for yes and 0 for no. It is absent while that is not known.
func fact[T any](name, help string, of func(T) lookup.Fact) row[T] {
	return gauge(name, help, func(it T) (float64, bool) {
		f := of(it)
		return bit(f.True), f.Known
	})
}

// info is 1 for each entity. Its labels say what is known of it.
func info[T any](name, help string, labels ...label[T]) row[T] {
	return gauge(name, help, func(T) (float64, bool) { return 1, true }, labels...)
}

// timestamp is a moment as a Unix time, to the microsecond. It is absent when at is zero.
func timestamp[T any](name, help string, at func(T) time.Time, labels ...label[T]) row[T] {
	return gauge(name, help, func(it T) (float64, bool) {
		t := at(it)
		return float64(t.UnixMicro()) / 1e6, !t.IsZero()
	}, labels...)
}

// duration is a time in seconds, at the moment of the scrape.
func duration[T any](name, help string, value func(it T, now time.Time) (time.Duration, bool)) row[T] {
	return row[T]{name, help, nil, func(o *output, all []entity[T]) {
		for _, e := range all {
			if d, ok := value(e.of, o.now); ok {
				o.send(e.labels, d.Seconds())
			}
		}
	}}
}

// unknown is the value in a state set for every value that is not in the API reference.
const unknown = "UNKNOWN"

// state is a status of the API.
type state interface {
	~string
	Known() bool // whether it is in the API reference
}

// stateSet has a sample for each state, of which exactly one is 1. It is absent when current
// is empty.
func stateSet[T any, S state](name, help string, states []S, current func(T) S) row[T] {
	states = append(states, unknown)
	labels := make([]*dto.LabelPair, len(states))
	for i, s := range states {
		labels[i] = pair("status", string(s))
	}
	return row[T]{name, help, []string{"status"}, func(o *output, all []entity[T]) {
		for i, s := range states {
			for _, e := range all {
				if c := current(e.of); c != "" {
					o.send(insert(slices.Clip(e.labels), labels[i]), bit(c == s || s == unknown && !c.Known()))
				}
			}
		}
	}}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
