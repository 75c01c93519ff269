package lookup

import (
	"container/heap"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

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
		err := t.authenticate()
		e, q := t.next(l)
		if e == nil {
			return
		}
		if err != nil {
			for ; e != nil; e, _ = t.next(l) {
				t.finish(e, nil, err, false)
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
	answer, err := t.get(e.subject, q, func() {
		t.mu.Lock()
		e.begun = time.Now()
		t.mu.Unlock()
		turn = true
		close(started)
	})
	t.finish(e, answer, err, true)
	if !turn {
		close(started)
	}
}

// authenticate makes sure that there are credentials. A panic below it is a failure to
// get them.
func (t *Target) authenticate() (err error) {
	if p := t.contain("Authenticate", imagebuilder.Denied, func() { err = t.c.Client.Authenticate(t.ctx) }); p != nil {
		return p
	}
	return err
}

// get asks the client. A panic below it is a failure of this lookup alone.
func (t *Target) get(s subject, q question, started func()) (answer any, err error) {
	if p := t.contain(s.operation, imagebuilder.Invalid, func() { answer, err = q.ask(t.ctx, t.c.Client, started) }); p != nil {
		return nil, p
	}
	return answer, err
}

// finish takes in the result of a lookup, or the failure to begin it, which is not its
// own.
func (t *Target) finish(e *entry, answer any, err error, own bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.pending = false
	if e.gone {
		delete(t.leaving, e.subject)
		return
	}
	now := time.Now()
	if p := t.contain(e.operation, imagebuilder.Invalid, func() { t.takeIn(e, answer, err, own, now) }); p != nil {
		err = p
		e.known, e.settled, t.listed = false, false, nil // what is known may be half an answer
		e.fail(imagebuilder.Invalid, own, now)
	}
	if !e.gone {
		t.report(e, err, now)
	}
	t.continueWith(e.since, now)
	answered := err == nil || e.failure != imagebuilder.Denied && e.failure != imagebuilder.Unavailable
	if answered && !e.optional {
		t.up = true
	}
	spared := own && !answered && t.siblingAnswers(e, now)
	t.release(e, now, func(r *refresh) {
		switch {
		case e.optional:
		case answered:
			r.answered++
		default:
			r.failed++
			if spared {
				r.spared++
			}
		}
	})
}

// takeIn takes in what finish was called with, and what follows from it for the selection.
func (t *Target) takeIn(e *entry, answer any, err error, own bool, now time.Time) {
	if err == nil {
		e.succeed(now)
		e.take(t, e, answer, now)
	} else {
		class := imagebuilder.ClassOf(err)
		e.fail(class, own, now)
		e.reason = err.Error()
		if class == imagebuilder.NotFound {
			e.forget(t, e)
		}
	}
	if e.lane.discovery && !e.optional {
		t.reselect(now)
		t.readWhole()
	}
}

// siblingAnswers reports whether the same question about something else was answered and
// is not due again, or is being asked, so that the failure of a part of a discovery is
// nothing that the whole target suffers.
func (t *Target) siblingAnswers(e *entry, now time.Time) bool {
	if !e.lane.discovery {
		return false
	}
	for s, other := range t.sources {
		if s.operation == e.operation && other != e && other.lookedUp && other.failure == "" && (other.pending || now.Before(other.dueAt)) {
			return true
		}
	}
	return false
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
