package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// A Collector emits everything. It is also made of parts, which emit the same together: what is
// live, and what is settled, batch by batch. Every series is in one of them.

// Live returns the part of c that is not settled.
func (c *Collector) Live() prometheus.Collector { return live{c} }

type live struct{ *Collector }

// Collect implements prometheus.Collector.
func (c live) Collect(ch chan<- prometheus.Metric) {
	c.Lookup()
	for _, target := range c.snapshots {
		c.emit(ch, target, c.families)
	}
}

// Settled returns the parts of c that are settled.
func (c *Collector) Settled() []*Settled {
	c.Lookup()
	var all []*Settled
	for _, target := range c.snapshots {
		for _, b := range target.Settled {
			all = append(all, &Settled{Collector: c, Batch: b, target: target})
		}
	}
	return all
}

// Settled is a batch of a target, as a prometheus.Collector. What it emits depends on nothing
// but the batch, the target's name and region, and the Options.
type Settled struct {
	*Collector
	Batch    *lookup.Batch
	Panicked bool // whether a family is missing of what was collected last
	target   *lookup.Snapshot
}

// Collect implements prometheus.Collector.
func (s *Settled) Collect(ch chan<- prometheus.Metric) {
	s.Panicked = !s.emit(ch, alone(s.target, s.Batch), s.settled)
}

// alone returns a snapshot of a target that has nothing but one of its batches.
func alone(target *lookup.Snapshot, b *lookup.Batch) *lookup.Snapshot {
	return &lookup.Snapshot{Name: target.Name, Region: target.Region, Executions: b.Executions, Images: b.Images}
}
