package lookup

import (
	"container/heap"
	"context"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
)

// refresh is all lookups that were due at one scrape, those included that an
// earlier scrape had begun.
type refresh struct {
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
	queued := t.pending
	for _, e := range t.entries {
		if e.due(now) {
			e.pending = true
			t.pending++
			heap.Push(&t.queue, e)
		}
	}
	if t.pending == queued && queued > 0 {
		return t.latest // whatever is pending was so when the latest began
	}
	r := &refresh{begun: now, done: make(chan struct{})}
	t.latest = r
	for _, e := range t.entries {
		if e.pending {
			e.refreshes = append(e.refreshes, r)
			r.pending++
		}
	}
	r.lookups = r.pending
	if r.pending == 0 {
		t.end(r, now)
		return r
	}
	if !t.dispatching {
		t.dispatching = true
		t.running.Go(t.dispatch)
	}
	return r
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

// dispatch starts the queued lookups, each as soon as the one before has its turn on
// the wire. So the order is decided as late as possible, and the goroutines are
// about as many as the client's limits let work. It ends when nothing is queued.
func (t *Target) dispatch() {
	for {
		err := t.Client.Authenticate(t.ctx)
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
		t.release(e, true, e.begun)
	}
	t.dispatching = false
	return nil
}

// lookup looks one execution up. It closes started once it has its turn, or no
// longer needs one.
func (t *Target) lookup(e *entry, started chan struct{}) {
	turn := false
	ctx := imagebuilder.WithStarted(t.ctx, func() {
		t.mu.Lock()
		e.begun = time.Now()
		t.mu.Unlock()
		turn = true
		close(started)
	})
	v, err := t.get(ctx, e.id)
	t.finish(e, v, err)
	if !turn {
		close(started)
	}
}

func (t *Target) get(ctx context.Context, id string) (*imagebuilder.Execution, error) {
	v, err := t.Client.GetWorkflowExecution(ctx, id)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// finish takes in the result of a lookup.
func (t *Target) finish(e *entry, v *imagebuilder.Execution, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if e.gone {
		t.release(e, true, now)
		return
	}
	class := imagebuilder.Class("")
	if err == nil {
		e.succeed(v, now, t.MinInterval)
	} else {
		class = imagebuilder.ClassOf(err)
		e.fail(class, t.MinInterval)
	}
	t.report(e, class, err, now)
	answered := class != imagebuilder.Denied && class != imagebuilder.Unavailable
	if answered {
		t.up = true
	}
	t.release(e, answered, now)
}

// release tells the refreshes that wait for e that its lookup has ended. The caller
// holds t.mu.
func (t *Target) release(e *entry, answered bool, now time.Time) {
	e.pending = false
	t.pending--
	if e.gone {
		delete(t.leaving, e.id)
	}
	for _, r := range e.refreshes {
		r.pending--
		if answered {
			r.answered++
		}
		if r.pending == 0 {
			t.end(r, now)
		}
	}
	e.refreshes = nil
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
