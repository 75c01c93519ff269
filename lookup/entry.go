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
	// again, counted from when it was first seen. The answer after that settles it.
	settleAfter = 5 * time.Minute
)

// entry is one execution: what is known about it, and when to ask again.
type entry struct {
	id      string
	pending bool      // queued or in flight
	since   int       // the number of the first refresh that waits for the pending lookup
	gone    bool      // no longer selected
	begun   time.Time // when the last lookup began
	knowledge
}

// knowledge is what an entry loses when it is no longer selected.
type knowledge struct {
	value   *imagebuilder.Execution // the last known, nil for none
	readAt  time.Time               // when value was read
	staleAt time.Time               // when value was due again
	finalAt time.Time               // when a final status was first seen, zero for not
	settled bool                    // value can never change again

	lookedUp bool               // whether a lookup has ended
	failure  imagebuilder.Class // of the last one that ended
	dueAt    time.Time          // when the next one may begin
	misses   int                // lookups in a row that were not found or a bad request
	outage   *outage            // that the last lookup is a part of, nil for none
}

// due reports whether it is time for another lookup.
func (e *entry) due(now time.Time) bool {
	return !e.pending && !e.settled && !now.Before(e.dueAt)
}

// publishable reports whether value is true enough to be published.
func (e *entry) publishable(now time.Time, maxStaleness time.Duration) bool {
	return e.value != nil && (e.settled || now.Sub(e.staleAt) <= maxStaleness)
}

// succeed takes in the answer of a lookup.
func (e *entry) succeed(v *imagebuilder.Execution, now time.Time, interval time.Duration) {
	if v.Status.Final() {
		if e.finalAt.IsZero() {
			e.finalAt = now
		}
		e.settled = !v.End.IsZero() || now.Sub(e.finalAt) >= settleAfter
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
		e.value = nil
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
