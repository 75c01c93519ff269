package schedule

import (
	"time"

	"github.com/go-kit/log/level"
)

// Outage identifies an outage: failures with the same Outage have one cause. It is logged
// when it begins and when it ends, however many lookups fail in between.
type Outage struct {
	Class   string  // of the failure
	Code    string  // more precisely, empty when there is nothing more to say
	Subject Subject // of a failure that concerns only it; zero for more than one
}

// outage is an Outage that goes on.
type outage struct {
	Outage
	since    time.Time
	failures int
	entries  int // that fail so now
}

// keyvals returns the subject for a log line.
func (s Subject) keyvals() []any {
	if s.ID == "" {
		return nil
	}
	return []any{s.Label, s.ID}
}

// Report logs what is new in the result of a lookup of e. The scheduler reports by itself
// what it has asked. The caller holds the mutex.
func (s *Scheduler) Report(e *Entry, v Verdict, now time.Time) {
	if s.ctx.Err() != nil {
		return // lookups fail because they are ended
	}
	before := e.outage
	e.outage = s.join(e, v, now)
	if e.outage == before {
		return
	}
	if e.outage != nil {
		e.outage.entries++
	}
	if s.leave(before) && v.Err == nil {
		keyvals := []any{"msg", "recovered", "class", before.Class, "after", now.Sub(before.since).Round(time.Second), "failures", before.failures}
		level.Info(s.c.Logger).Log(append(keyvals, before.Subject.keyvals()...)...)
	}
}

// join returns the outage that a failed lookup of e is a part of, nil for an answer.
func (s *Scheduler) join(e *Entry, v Verdict, now time.Time) *outage {
	if v.Err == nil {
		return nil
	}
	o := s.outages[v.Outage]
	if o == nil {
		o = &outage{Outage: v.Outage, since: now}
		s.outages[v.Outage] = o
		keyvals := append([]any{"msg", "lookup fails"}, e.Subject.keyvals()...)
		keyvals = append(keyvals, "class", v.Outage.Class, "err", v.Err)
		if stack := StackOf(v.Err); stack != nil {
			keyvals = append(keyvals, "stack", string(stack))
		}
		level.Warn(s.c.Logger).Log(keyvals...)
	}
	o.failures++
	return o
}

// leave takes an entry out of an outage, which may be nil, and reports whether that was
// its last.
func (s *Scheduler) leave(o *outage) bool {
	if o == nil {
		return false
	}
	if o.entries--; o.entries > 0 {
		return false
	}
	delete(s.outages, o.Outage)
	return true
}
