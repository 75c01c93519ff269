package lookup

import (
	"container/heap"
	"slices"
	"time"
)

// refresh is all lookups that were due at one scrape, those included that an
// earlier scrape had begun, and those that follow from their answers.
type refresh struct {
	n        int // refreshes are numbered in their order
	begun    time.Time
	lookups  int // all of them that are not optional
	answered int // those of lookups that ended with an answer
	failed   int // those of lookups that ended without
	spared   int // those of failed that say nothing about the target

	pending  int           // those that have not ended, optional ones too
	beside   int           // those of pending that belong to discovery
	lookedUp chan struct{} // closed when nothing is pending but discovery; what that brings is waited for with patience
	done     chan struct{} // closed when pending is 0
}

// refresh queues what is due and returns what a scrape at that time waits for.
func (t *Target) refresh(now time.Time) *refresh {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.sources) > 0 || t.pipelines != nil {
		t.reselect(now) // what has become too old goes
	}
	t.pauseSteps(now)
	r := &refresh{n: t.latest.n + 1, begun: now, done: make(chan struct{}), lookedUp: make(chan struct{})}
	joined := true // whether all that is pending belongs to the latest refresh
	for _, e := range t.entries {
		if e.due(now) {
			t.enqueue(e, r.n)
		}
		if e.pending {
			r.count(e)
			joined = joined && e.since < r.n
		}
	}
	t.born = nil // all of it was queued, or is not due
	if joined && r.pending > 0 {
		return t.latest
	}
	t.latest = r
	t.open = append(t.open, r)
	t.settle(now)
	return r
}

// count takes in the pending lookup of e.
func (r *refresh) count(e *entry) {
	if !e.optional {
		r.lookups++
	}
	r.pending++
	if e.lane.discovery {
		r.beside++
	}
}

// enqueue queues e for the refreshes from since on.
func (t *Target) enqueue(e *entry, since int) {
	e.pending, e.since = true, since
	heap.Push(&e.lane.queue, e)
	if !e.lane.dispatching {
		e.lane.dispatching = true
		t.running.Go(func() { t.dispatch(e.lane) })
	}
}

// continueWith queues what an answer has made due, for the refreshes that have waited
// for that answer: those from since on.
func (t *Target) continueWith(since int, now time.Time) {
	for _, e := range t.born {
		if e.gone || !e.due(now) {
			continue
		}
		t.enqueue(e, since)
		for _, r := range t.open {
			if r.n >= since {
				r.count(e)
			}
		}
	}
	t.born = nil
}

// release takes the pending lookup of e out of the refreshes that wait for it, and
// tells each by count. The caller holds t.mu.
func (t *Target) release(e *entry, now time.Time, count func(*refresh)) {
	for _, r := range t.open {
		if r.n < e.since {
			continue
		}
		count(r)
		r.pending--
		if e.lane.discovery {
			r.beside--
		}
	}
	t.settle(now)
}

// settle ends the refreshes that wait for nothing any more.
func (t *Target) settle(now time.Time) {
	t.open = slices.DeleteFunc(t.open, func(r *refresh) bool {
		if r.pending == r.beside && !isClosed(r.lookedUp) {
			close(r.lookedUp)
		}
		if r.pending > 0 {
			return false
		}
		t.end(r, now)
		return true
	})
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// end takes in a refresh whose lookups have all ended. The caller holds t.mu.
func (t *Target) end(r *refresh, now time.Time) {
	close(r.done)
	t.ended, t.duration = true, now.Sub(r.begun)
	if r.lookups > r.spared {
		t.up = r.answered > 0
	}
	if r.answered == r.lookups {
		t.lastSuccess = now
	}
}

// blind reports whether everything of r that has ended found Image Builder out of
// reach. The caller holds t.mu.
func (r *refresh) blind() bool { return r.failed > r.spared && r.answered == 0 }
