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
// earlier scrape had begun, and those that follow from their answers.
type refresh struct {
	n        int // refreshes are numbered in their order
	begun    time.Time
	lookups  int // all of them that are not optional
	answered int // those of lookups that ended with an answer
	failed   int // those of lookups that ended without

	pending  int           // those that have not ended, optional ones too
	beside   int           // those of pending that belong to discovery
	lookedUp chan struct{} // closed when nothing is pending but discovery, for the first time
	done     chan struct{} // closed when pending is 0
}

// refresh queues what is due and returns what a scrape at that time waits for.
func (t *Target) refresh(now time.Time) *refresh {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.sources) > 0 || t.pipelines != nil {
		t.reselect(now) // what has become too old goes
	}
	t.pauseWaiting()
	r := &refresh{n: t.latest.n + 1, begun: now, done: make(chan struct{}), lookedUp: make(chan struct{})}
	joined := true // whether all that is pending belongs to the latest refresh
	for _, e := range t.entries {
		if e.due(now) {
			t.enqueue(e, r.n)
		}
		if e.pending {
			r.count(e, 1)
			joined = joined && e.since < r.n
		}
	}
	t.born = nil
	if joined && r.pending > 0 {
		return t.latest
	}
	t.latest = r
	t.open = append(t.open, r)
	t.settle(now)
	return r
}

// count takes in n more pending lookups of e.
func (r *refresh) count(e *entry, n int) {
	if !e.optional {
		r.lookups += n
	}
	r.pending += n
	if e.lane.discovery {
		r.beside += n
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
				r.count(e, 1)
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
	if r.lookups > 0 {
		t.up = r.answered > 0
	}
	if r.answered == r.lookups {
		t.lastSuccess = now
	}
}

// blind reports whether everything of r that has ended found Image Builder out of
// reach. The caller holds t.mu.
func (r *refresh) blind() bool { return r.failed > 0 && r.answered == 0 }

// lane is what is asked one after the other, in the order of urgency. The lookups of
// executions and discovery have each their own, so that neither holds up the other.
type lane struct {
	discovery   bool
	queue       queue // due, and waiting for their turn
	dispatching bool  // whether the dispatcher runs
}

// dispatch starts the queued lookups of a lane, each as soon as the one before has its
// turn on the wire. So the order is decided as late as possible, and the goroutines are
// about as many as the client's limits let work. It ends when nothing is queued.
func (t *Target) dispatch(l *lane) {
	for {
		err := t.c.Client.Authenticate(t.ctx)
		e, q := t.next(l)
		if e == nil {
			return
		}
		if err != nil {
			for ; e != nil; e, _ = t.next(l) {
				t.finish(e, nil, err)
			}
			return
		}
		started := make(chan struct{})
		t.running.Go(func() { t.lookup(e, q, started) })
		<-started
	}
}

// next takes the entry that goes next from the queue of a lane. When there is none, the
// dispatcher must end.
func (t *Target) next(l *lane) (*entry, question) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(l.queue) > 0 {
		e := heap.Pop(&l.queue).(*entry)
		e.begun = time.Now()
		if !e.gone {
			return e, e.question
		}
		delete(t.leaving, e.subject)
		e.pending = false
	}
	l.dispatching = false
	return nil, nil
}

// lookup asks one question. It closes started once it has its turn, or no longer needs
// one.
func (t *Target) lookup(e *entry, q question, started chan struct{}) {
	turn := false
	answer, err := t.get(q, func() {
		t.mu.Lock()
		e.begun = time.Now()
		t.mu.Unlock()
		turn = true
		close(started)
	})
	t.finish(e, answer, err)
	if !turn {
		close(started)
	}
}

// get asks the client. A panic below it is a failure of this lookup alone.
func (t *Target) get(q question, started func()) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return q.ask(t.ctx, t.c.Client, started)
}

// finish takes in the result of a lookup.
func (t *Target) finish(e *entry, answer any, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.pending = false
	if e.gone {
		delete(t.leaving, e.subject)
		return
	}
	now := time.Now()
	class := imagebuilder.Class("")
	if err == nil {
		e.succeed(now)
		e.take(t, e, answer, now)
	} else {
		class = imagebuilder.ClassOf(err)
		e.fail(class, now)
		if b, ok := e.question.(*build); ok && class == imagebuilder.NotFound {
			b.forgotten(e)
		}
	}
	t.report(e, err, now)
	if e.lane.discovery && !e.optional {
		t.reselect(now)
		t.readWhole()
	}
	t.continueWith(e.since, now)
	answered := class != imagebuilder.Denied && class != imagebuilder.Unavailable
	if answered && !e.optional {
		t.up = true
	}
	t.release(e, now, func(r *refresh) {
		switch {
		case e.optional:
		case answered:
			r.answered++
		default:
			r.failed++
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
	return q[i].id < q[j].id || q[i].id == q[j].id && q[i].operation < q[j].operation
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
