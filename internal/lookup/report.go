package lookup

import (
	"errors"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// outage is a time in which lookups fail in one way. It is logged when it begins and
// when it ends, however many lookups fail in between.
type outage struct {
	key      outageKey
	since    time.Time
	failures int
	entries  int // that fail so now
}

// outageKey tells outages apart: a failure that concerns one subject has its id,
// one that the whole target suffers has none.
type outageKey struct {
	class   imagebuilder.Class
	code    string
	subject subject
}

func newOutageKey(s subject, err error) outageKey {
	key := outageKey{class: imagebuilder.ClassOf(err)}
	var e *imagebuilder.Error
	if errors.As(err, &e) {
		key.code, key.subject.operation = e.Code, e.Operation
	}
	if stackOf(err) != nil { // a bug concerns more than one subject
		key.code = "panic"
		return key
	}
	switch key.class {
	case imagebuilder.NotFound, imagebuilder.BadRequest, imagebuilder.Invalid:
		key.subject = s
	}
	return key
}

// keyvals returns s for a log line, in the API's words.
func (s subject) keyvals() []any {
	if s.id == "" {
		return nil
	}
	return []any{s.operation.Subject(), s.id}
}

// report logs what is new in the result of a lookup of e. The caller holds t.mu.
func (t *Target) report(e *entry, err error, now time.Time) {
	if t.ctx.Err() != nil {
		return // the Target is being closed
	}
	before := e.outage
	e.outage = t.fails(e.subject, err, now)
	if e.outage == before {
		return
	}
	if e.outage != nil {
		e.outage.entries++
	}
	if t.leave(before) && err == nil {
		keyvals := []any{"msg", "recovered", "class", before.key.class, "after", now.Sub(before.since).Round(time.Second), "failures", before.failures}
		level.Info(t.logger()).Log(append(keyvals, before.key.subject.keyvals()...)...)
	}
}

// fails returns the outage that a failed lookup is a part of, nil for a success.
func (t *Target) fails(s subject, err error, now time.Time) *outage {
	if err == nil {
		return nil
	}
	key := newOutageKey(s, err)
	o := t.outages[key]
	if o == nil {
		o = &outage{key: key, since: now}
		t.outages[key] = o
		keyvals := append([]any{"msg", "lookup fails"}, s.keyvals()...)
		keyvals = append(keyvals, "class", key.class, "err", err)
		if stack := stackOf(err); stack != nil {
			keyvals = append(keyvals, "stack", string(stack))
		}
		level.Warn(t.logger()).Log(keyvals...)
	}
	o.failures++
	return o
}

// leave takes an entry out of an outage, which may be nil, and reports whether
// that was its last. The caller holds t.mu.
func (t *Target) leave(o *outage) bool {
	if o == nil {
		return false
	}
	if o.entries--; o.entries > 0 {
		return false
	}
	delete(t.outages, o.key)
	return true
}

// reportCut logs when MaxExecutions begins to leave something out, and when it no longer
// does; before is how much it was.
func (t *Target) reportCut(before int) {
	switch {
	case before == 0 && t.dropped > 0:
		level.Warn(t.logger()).Log("msg", "more executions are found than max_executions allows; the oldest are left out",
			"max_executions", t.c.MaxExecutions, "dropped", t.dropped)
	case before > 0 && t.dropped == 0:
		level.Info(t.logger()).Log("msg", "no executions are left out any more", "max_executions", t.c.MaxExecutions)
	}
}

func (t *Target) logger() log.Logger {
	return log.With(t.c.Logger, "target", t.c.Name, "region", t.c.Region)
}
