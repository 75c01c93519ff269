package schedule

import (
	"container/heap"
	"time"
)

// lane is what is asked one after the other, in the order of urgency.
type lane struct {
	queue       queue // due, and waiting for their turn
	pending     set   // queued or in flight
	dispatching bool  // whether the dispatcher runs
}

// enqueue queues e. While the same subject is still being asked for an entry that was
// removed, e waits for that.
func (s *Scheduler) enqueue(e *Entry) {
	e.state = queued
	s.lanes[e.Lane].pending.add(e)
	if before := s.leaving[e.Subject]; before != nil {
		before.waiting = e
		return
	}
	s.push(e)
}

// push puts e into the queue of its lane, and makes sure that somebody serves it.
func (s *Scheduler) push(e *Entry) {
	l := &s.lanes[e.Lane]
	heap.Push(&l.queue, e)
	if !l.dispatching {
		l.dispatching = true
		s.running.Go(func() { s.dispatch(l) })
	}
}

// dispatch starts the queued lookups of a lane, each as soon as the one before has its
// turn on the wire. So the order is decided as late as possible, and the goroutines are
// about as many as may ask at a time. It ends when nothing is queued.
func (s *Scheduler) dispatch(l *lane) {
	for {
		var err error
		if s.c.Before != nil {
			err = s.c.Before(s.ctx)
		}
		e := s.next(l)
		if e == nil {
			return
		}
		if err != nil {
			for ; e != nil; e = s.next(l) {
				s.finish(e, nil, err, false)
			}
			return
		}
		started := make(chan struct{})
		s.running.Go(func() { s.lookup(e, started) })
		<-started
	}
}

// next takes the entry that goes next from the queue of a lane. When there is none, the
// dispatcher must end.
func (s *Scheduler) next(l *lane) *Entry {
	s.c.Mutex.Lock()
	defer s.c.Mutex.Unlock()
	for len(l.queue) > 0 {
		e := heap.Pop(&l.queue).(*Entry)
		if e.removed {
			continue
		}
		e.state = inFlight
		e.begin(time.Now())
		return e
	}
	l.dispatching = false
	return nil
}

// lookup asks one question. It closes started once it has its turn, or no longer needs
// one.
func (s *Scheduler) lookup(e *Entry, started chan struct{}) {
	turn := false
	var take func(time.Time)
	var err error
	if p := s.Contain(func() {
		take, err = e.question.Ask(s.ctx, func() {
			s.c.Mutex.Lock()
			e.begin(time.Now())
			s.c.Mutex.Unlock()
			turn = true
			close(started)
		})
	}); p != nil {
		err = p
	}
	s.finish(e, take, err, true)
	if !turn {
		close(started)
	}
}

// finish takes in what a lookup has brought, or that it could not begin.
func (s *Scheduler) finish(e *Entry, take func(time.Time), err error, began bool) {
	s.c.Mutex.Lock()
	defer s.c.Mutex.Unlock()
	e.state = idle
	if e.removed {
		delete(s.leaving, e.Subject)
		if e.waiting != nil && !e.waiting.removed {
			s.push(e.waiting)
		}
		return
	}
	now := time.Now()
	s.following = nil // that came of something else, which the next Refresh asks
	v := s.takeIn(e, take, err, began, now)
	if !e.removed {
		s.Report(e, v, now)
	}
	s.enqueueFollowing(s.release(e, v), now)
	if s.end(now) && s.c.Ended != nil {
		_ = s.Contain(func() { s.c.Ended(now) }) // what it has not computed, the next one computes
	}
}

// takeIn takes in an answer or a failure. A panic meanwhile is a failure, too, and then
// what is known may be half an answer.
func (s *Scheduler) takeIn(e *Entry, take func(time.Time), err error, began bool, now time.Time) Verdict {
	v := Verdict{Answered: true}
	p := s.Contain(func() {
		if err == nil {
			e.succeed(now)
			take(now)
			return
		}
		v = e.question.Judge(err, now)
		e.fail(v.Outcome, began, now)
		e.question.Failed(now)
	})
	if p == nil {
		return v
	}
	e.HasAnswer = false
	e.Unsettle()
	v = e.question.Judge(p, now)
	e.fail(v.Outcome, true, now)
	return v
}

// queue is a heap of entries, ordered by their priority and by when they were asked last. Each
// knows its place.
type queue []*Entry

func (q queue) Len() int { return len(q) }

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Less implements heap.Interface. What was never asked has no time and goes first.
func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	if a.priority != b.priority {
		return a.priority > b.priority
	}
	if !a.Begun.Equal(b.Begun) {
		return a.Begun.Before(b.Begun)
	}
	return a.Subject.ID < b.Subject.ID || a.Subject.ID == b.Subject.ID && a.Subject.Kind < b.Subject.Kind
}

// Push implements heap.Interface.
func (q *queue) Push(e any) {
	e.(*Entry).place = len(*q)
	*q = append(*q, e.(*Entry))
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	old := *q
	last := len(old) - 1
	e := old[last]
	old[last] = nil
	*q = old[:last]
	return e
}
