package exposition

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// keptFor is how long segments of a format are kept that nobody asks for.
const keptFor = 10 * time.Minute

// cache has the segments of all batches that exist, in the formats that are asked for. When
// nothing else refers to a batch any more, its segments go with it. The zero value is ready for
// use. Its methods may be called concurrently.
type cache struct {
	mu      sync.Mutex
	asked   map[variant]time.Time // when each was asked for last; those that are kept
	batches map[weak.Pointer[lookup.Batch]]*rendered
	bytes   atomic.Int64 // of all segments
}

// rendered is what was made of one batch.
type rendered struct {
	bytes    *atomic.Int64
	mu       sync.Mutex                      // held while segments are made, so that this happens once
	segments map[variant]map[string]*segment // by the name of the family
}

// segments returns the segments of each of these batches by the name of their families. It
// makes those that are missing.
func (c *cache) segments(f format, batches []*collector.Batch) ([]map[string]*segment, error) {
	all := make([]map[string]*segment, len(batches))
	for i, b := range batches {
		var err error
		if all[i], err = c.of(b.Batch).in(f, b); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ask takes in that v is asked for, and forgets what is in variants that nobody has asked for in
// a while.
func (c *cache) ask(v variant, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		c.asked = map[variant]time.Time{}
	}
	c.asked[v] = now
	for old, at := range c.asked {
		if now.Sub(at) > keptFor {
			delete(c.asked, old)
			for _, r := range c.batches {
				r.forget(old)
			}
		}
	}
}

// of returns what was made of b.
func (c *cache) of(b *lookup.Batch) *rendered {
	key := weak.Make(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.batches[key]
	if r == nil {
		if c.batches == nil {
			c.batches = map[weak.Pointer[lookup.Batch]]*rendered{}
		}
		r = &rendered{bytes: &c.bytes, segments: map[variant]map[string]*segment{}}
		c.batches[key] = r
		runtime.AddCleanup(b, c.forget, key)
	}
	return r
}

func (c *cache) forget(key weak.Pointer[lookup.Batch]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches[key].forgetAll()
	delete(c.batches, key)
}

// in returns the segments of b, of which r is what was made, in the format f. What is not whole,
// for a family has panicked, is not kept.
func (r *rendered) in(f format, b *collector.Batch) (map[string]*segment, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all, ok := r.segments[f.variant]; ok {
		return all, nil
	}
	all, err := f.render(b)
	if err == nil && !b.Panicked {
		r.segments[f.variant] = all
		r.bytes.Add(sizeOf(all))
	}
	return all, err
}

func (r *rendered) forget(v variant) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes.Add(-sizeOf(r.segments[v]))
	delete(r.segments, v)
}

func (r *rendered) forgetAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, all := range r.segments {
		r.bytes.Add(-sizeOf(all))
	}
	r.segments = nil
}

func sizeOf(all map[string]*segment) int64 {
	n := 0
	for _, s := range all {
		n += len(s.head) + len(s.data)
	}
	return int64(n)
}
