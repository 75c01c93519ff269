package lookup

import (
	"container/heap"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
)

// refresh is all lookups that were due at one scrape, those included that an
// earlier scrape had begun.
type refresh struct {
	n        int // refreshes are numbered in their order
	begun    time.Time
	lookups  int           // all of them
	pending  int           // those that have not ended
	answered int           // those that ended with an answer
	done     chan struct{} // closed when pending is 0
}

// refresh queues what is due and returns what a scrape at that time waits for.
func (t *Target) refresh(now time.Time) *refresh {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &refresh{n: t.latest.n + 1, begun: now, done: make(chan struct{})}
	joined := true // whether all that is pending belongs to the latest refresh
	for _, e := range t.entries {
		if e.due(now) {
			e.pending, e.since = true, r.n
			heap.Push(&t.queue, e)
		}
		if e.pending {
			r.lookups++
			joined = joined && e.since < r.n
		}
	}
	if joined && r.lookups > 0 {
		return t.latest
	}
	r.pending, t.latest = r.lookups, r
	if r.pending == 0 {
		t.end(r, now)
		return r
	}
	t.open = append(t.open, r)
	if !t.dispatching {
		t.dispatching = true
		t.running.Go(t.dispatch)
	}
	return r
}

// release takes the pending lookup of e out of the refreshes that wait for it, and
// tells each by count. The caller holds t.mu.
func (t *Target) release(e *entry, now time.Time, count func(*refresh)) {
	t.open = slices.DeleteFunc(t.open, func(r *refresh) bool {
		if r.n < e.since {
			return false
		}
		count(r)
		if r.pending--; r.pending > 0 {
			return false
		}
		t.end(r, now)
		return true
	})
}

// end takes in a refresh whose lookups have all ended. The caller holds t.mu.
func (t *Target) end(r *refresh, now time.Time) {
	close(r.done)
	t.ended, t.duration = true, now.Sub(r.begun)
	if r.lookups > 0 {
		t.up = r.answered > 0
	}
	if r.answered == r.lookups {
		t.lastSuccess = now
	}
}

// blind reports whether everything of r that has ended found Image Builder out of
// reach. The caller holds t.mu.
func (r *refresh) blind() bool { return r.pending < r.lookups && r.answered == 0 }

// dispatch starts the queued lookups, each as soon as the one before has its turn on
// the wire. So the order is decided as late as possible, and the goroutines are
// about as many as the client's limits let work. It ends when nothing is queued.
func (t *Target) dispatch() {
	for {
		err := t.c.Client.Authenticate(t.ctx)
		e := t.next()
		if e == nil {
			return
		}
		if err != nil {
			t.finish(e, nil, err)
			for e := t.next(); e != nil; e = t.next() {
				t.finish(e, nil, err)
			}
			return
		}
		started := make(chan struct{})
		t.running.Go(func() { t.lookup(e, started) })
		<-started
	}
}

// next takes the entry that goes next from the queue. When there is none, the
// dispatcher must end.
func (t *Target) next() *entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.queue) > 0 {
		e := heap.Pop(&t.queue).(*entry)
		e.begun = time.Now()
		if !e.gone {
			return e
		}
		delete(t.leaving, e.id)
	}
	t.dispatching = false
	return nil
}

// lookup looks one execution up. It closes started once it has its turn, or no
// longer needs one.
func (t *Target) lookup(e *entry, started chan struct{}) {
	turn := false
	v, err := t.get(e.id, func() {
		t.mu.Lock()
		e.begun = time.Now()
		t.mu.Unlock()
		turn = true
		close(started)
	})
	t.finish(e, v, err)
	if !turn {
		close(started)
	}
}

// get asks the client. A panic below it is a failure of this lookup alone.
func (t *Target) get(id string, started func()) (v *imagebuilder.Execution, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	e, err := t.c.Client.GetWorkflowExecution(t.ctx, id, started)
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// finish takes in the result of a lookup.
func (t *Target) finish(e *entry, v *imagebuilder.Execution, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.pending = false
	if e.gone {
		delete(t.leaving, e.id)
		return
	}
	now := time.Now()
	class := imagebuilder.Class("")
	if err == nil {
		e.succeed(v, now, t.c.MinInterval)
	} else {
		class = imagebuilder.ClassOf(err)
		e.fail(class, t.c.MinInterval)
	}
	t.report(e, err, now)
	answered := class != imagebuilder.Denied && class != imagebuilder.Unavailable
	if answered {
		t.up = true
	}
	t.release(e, now, func(r *refresh) {
		if answered {
			r.answered++
		}
	})
}

// queue is a heap of entries, ordered by when they were looked up last.
type queue []*entry

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Less implements heap.Interface. What was never looked up has no time and comes first.
func (q queue) Less(i, j int) bool {
	if !q[i].begun.Equal(q[j].begun) {
		return q[i].begun.Before(q[j].begun)
	}
	return q[i].id < q[j].id
}

// Push implements heap.Interface.
func (q *queue) Push(e any) { *q = append(*q, e.(*entry)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	old := *q
	last := len(old) - 1
	e := old[last]
	old[last] = nil
	*q = old[:last]
	return e
}
