// Package schedule decides when questions are asked, and who waits for their answers.
//
// An Entry is one question. It is in one of four states:
//
//	idle       due when its interval or back-off is over; due at once if it was never asked
//	queued     due, and waiting for its turn in its lane
//	in flight  being asked, by one lookup at a time
//	settled    its answer can never change, so it is not asked again
//
// A paused idle entry is not due. An entry that settles while it is queued is still asked once.
//
// Nothing happens without a scrape. A scrape calls Refresh, which queues every idle entry that is
// due and returns a Refresh: the set of all entries that are queued or in flight at that moment.
// When the lookup of an entry ends, the entry leaves every set. When a set is empty, its refresh has
// ended. An answer can make further entries due; they join every refresh that waited for the answer.
// When a scrape returns at its deadline, lookups continue, and the next scrape gets their answers.
//
// There are two lanes, each with its own queue: slow questions in one lane do not delay the other.
// In a queue, the entries with the highest priority go first, and among them the entry that was not
// asked for the longest time. A scrape can wait for the Foreground lane only.
//
// While an entry fails, its last answer stays fresh for a limited time. It is retried soon, or with
// back-off if it is gone or rejected, or if Entry.BackOff is set. Lookups that fail in the same way
// are one outage, which is logged when it begins and when it ends.
//
// The package does not know what is asked: it imports no other package of this module. One mutex,
// which a Scheduler shares with its user, guards all state. Start reading with Entry and
// Scheduler.Refresh.
package schedule

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-kit/log"
)

// Config is the configuration of a Scheduler.
type Config struct {
	// Mutex guards the Scheduler and its entries. Methods say when the caller holds it.
	Mutex *sync.Mutex
	// Before is called before each question, without the mutex. Its error is the failure
	// of everything that is queued in the lane. Nil means nothing to do.
	Before func(ctx context.Context) error
	// Ended is called under the mutex after an answer that ended a refresh, to compute once what
	// depends on many answers. It is not called when a refresh ends because an entry is removed. Nil
	// means nothing to do.
	Ended  func(now time.Time)
	Logger log.Logger
	Panics interface{ Inc() } // counts recovered panics; nil means do not count
}

// Pace sets how often entries are asked.
type Pace struct {
	Foreground, Background time.Duration // from the beginning of one lookup to the next
	Retry                  time.Duration // the same after a failure, without back-off
	MaxStaleness           time.Duration // how long after it was due again an answer stays fresh
}

// Scheduler asks the questions of its entries. Its zero value is not ready for use.
type Scheduler struct {
	c       Config
	pace    Pace
	ctx     context.Context // that of all lookups
	cancel  context.CancelFunc
	running sync.WaitGroup // dispatchers and lookups

	entries   set                // all but those that are settled
	changes   int                // how often an entry joined or left, other than by settling
	lanes     [laneCount]lane    // by Lane
	leaving   map[Subject]*Entry // removed, and still in flight
	following []*Entry           // what the answer that is being taken in may have made due
	refreshes []*Refresh         // that have not ended, in the order of their beginning
	last      Ended
	outages   map[Outage]*outage
}

// Ended is what is known of refreshes that have ended.
type Ended struct {
	Any         bool          // whether one has ended
	Took        time.Duration // the last one
	LastSuccess time.Time     // when one last ended with every question answered; zero for never
}

// New returns a Scheduler without entries. Close ends it.
func New(c Config) *Scheduler {
	s := &Scheduler{c: c, entries: set{}, leaving: map[Subject]*Entry{}, outages: map[Outage]*outage{}}
	for i := range s.lanes {
		s.lanes[i].pending = set{}
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends all lookups and waits until they have ended. The Scheduler must not be used
// after it.
func (s *Scheduler) Close() {
	s.cancel()
	s.running.Wait()
}

// SetPace changes how often entries are asked, at once. The caller holds the mutex.
func (s *Scheduler) SetPace(p Pace) { s.pace = p }

// Last returns what is known of refreshes that have ended. The caller holds the mutex.
func (s *Scheduler) Last() Ended { return s.last }

// Sizes is how much a Scheduler holds.
type Sizes struct {
	Entries   int // that are not settled
	Pending   int // of them that are queued or in flight
	Leaving   int // removed, and still in flight
	Refreshes int // that have not ended
	Outages   int
}

// Sizes returns how much s holds, so that tests of its users see that nothing is left
// over. The caller holds the mutex.
func (s *Scheduler) Sizes() Sizes {
	n := Sizes{Leaving: len(s.leaving), Refreshes: len(s.refreshes), Outages: len(s.outages)}
	for e := range s.entries {
		if !e.Settled {
			n.Entries++
		}
	}
	for i := range s.lanes {
		n.Pending += len(s.lanes[i].pending)
	}
	return n
}

// Add makes e an entry that asks q, and that is due at once. If the same subject is still
// being asked for an entry that was removed, e waits for that lookup to end. The caller
// holds the mutex.
func (s *Scheduler) Add(e *Entry, q Question) {
	e.question, e.scheduler = q, s
	s.enter(e)
	s.follow(e)
}

// Remove ends e: no refresh waits for it any more, and an answer that is still to come is
// dropped. The caller holds the mutex.
func (s *Scheduler) Remove(e *Entry) {
	s.leave(e.outage)
	e.removed = true
	delete(s.entries, e)
	s.changes++
	if e.state == inFlight {
		s.leaving[e.Subject] = e
	}
	if e.state != idle {
		s.release(e, Verdict{Answered: true})
		s.end(time.Now())
	}
}

func (s *Scheduler) enter(e *Entry) {
	s.entries.add(e)
	s.changes++
}

// Changes counts how often an entry was added, removed or unsettled: while it stays the same, what
// is asked only becomes less, as entries settle. The caller holds the mutex.
func (s *Scheduler) Changes() int { return s.changes }

// follow makes the scheduler look whether e is due when the answer that is being taken in
// has been. Without such an answer the next Refresh looks.
func (s *Scheduler) follow(e *Entry) { s.following = append(s.following, e) }

// Panic is the error of a recovered panic.
type Panic struct {
	Value any
	Stack []byte
}

// Error returns the value of the panic, without its stack.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Contain calls f. A panic in it is counted, and returned as a *Panic.
func (s *Scheduler) Contain(f func()) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if s.c.Panics != nil {
			s.c.Panics.Inc()
		}
		err = &Panic{v, debug.Stack()}
	}()
	f()
	return nil
}

// StackOf returns where the panic happened that err wraps, nil when it wraps none.
func StackOf(err error) []byte {
	var p *Panic
	if errors.As(err, &p) {
		return p.Stack
	}
	return nil
}

// set is a set of entries.
type set map[*Entry]struct{}

func (s set) add(e *Entry) { s[e] = struct{}{} }

func (s set) has(e *Entry) bool {
	_, ok := s[e]
	return ok
}
