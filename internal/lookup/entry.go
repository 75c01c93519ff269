package lookup

import (
	"context"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

const (
	// maxBackoff bounds how rarely is asked what is not found, is a bad request, or is
	// optional and denied.
	maxBackoff = 5 * time.Minute
	// patientRetry bounds how rarely is asked what can wait and has failed otherwise.
	patientRetry = time.Minute
	// forgottenAfter is how many times in a row what belongs to something that has ended
	// is not found before it is asked for no more.
	forgottenAfter = 6
	// settleAfter is how long a final status without a usable end is looked up
	// again, counted from when it was first seen. The answer after that settles it.
	settleAfter = 5 * time.Minute
)

// question is what an entry asks.
type question interface {
	// ask returns the client's answer. It may read only what never changes.
	ask(ctx context.Context, c Client, started func()) (any, error)
	// take takes in what ask has returned. The caller holds the Target's mu.
	take(t *Target, e *entry, answer any, now time.Time)
	// forget takes in that the API does not know the subject, once more.
	forget(t *Target, e *entry)
}

// remembers is a question whose subject does not end.
type remembers struct{}

func (remembers) forget(*Target, *entry) {}

// subject names what is asked about: one question about it is asked at a time.
type subject struct {
	operation imagebuilder.Operation
	id        string // of an execution, or an ARN; empty for the whole region
}

// entry is one question: when it is to be asked, and what became of it. What it asks
// keeps the answer.
type entry struct {
	subject // never changes
	question
	lane     *lane
	optional bool          // says nothing about whether Image Builder can be reached
	interval time.Duration // from the beginning of one lookup to the next
	retry    time.Duration // the same after a failure, at first
	patient  bool          // asked ever more rarely while it fails
	paused   bool          // not to be asked for now

	pending bool      // queued or in flight
	since   int       // the number of the first refresh that waits for the pending lookup
	gone    bool      // no longer selected
	begun   time.Time // when the last lookup began
	knowledge
}

// knowledge is what an entry loses when it is no longer selected.
type knowledge struct {
	known   bool      // whether there is an answer to publish
	readAt  time.Time // when the answer was read
	staleAt time.Time // when it was due again
	settled bool      // the answer can never change again

	lookedUp bool               // whether a lookup has ended
	failure  imagebuilder.Class // of the last one that ended
	reason   string             // of that failure, for people
	dueAt    time.Time          // when the next one may begin
	misses   int                // failures in a row that make the next lookup rarer
	missing  int                // lookups in a row that were not found
	outage   *outage            // that the last lookup is a part of, nil for none
}

// due reports whether it is time for another lookup.
func (e *entry) due(now time.Time) bool {
	return !e.pending && !e.paused && !e.settled && !now.Before(e.dueAt)
}

// publishable reports whether the answer is true enough to be published.
func (e *entry) publishable(now time.Time, maxStaleness time.Duration) bool {
	return e.known && (e.settled || now.Sub(e.staleAt) <= maxStaleness)
}

// succeed takes in that a lookup got an answer.
func (e *entry) succeed(now time.Time) {
	e.known, e.readAt, e.lookedUp, e.failure, e.reason, e.misses, e.missing = true, now, true, "", "", 0, 0
	e.again(e.interval)
}

// again makes the next lookup due an interval after the beginning of the last one.
func (e *entry) again(interval time.Duration) {
	e.interval = interval
	e.dueAt = e.begun.Add(interval)
	e.staleAt = e.dueAt
}

// fail takes in the failure of a lookup. One that is not its own, because there are no
// credentials, makes the next one no rarer.
func (e *entry) fail(class imagebuilder.Class, own bool, now time.Time) {
	e.lookedUp, e.failure = true, class
	if !own {
		e.dueAt = e.begun.Add(e.retry)
		return
	}
	if class != imagebuilder.NotFound {
		e.missing = 0
	}
	limit := maxBackoff
	switch class {
	case imagebuilder.NotFound:
		e.known, e.readAt = false, now // an answer, too
		e.misses++
		e.missing++
	case imagebuilder.BadRequest:
		e.misses++
	default:
		if e.misses++; !e.patient {
			e.misses = 0
		}
		if class != imagebuilder.Denied || !e.optional {
			limit = patientRetry
		}
	}
	e.dueAt = e.begun.Add(backoff(e.retry, e.misses, limit))
}

// backoff returns the time to the next lookup after so many misses in a row: the
// interval, doubled with each further one, up to limit.
func backoff(interval time.Duration, misses int, limit time.Duration) time.Duration {
	d := interval
	for i := 1; i < misses && d < limit; i++ {
		d *= 2
	}
	return max(interval, min(d, limit))
}
