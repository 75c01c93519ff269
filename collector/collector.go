// Package collector turns the snapshots of package lookup into Prometheus metrics.
//
// A Collector lives for one scrape. It refreshes all targets in parallel until the deadline of the
// scrape, then emits const metrics target by target and family by family. Each family has its own
// file. docs/metrics.md defines the names, labels and meanings.
//
// The package knows nothing of HTTP and computes no facts: package lookup does. Start reading with
// Collector.Collect and a small family such as waiting.go.
package collector

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// Source is one target in one region, as a Collector reads it.
type Source interface {
	// Lookup returns a snapshot of the target. It waits for the lookups that are due, but
	// not longer than ctx.
	Lookup(ctx context.Context) lookup.Snapshot
}

var _ Source = (*lookup.Target)(nil)

// Options enable families of metrics. The zero value has only the families that are always on.
type Options struct {
	Status    bool // imagebuilder_workflow_execution_status
	Images    bool // imagebuilder_image_*
	Pipelines bool // imagebuilder_pipeline_*
	Steps     bool // imagebuilder_workflow_step_*, except those of Waiting
	Waiting   bool // imagebuilder_workflow_step_{waiting_since,timeout}_timestamp_seconds

	ExternalURL string // of imagebuilder_target_page_info; empty for no such metric
}

// Panicked is called for each recovered panic, with the part of the scrape that is missing, the
// value of the panic and its stack. There are only a few parts: "lookup", "labels" and the names of
// the families. It may be called concurrently.
type Panicked func(part string, value any, stack []byte)

// Collector is a prometheus.Collector for one scrape. A panic loses at most one family of one
// target, or one target.
type Collector struct {
	ctx             context.Context // the scrape's, which ends at its deadline
	sources         []Source
	families        []family
	settledFamilies []family // the families with settled series
	panicked        Panicked
	lookedUp        sync.Once
	snapshots       []*lookup.Snapshot // of each source, once lookedUp
}

// New returns a Collector for a scrape. The deadline of ctx is that of the scrape. panicked may be
// nil.
func New(ctx context.Context, sources []Source, o Options, panicked Panicked) *Collector {
	c := &Collector{ctx: ctx, sources: sources, families: []family{targets, lookups, executions, counts}, panicked: panicked}
	add := func(on bool, f family) {
		if on {
			c.families = append(c.families, f)
		}
	}
	add(o.Status, status)
	add(o.Steps, steps)
	add(o.Waiting, waiting)
	add(o.Images, images)
	add(o.Pipelines, pipelines)
	c.settledFamilies = slices.DeleteFunc(slices.Clone(c.families), func(f family) bool { return f.name == targets.name })
	if o.ExternalURL != "" {
		c.families = append(c.families, pages(o.ExternalURL))
	}
	return c
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
	for _, target := range c.snapshots {
		c.emit(ch, target, c.families)
		for _, b := range target.Settled {
			c.emit(ch, alone(target, b), c.settledFamilies)
		}
	}
}

// emit sends the metrics of families about a target, and reports whether none has panicked.
func (c *Collector) emit(ch chan<- prometheus.Metric, target *lookup.Snapshot, families []family) (whole bool) {
	s := &scrape{target: target}
	whole = c.contain("labels", s.labelExecutions)
	for _, f := range families {
		whole = c.contain(f.name, func() { f.collect(ch, s) }) && whole
	}
	return whole
}

// Lookup looks up all targets, and waits for that until the deadline of the scrape at most. Only
// the first call does so. Collect also calls it; call it first to know when the waiting ends. A
// target whose lookup panics is left out.
func (c *Collector) Lookup() {
	c.lookedUp.Do(func() {
		all := make([]*lookup.Snapshot, len(c.sources))
		var running sync.WaitGroup
		for i, s := range c.sources {
			running.Go(func() { c.contain("lookup", func() { all[i] = new(s.Lookup(c.ctx)) }) })
		}
		running.Wait()
		c.snapshots = slices.DeleteFunc(all, func(s *lookup.Snapshot) bool { return s == nil })
	})
}

// contain calls f, which is a part of the scrape, and reports whether it returns: it recovers
// from a panic.
func (c *Collector) contain(part string, f func()) (returned bool) {
	defer func() {
		if v := recover(); v != nil && c.panicked != nil {
			c.panicked(part, v, debug.Stack())
		}
	}()
	f()
	return true
}
