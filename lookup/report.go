package lookup

import (
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
)

// outage is a time in which lookups fail with one class. It is logged when it
// begins and when it ends, however many lookups fail in between.
type outage struct {
	since      time.Time
	failures   int
	executions int // that fail so now
}

// outageKey tells outages apart: a failure that concerns one execution has its id,
// one that the whole target suffers has none.
type outageKey struct {
	class imagebuilder.Class
	id    string
}

func (e *entry) outage(class imagebuilder.Class) outageKey {
	switch class {
	case imagebuilder.Denied, imagebuilder.Throttled, imagebuilder.Unavailable:
		return outageKey{class: class}
	}
	return outageKey{class: class, id: e.id}
}

// report logs what is new in the result of a lookup: class is empty for a success.
// The caller holds t.mu.
func (t *Target) report(e *entry, class imagebuilder.Class, err error, now time.Time) {
	if t.ctx.Err() != nil {
		return // the Target is being closed
	}
	before := e.reported
	e.reported = class
	if class != "" {
		t.fails(e, class, err, now, before != class)
	}
	if before != "" && before != class {
		t.recovers(e, before, now)
	}
}

func (t *Target) fails(e *entry, class imagebuilder.Class, err error, now time.Time, entered bool) {
	key := e.outage(class)
	o := t.outages[key]
	if o == nil {
		o = &outage{since: now}
		t.outages[key] = o
		level.Warn(t.logger()).Log("msg", "lookup fails", "workflow_execution_id", e.id, "class", class, "err", err)
	}
	o.failures++
	if entered {
		o.executions++
	}
}

func (t *Target) recovers(e *entry, class imagebuilder.Class, now time.Time) {
	key := e.outage(class)
	o := t.outages[key]
	if !t.leave(key) {
		return
	}
	keyvals := []any{"msg", "recovered", "class", class, "after", now.Sub(o.since).Round(time.Second), "failures", o.failures}
	if key.id != "" {
		keyvals = append(keyvals, "workflow_execution_id", key.id)
	}
	level.Info(t.logger()).Log(keyvals...)
}

// leave takes an execution out of an outage and reports whether that was the last.
func (t *Target) leave(key outageKey) bool {
	o := t.outages[key]
	if o.executions--; o.executions > 0 {
		return false
	}
	delete(t.outages, key)
	return true
}

// forget takes an execution that is gone out of its outage. The caller holds t.mu.
func (t *Target) forget(e *entry) {
	if e.reported != "" {
		t.leave(e.outage(e.reported))
		e.reported = ""
	}
}

func (t *Target) logger() log.Logger {
	return log.With(t.Logger, "target", t.Name, "region", t.Region)
}
