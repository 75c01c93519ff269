package lookup

import (
	"errors"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
)

// outage is a time in which lookups fail in one way. It is logged when it begins and
// when it ends, however many lookups fail in between.
type outage struct {
	key        outageKey
	since      time.Time
	failures   int
	executions int // that fail so now
}

// outageKey tells outages apart: a failure that concerns one execution has its id,
// one that the whole target suffers has none.
type outageKey struct {
	class imagebuilder.Class
	code  string
	id    string
}

func newOutageKey(id string, err error) outageKey {
	key := outageKey{class: imagebuilder.ClassOf(err)}
	var e *imagebuilder.Error
	if errors.As(err, &e) {
		key.code = e.Code
	}
	switch key.class {
	case imagebuilder.NotFound, imagebuilder.BadRequest, imagebuilder.Invalid:
		key.id = id
	}
	return key
}

// report logs what is new in the result of a lookup of e. The caller holds t.mu.
func (t *Target) report(e *entry, err error, now time.Time) {
	if t.ctx.Err() != nil {
		return // the Target is being closed
	}
	before := e.outage
	e.outage = t.fails(e.id, err, now)
	if e.outage == before {
		return
	}
	if e.outage != nil {
		e.outage.executions++
	}
	if t.leave(before) && err == nil {
		keyvals := []any{"msg", "recovered", "class", before.key.class, "after", now.Sub(before.since).Round(time.Second), "failures", before.failures}
		if before.key.id != "" {
			keyvals = append(keyvals, "workflow_execution_id", before.key.id)
		}
		level.Info(t.logger()).Log(keyvals...)
	}
}

// fails returns the outage that a failed lookup is a part of, nil for a success.
func (t *Target) fails(id string, err error, now time.Time) *outage {
	if err == nil {
		return nil
	}
	key := newOutageKey(id, err)
	o := t.outages[key]
	if o == nil {
		o = &outage{key: key, since: now}
		t.outages[key] = o
		level.Warn(t.logger()).Log("msg", "lookup fails", "workflow_execution_id", id, "class", key.class, "err", err)
	}
	o.failures++
	return o
}

// leave takes an execution out of an outage, which may be nil, and reports whether
// that was its last. The caller holds t.mu.
func (t *Target) leave(o *outage) bool {
	if o == nil {
		return false
	}
	if o.executions--; o.executions > 0 {
		return false
	}
	delete(t.outages, o.key)
	return true
}

func (t *Target) logger() log.Logger {
	return log.With(t.c.Logger, "target", t.c.Name, "region", t.c.Region)
}
