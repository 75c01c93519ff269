package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// A Collector emits everything. It is also made of parts, which emit the same together: what is
// live, and what has settled, batch by batch. Every series is in one of them.

// Live returns the part of c that has not settled.
func (c *Collector) Live() prometheus.Collector { return live{c} }

type live struct{ whole *Collector }

// Describe implements prometheus.Collector.
func (c live) Describe(ch chan<- *prometheus.Desc) { c.whole.Describe(ch) }

// Collect implements prometheus.Collector.
func (c live) Collect(ch chan<- prometheus.Metric) {
	c.whole.Lookup()
	for _, target := range c.whole.snapshots {
		c.whole.emit(ch, target, c.whole.families)
	}
}

// Batches returns the parts of c that have settled.
func (c *Collector) Batches() []*Batch {
	c.Lookup()
	var all []*Batch
	for _, target := range c.snapshots {
		for _, b := range target.Settled {
			all = append(all, &Batch{Batch: b, whole: c, target: target})
		}
	}
	return all
}

// Batch emits the metrics of a lookup.Batch of a target. They depend only on the lookup.Batch, the
// name and region of the target, and the Options.
type Batch struct {
	*lookup.Batch
	Panicked bool // whether a family is missing of what was collected last
	whole    *Collector
	target   *lookup.Snapshot
}

// Describe implements prometheus.Collector.
func (b *Batch) Describe(ch chan<- *prometheus.Desc) { b.whole.Describe(ch) }

// Collect implements prometheus.Collector.
func (b *Batch) Collect(ch chan<- prometheus.Metric) {
	b.Panicked = !b.whole.emit(ch, alone(b.target, b.Batch), b.whole.settledFamilies)
}

// alone returns a snapshot of a target with only one of its batches.
func alone(target *lookup.Snapshot, b *lookup.Batch) *lookup.Snapshot {
	return &lookup.Snapshot{Name: target.Name, Region: target.Region, Executions: b.Executions, Images: b.Images}
}
