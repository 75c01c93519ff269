// Package collector turns what package lookup knows into Prometheus metrics.
//
// A Collector lives for one scrape. It looks up every target, side by side, until
// the scrape's deadline, and then emits const metrics, target by target and family by
// family. Each family stands in a file of its own; the names, labels and meanings are
// those of docs/metrics.md.
package collector

import (
	"context"
	"runtime/debug"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// Source is one target in one region, as a Collector reads it.
type Source interface {
	// Lookup returns what is known of the target when everything that was due has
	// been looked up, or when ctx ends.
	Lookup(ctx context.Context) lookup.Snapshot
}

var _ Source = (*lookup.Target)(nil)

// Options switches families of metrics. The zero value has only those that are
// always on.
type Options struct {
	Status    bool // imagebuilder_workflow_execution_status
	Images    bool // imagebuilder_image_*
	Pipelines bool // imagebuilder_pipeline_*
	Steps     bool // imagebuilder_workflow_step_*, but what waits
	Waiting   bool // imagebuilder_workflow_step_waiting_since_timestamp_seconds
}

// Panicked is told of a panic that was contained: in which part of a scrape, which is one
// of a few words, with what value, and where. It may be called concurrently.
type Panicked func(part string, value any, stack []byte)

// Collector is a prometheus.Collector for one scrape. A panic costs the scrape one family of
// one target, or that target, and nothing else.
type Collector struct {
	ctx      context.Context // the scrape's, which ends at its deadline
	sources  []Source
	families []family
	panicked Panicked
	lookedUp sync.Once
	targets  []lookup.Snapshot // once lookedUp
}

// New returns a Collector for a scrape that ends with ctx at the latest. It tells panicked,
// unless that is nil, of every panic.
func New(ctx context.Context, sources []Source, o Options, panicked Panicked) *Collector {
	families := []family{targets, lookups, executions, counts}
	for _, f := range []struct {
		on     bool
		family family
	}{
		{o.Status, status},
		{o.Steps, steps},
		{o.Waiting, waiting},
		{o.Images, images},
		{o.Pipelines, pipelines},
	} {
		if f.on {
			families = append(families, f.family)
		}
	}
	return &Collector{ctx: ctx, sources: sources, families: families, panicked: panicked}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range c.families {
		f.describe(ch)
	}
}

// Collect implements prometheus.Collector. Nothing is sent on ch after it returns.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	c.Lookup()
	for i := range c.targets {
		s := &scrape{target: &c.targets[i]}
		c.contain("labels", s.labelExecutions)
		for _, f := range c.families {
			c.contain(f.name, func() { f.collect(ch, s) })
		}
	}
}

// Lookup looks every target up, once, for which it waits until the scrape's deadline at
// the latest. Collect does so by itself; who wants to do something in between calls it
// before. A target whose Lookup panics is left out.
func (c *Collector) Lookup() {
	c.lookedUp.Do(func() {
		all := make([]lookup.Snapshot, len(c.sources))
		whole := make([]bool, len(c.sources))
		var running sync.WaitGroup
		for i, s := range c.sources {
			running.Go(func() { whole[i] = c.contain("lookup", func() { all[i] = s.Lookup(c.ctx) }) })
		}
		running.Wait()
		for i := range all {
			if whole[i] {
				c.targets = append(c.targets, all[i])
			}
		}
	})
}

// contain calls f, which is a part of the scrape, and reports whether it returned. It tells
// of a panic.
func (c *Collector) contain(part string, f func()) (whole bool) {
	defer func() {
		if v := recover(); v != nil && c.panicked != nil {
			c.panicked(part, v, debug.Stack())
		}
	}()
	f()
	return true
}
