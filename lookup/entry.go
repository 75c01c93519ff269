package lookup

import (
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
)

const (
	// maxBackoff bounds how rarely an execution is looked up that is not found, or
	// whose lookup is a bad request.
	maxBackoff = 5 * time.Minute
	// settleAfter is how long a final status without a usable end is looked up
	// again, counted from when it was first seen.
	settleAfter = 5 * time.Minute
)

// entry is what is known about one execution, and when to ask again.
type entry struct {
	id      string
	pending bool // queued or in flight
	gone    bool // no longer selected

	value   *imagebuilder.Execution // the last known, nil for none
	readAt  time.Time               // when value was read
	staleAt time.Time               // when value was due again
	finalAt time.Time               // when a final status was first seen, zero for not

	lookedUp bool               // whether a lookup has ended
	failure  imagebuilder.Class // of the last one that ended
	begun    time.Time          // when the last one began
	dueAt    time.Time          // when the next one may begin
	misses   int                // lookups in a row that were not found or a bad request
	reported imagebuilder.Class // the failure that the log knows of

	refreshes []*refresh // that wait for the pending lookup
}

// settled reports whether the execution can never change again.
func (e *entry) settled(now time.Time) bool {
	if e.value == nil || !e.value.Status.Final() {
		return false
	}
	return !e.value.End.IsZero() || now.Sub(e.finalAt) >= settleAfter
}

// due reports whether it is time for another lookup.
func (e *entry) due(now time.Time) bool {
	return !e.pending && !e.settled(now) && !now.Before(e.dueAt)
}

// publishable reports whether value is true enough to be published.
func (e *entry) publishable(now time.Time, maxStaleness time.Duration) bool {
	return e.value != nil && (e.settled(now) || now.Sub(e.staleAt) <= maxStaleness)
}

// succeed takes in the answer of a lookup.
func (e *entry) succeed(v *imagebuilder.Execution, now time.Time, interval time.Duration) {
	switch {
	case !v.Status.Final():
		e.finalAt = time.Time{}
	case e.finalAt.IsZero():
		e.finalAt = now
	}
	e.value, e.readAt, e.lookedUp, e.failure, e.misses = v, now, true, "", 0
	e.dueAt = e.begun.Add(interval)
	e.staleAt = e.dueAt
}

// fail takes in the failure of a lookup.
func (e *entry) fail(class imagebuilder.Class, interval time.Duration) {
	e.lookedUp, e.failure = true, class
	switch class {
	case imagebuilder.NotFound:
		e.value, e.finalAt = nil, time.Time{}
		e.misses++
	case imagebuilder.BadRequest:
		e.misses++
	default:
		e.misses = 0
	}
	e.dueAt = e.begun.Add(backoff(interval, e.misses))
}

// backoff returns the time to the next lookup after so many misses in a row: the
// interval, doubled with each further one, up to maxBackoff.
func backoff(interval time.Duration, misses int) time.Duration {
	d := interval
	for i := 1; i < misses && d < maxBackoff; i++ {
		d *= 2
	}
	return max(interval, min(d, maxBackoff))
}
