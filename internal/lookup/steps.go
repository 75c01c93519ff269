package lookup

import (
	"context"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// Steps says for which executions the steps are looked up.
type Steps string

// The values of Steps.
const (
	StepsNone   Steps = "none"
	StepsActive Steps = "active" // that have not ended, or have failed
	StepsAll    Steps = "all"
)

// of reports whether the steps of v are to be looked up.
func (s Steps) of(v *imagebuilder.Execution) bool {
	return s == StepsAll || s == StepsActive && (!v.Status.Final() || v.Status.Failed())
}

// stepList asks about the steps of an execution: as long as it runs, and once when it
// has ended.
type stepList struct {
	id      string
	endedAt time.Time // when the execution was seen to have ended, zero for not
	steps   []imagebuilder.Step
}

func (q *stepList) ask(ctx context.Context, c Client, started func()) (any, error) {
	return c.ListWorkflowStepExecutions(ctx, q.id, started)
}

func (q *stepList) take(t *Target, e *entry, answer any, _ time.Time) {
	q.steps = answer.([]imagebuilder.Step)
	q.pace(t, e)
}

// pace settles the steps when they were read after the execution had ended, and asks
// for them once more when they were read before.
func (q *stepList) pace(t *Target, e *entry) {
	if q.endedAt.IsZero() || e.settled || e.failure != "" {
		return
	}
	if e.known && !e.begun.Before(q.endedAt) {
		e.settled = true
		return
	}
	e.dueAt = time.Time{}
	t.awaken(e)
}

// forget implements question: an execution that has ended may have been forgotten.
func (q *stepList) forget(_ *Target, e *entry) {
	e.settled = !q.endedAt.IsZero() && e.missing >= forgottenAfter
}

// followSteps makes t look up the steps of an execution of which v was read, as often as
// that is, or no longer.
func (t *Target) followSteps(v *imagebuilder.Execution, interval time.Duration, now time.Time) {
	if !t.c.Steps.of(v) {
		t.dismissSteps(v.ID)
		return
	}
	e := t.steps[v.ID]
	if e == nil {
		e = t.addOptional(subject{"ListWorkflowStepExecutions", v.ID}, &stepList{id: v.ID})
		t.steps[v.ID] = e
	}
	e.interval = interval
	q := e.question.(*stepList)
	switch {
	case !v.Status.Final():
		q.endedAt, e.settled = time.Time{}, false
	case q.endedAt.IsZero():
		q.endedAt, e.missing = now, 0
		q.pace(t, e)
	}
}

func (t *Target) dismissSteps(id string) {
	if e := t.steps[id]; e != nil {
		delete(t.steps, id)
		t.dismiss(e)
	}
}

// waitingList asks which steps wait for an approval, while there may be any.
type waitingList struct {
	remembers
	steps []imagebuilder.WaitingStep
}

func (q *waitingList) ask(ctx context.Context, c Client, started func()) (any, error) {
	return c.ListWaitingWorkflowSteps(ctx, started)
}

func (q *waitingList) take(_ *Target, _ *entry, answer any, _ time.Time) {
	q.steps = answer.([]imagebuilder.WaitingStep)
}

// mayWait lets t ask for waiting steps when a step of v, which was just read, may wait: it
// has not ended, and neither has the image that is built.
func (t *Target) mayWait(v *imagebuilder.Execution, b *build) {
	if t.waiting != nil && !v.Status.Final() && (b == nil || b.endedAt.IsZero()) {
		t.waiting.paused = false
		t.awaken(t.waiting)
	}
}

// pauseSteps lets t ask only for the steps of what is published, and for waiting steps
// only while one of these may wait.
func (t *Target) pauseSteps(now time.Time) {
	if t.waiting == nil && len(t.steps) == 0 {
		return
	}
	for _, e := range t.steps {
		e.paused = true
	}
	if t.waiting != nil {
		t.waiting.paused = true
	}
	for _, f := range t.list() {
		if !f.publishable(now, t.c.MaxStaleness) {
			continue
		}
		if e := t.steps[f.id]; e != nil {
			e.paused = false
		}
		t.mayWait(f.value, f.build)
	}
}
