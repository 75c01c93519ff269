package schedule

import (
	"container/heap"
	"context"
	"time"
)

const (
	// maxBackoff bounds how rarely is asked what is gone or rejected.
	maxBackoff = 5 * time.Minute
	// maxRetry bounds how rarely is asked what has failed otherwise.
	maxRetry = time.Minute
)

// Question is what an Entry asks.
type Question interface {
	// Ask asks, and returns what takes in the answer. It calls started when its first
	// request gets its turn on the wire. It is called without the mutex, so it may read
	// only what never changes; take is called under the mutex.
	Ask(ctx context.Context, started func()) (take func(now time.Time), err error)
	// Judge says what a failure is, under the mutex, before the entry takes it in. The
	// error is that of Ask, of Config.Before, or a *Panic.
	Judge(err error, now time.Time) Verdict
	// Failed takes in that a lookup has failed, under the mutex, after the entry has.
	Failed(now time.Time)
}

// Verdict classifies the result of a lookup.
type Verdict struct {
	Outcome Outcome
	// Answered means that the service has answered, although not as wished. A refresh
	// with only such failures is a success.
	Answered bool
	// Outage is shared by the failures that have one cause.
	Outage Outage
	Err    error // for the log; nil for no failure
}

// Outcome is the result of a question, in one word.
type Outcome int

// The outcomes.
const (
	Answered Outcome = iota // the answer was taken in
	Gone                    // the subject does not exist; retried with back-off
	Rejected                // the request would be rejected again; retried with back-off
	Failed                  // a temporary failure
)

// Subject names what a question is about. There is one lookup about it at a time.
type Subject struct {
	Kind  string // of question
	Label string // of ID, as a key of log lines
	ID    string // empty when there is one question of this kind
}

// Lane is a queue of entries.
type Lane int

// The lanes.
const (
	Foreground Lane = iota
	Background
	laneCount
)

// state is where an entry is, unless it is settled.
type state int

const (
	idle state = iota
	queued
	inFlight
)

// Entry is one question: when it is asked, and what became of it. Its fields and methods
// are guarded by the Scheduler's mutex. The zero value was never asked.
type Entry struct {
	Subject  Subject // never changes once it was added, and neither does Lane
	Lane     Lane
	Optional bool          // whether a refresh is a success without an answer
	BackOff  bool          // whether every failure doubles the time to the next lookup, up to a minute
	Every    time.Duration // the interval, where it is longer than the lane's
	Paused   bool          // not asked for now
	// Wait is for how long, once it is due, the entry may have to wait for its turn. Its answer
	// stays fresh so much longer, unless its last lookup has failed.
	Wait time.Duration
	History

	scheduler *Scheduler
	question  Question
	state     state
	priority  int  // among those that are queued
	place     int  // in the queue of its lane, while it is there
	askNow    bool // due whatever the interval says
	removed   bool
	waiting   *Entry // for the lookup of this one, which was removed, to end
}

// History is what became of the lookups of an Entry. Its fields are to be read only.
type History struct {
	Begun     time.Time // when the last lookup began; zero for never
	LookedUp  bool      // whether a lookup has ended
	HasAnswer bool      // and the subject is not gone
	AskedAt   time.Time // when the lookup began that brought the answer
	ReadAt    time.Time // when the answer was taken in, or that it is gone
	Settled   bool      // whether the answer can never change, so that it is not asked again
	Failing   bool      // whether the last lookup has failed
	Gone      int       // lookups in a row that said that the subject is gone; its owner may reset it

	wait   time.Duration // Entry.Wait when the answer came
	misses int           // failures in a row that count for the back-off
	limit  time.Duration // of the back-off
	outage *outage       // that the last lookup is a part of, nil for none
}

// Fresh reports whether the answer is settled, or was due again not too long ago.
func (e *Entry) Fresh(now time.Time) bool {
	if e.Settled || !e.HasAnswer {
		return e.HasAnswer
	}
	limit := e.interval() + e.scheduler.pace.MaxStaleness
	if !e.Failing {
		limit += max(e.Wait, e.wait) // also after that has become shorter
	}
	return now.Sub(e.AskedAt) <= limit
}

// SetPriority makes the entry go before those of its lane that have a lower priority, and
// after those with a higher one, also if it is queued already. It is 0 at first.
func (e *Entry) SetPriority(p int) {
	if e.priority == p {
		return
	}
	e.priority = p
	if e.queuedIn() {
		heap.Fix(&e.scheduler.lanes[e.Lane].queue, e.place)
	}
}

// queuedIn reports whether the entry is in the queue of its lane. One that waits for the
// lookup of a removed entry is queued, and not yet there.
func (e *Entry) queuedIn() bool {
	if e.scheduler == nil || e.state != queued {
		return false
	}
	q := e.scheduler.lanes[e.Lane].queue
	return e.place < len(q) && q[e.place] == e
}

// Settle ends the asking: the answer can never change. An entry that is queued is asked
// this once more, and the answer of one in flight is taken in.
func (e *Entry) Settle() { e.Settled = true }

// Over reports whether e is settled, and is not being asked once more. Then nothing about it
// changes, unless somebody unsettles it.
func (e *Entry) Over() bool { return e.Settled && e.state == idle }

// Unsettle makes the entry due again when its interval says so.
func (e *Entry) Unsettle() {
	if e.Settled {
		e.Settled = false
		e.scheduler.enter(e)
	}
}

// AskNow makes the entry due at once. The refreshes that wait for the answer that is being
// taken in then wait for this entry, too, unless it is queued or in flight already: one in
// flight is asked again at the next Refresh.
func (e *Entry) AskNow() {
	e.askNow = true
	e.scheduler.follow(e)
}

// Resume ends a pause. Refreshes wait for the entry as AskNow says, if it is due.
func (e *Entry) Resume() {
	e.Paused = false
	e.scheduler.follow(e)
}

// Restart makes the entry due at once, as if it had never failed.
func (e *Entry) Restart() {
	e.misses, e.Gone = 0, 0
	e.Unsettle()
	e.AskNow()
}

// due reports whether it is time for another lookup.
func (e *Entry) due(now time.Time) bool {
	if e.state != idle || e.Paused || e.Settled || e.removed {
		return false
	}
	return e.askNow || !now.Before(e.dueAt())
}

// dueAt returns when the next lookup may begin.
func (e *Entry) dueAt() time.Time {
	switch {
	case !e.LookedUp:
		return time.Time{}
	case e.Failing:
		return e.Begun.Add(backoff(e.scheduler.pace.Retry, e.misses, e.limit))
	}
	return e.Begun.Add(e.interval())
}

func (e *Entry) interval() time.Duration {
	if e.Lane == Background {
		return max(e.Every, e.scheduler.pace.Background)
	}
	return max(e.Every, e.scheduler.pace.Foreground)
}

// begin takes in that a lookup begins.
func (e *Entry) begin(now time.Time) { e.Begun, e.askNow = now, false }

// succeed takes in that a lookup has an answer.
func (e *Entry) succeed(now time.Time) {
	e.LookedUp, e.HasAnswer, e.ReadAt, e.AskedAt, e.wait = true, true, now, e.Begun, e.Wait
	e.Failing, e.misses, e.Gone = false, 0, 0
}

// fail takes in that a lookup has none. One that could not begin, because Config.Before
// has failed, makes the next one no rarer.
func (e *Entry) fail(outcome Outcome, began bool, now time.Time) {
	e.LookedUp, e.Failing = true, true
	if !began {
		e.limit = 0
		return
	}
	if outcome == Gone {
		e.HasAnswer, e.ReadAt = false, now
		e.Gone++
	} else {
		e.Gone = 0
	}
	e.limit = maxBackoff
	if outcome == Failed {
		e.limit = maxRetry
	}
	if e.misses++; outcome == Failed && !e.BackOff {
		e.misses = 0
	}
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
