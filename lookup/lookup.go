// Package lookup decides what to ask Image Builder and when, and remembers the
// answers, so that a scrape is never late, costs little, and says how true it is.
//
// The rules, for one target in one region:
//
//   - The scrape drives everything: without scrapes nothing is asked.
//   - An execution is due when its last lookup began min_interval ago. One that is
//     settled, because it has ended and says when, is never due again.
//   - All scrapes share one lookup of an execution. A scrape waits for what is due
//     until its own deadline; the lookup goes on, and the next scrape has its result.
//   - While lookups fail the last known values are published, but not longer than
//     max_staleness after they were due again, and never after "not found".
//   - When more is due than the limits let through, whoever was not seen for the
//     longest time goes first.
//
// How to ask, and how hard the API may be pressed, is the business of package
// imagebuilder.
package lookup

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
)

// Client is what a Target asks. Its errors have the classes of package imagebuilder.
type Client interface {
	Authenticate(ctx context.Context) error
	// GetWorkflowExecution calls started when the request gets its turn on the wire.
	GetWorkflowExecution(ctx context.Context, id string, started func()) (imagebuilder.Execution, error)
}

var _ Client = (*imagebuilder.Client)(nil)

// Config says what a Target looks up. Every field is required.
type Config struct {
	Name, Region       string   // the labels "target" and "region"
	WorkflowExecutions []string // ids in lower case, each once

	MinInterval  time.Duration // above 0
	MaxStaleness time.Duration // at least 0

	Client Client
	Logger log.Logger
}

// Target looks up the executions of one target in one region and knows the answers.
// Its methods may be called concurrently. Its memory is bounded by what is
// configured.
type Target struct {
	c       Config
	ctx     context.Context // that of all lookups
	cancel  context.CancelFunc
	running sync.WaitGroup // the dispatcher and the lookups

	mu          sync.Mutex
	entries     []*entry          // in the order of their ids
	leaving     map[string]*entry // by id: no longer selected, but queued or in flight
	queue       queue             // due, and waiting for their turn
	dispatching bool              // whether the dispatcher runs
	latest      *refresh          // the refresh that began last
	open        []*refresh        // the refreshes that have not ended
	outages     map[outageKey]*outage

	up          bool
	ended       bool          // whether a refresh has ended
	duration    time.Duration // of the refresh that ended last
	lastSuccess time.Time     // zero for never
}

// New returns a Target that has not looked anything up. Close ends it.
func New(c Config) *Target {
	t := &Target{c: c, latest: &refresh{}, leaving: map[string]*entry{}, outages: map[outageKey]*outage{}}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.Select(c.WorkflowExecutions)
	return t
}

// Select replaces the executions that are looked up: ids in lower case, each once.
// What is known of those that stay survives. Those that go are forgotten, and no
// scrape waits for them any longer.
func (t *Target) Select(ids []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := maps.Clone(t.leaving)
	for _, e := range t.entries {
		known[e.id] = e
	}
	t.entries = make([]*entry, 0, len(ids))
	for _, id := range ids {
		e := known[id]
		if e == nil {
			e = &entry{id: id}
		}
		if e.gone { // and back before its lookup has ended
			e.gone, e.since = false, t.latest.n+1
		}
		delete(known, id)
		delete(t.leaving, id)
		t.entries = append(t.entries, e)
	}
	slices.SortFunc(t.entries, func(a, b *entry) int { return cmp.Compare(a.id, b.id) })
	for _, e := range known {
		if !e.gone {
			t.dismiss(e)
		}
	}
}

// dismiss forgets an entry that is no longer selected. The caller holds t.mu.
func (t *Target) dismiss(e *entry) {
	t.leave(e.outage)
	if e.pending {
		t.release(e, time.Now(), func(r *refresh) { r.lookups-- })
		t.leaving[e.id] = e
	}
	e.gone, e.knowledge = true, knowledge{}
}

// Close ends all lookups and waits until they have ended. The Target must not be
// used after it.
func (t *Target) Close() {
	t.cancel()
	t.running.Wait()
}

// Lookup looks up what is due, waits for it until ctx ends, and returns what is
// known then.
func (t *Target) Lookup(ctx context.Context) Snapshot {
	r := t.refresh(time.Now())
	select {
	case <-r.done:
	case <-ctx.Done():
	}
	s := t.snapshot(time.Now())
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Up = s.Up && !r.blind()
	return s
}

// Snapshot is what a Target knows at one moment.
type Snapshot struct {
	Name, Region string
	Time         time.Time // the moment

	// Up is false when the last refresh found Image Builder out of reach, or the one
	// that the scrape has waited for did so far, and before the first answer.
	Up bool
	// RefreshEnded tells whether a refresh has ended; RefreshDuration is how long the
	// last one took.
	RefreshEnded    bool
	RefreshDuration time.Duration
	// LastSuccess is when a refresh last ended with every lookup answered; zero for
	// never.
	LastSuccess time.Time

	Executions []Execution // all that are selected, in the order of their ids
}

// Execution is what is known about one selected execution.
type Execution struct {
	ID string
	// Value is what is to be published, nil for nothing. It is shared and must not
	// be changed; while the pointer stays the same, so does what it points to.
	Value *imagebuilder.Execution
	// ReadAt is when Value was read.
	ReadAt time.Time
	// LookedUp tells whether a lookup has ended.
	LookedUp bool
	// Failure is why the last lookup that ended has failed; empty when it succeeded.
	Failure imagebuilder.Class
}

func (t *Target) snapshot(now time.Time) Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Snapshot{
		Name: t.c.Name, Region: t.c.Region, Time: now,
		Up: t.up, RefreshEnded: t.ended, RefreshDuration: t.duration, LastSuccess: t.lastSuccess,
		Executions: make([]Execution, len(t.entries)),
	}
	for i, e := range t.entries {
		s.Executions[i] = Execution{ID: e.id, LookedUp: e.lookedUp, Failure: e.failure}
		if e.publishable(now, t.c.MaxStaleness) {
			s.Executions[i].Value, s.Executions[i].ReadAt = e.value, e.readAt
		}
	}
	return s
}
