package schedule

import (
	"maps"
	"slices"
	"time"
)

// Refresh is the set of entries that a scrape waits for: those that were queued or in flight when it
// began, and those that their answers made due.
type Refresh struct {
	begun      time.Time
	waits      [laneCount]set
	failed     bool          // whether a question was not answered that is not optional
	foreground chan struct{} // closed when it first waits for nothing in that lane
	done       chan struct{} // closed when it has ended
}

// Done returns a channel that is closed when the refresh has ended.
func (r *Refresh) Done() <-chan struct{} { return r.done }

// ForegroundDone returns a channel that is closed when the refresh waits for nothing but
// the Background lane. Answers from there can bring further entries of the Foreground.
func (r *Refresh) ForegroundDone() <-chan struct{} { return r.foreground }

// waitsFor reports whether e is in the set.
func (r *Refresh) waitsFor(e *Entry) bool { return r.waits[e.Lane].has(e) }

func (r *Refresh) size() int { return len(r.waits[Foreground]) + len(r.waits[Background]) }

// Refresh queues what is due and returns what a scrape at that time waits for. Scrapes
// that wait for the same share one Refresh. The caller holds the mutex.
func (s *Scheduler) Refresh(now time.Time) *Refresh {
	for e := range s.entries {
		switch {
		case e.Settled:
			delete(s.entries, e)
		case e.due(now):
			s.enqueue(e)
		}
	}
	s.following = nil // all that is due was queued
	if n := len(s.refreshes); n > 0 && s.shared(s.refreshes[n-1]) {
		return s.refreshes[n-1]
	}
	r := &Refresh{begun: now, foreground: make(chan struct{}), done: make(chan struct{})}
	for i := range s.lanes {
		r.waits[i] = maps.Clone(s.lanes[i].pending)
	}
	s.refreshes = append(s.refreshes, r)
	s.end(now)
	return r
}

// shared reports whether a scrape that begins now waits for the same as r, which is open.
func (s *Scheduler) shared(r *Refresh) bool {
	if isClosed(r.foreground) && len(r.waits[Foreground]) > 0 {
		return false // it would be told at once that the foreground is done
	}
	// An open refresh waits for nothing that is not pending: equal sizes are equal sets.
	return r.size() == len(s.lanes[Foreground].pending)+len(s.lanes[Background].pending)
}

// release takes e, whose lookup has ended or counts no more, out of the refreshes that
// wait for it, and returns these.
func (s *Scheduler) release(e *Entry, v Verdict) (waited []*Refresh) {
	delete(s.lanes[e.Lane].pending, e)
	for _, r := range s.refreshes {
		if r.waitsFor(e) {
			delete(r.waits[e.Lane], e)
			r.failed = r.failed || !v.Answered && !e.Optional
			waited = append(waited, r)
		}
	}
	return waited
}

// enqueueFollowing queues what an answer has made due, which may be what was answered.
// The refreshes that waited for the answer wait for that, too.
func (s *Scheduler) enqueueFollowing(waited []*Refresh, now time.Time) {
	for _, e := range s.following {
		if !e.due(now) {
			continue
		}
		s.enqueue(e)
		for _, r := range waited {
			r.waits[e.Lane].add(e)
		}
	}
}

// end ends the refreshes that wait for nothing any more, and reports whether there were
// any.
func (s *Scheduler) end(now time.Time) bool {
	open := len(s.refreshes)
	s.refreshes = slices.DeleteFunc(s.refreshes, func(r *Refresh) bool {
		if len(r.waits[Foreground]) == 0 && !isClosed(r.foreground) {
			close(r.foreground)
		}
		if r.size() > 0 {
			return false
		}
		close(r.done)
		s.last.Any, s.last.Took = true, now.Sub(r.begun)
		if !r.failed {
			s.last.LastSuccess = now
		}
		return true
	})
	return len(s.refreshes) < open
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
