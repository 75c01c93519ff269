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
	question
	endedAt   time.Time // when the execution was seen to have ended, zero for not
	published bool      // whether the execution is; for pauseSteps
	steps     []imagebuilder.Step
}

// Ask implements schedule.Question.
func (l *stepList) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	steps, err := l.target.c.Client.ListWorkflowStepExecutions(ctx, l.Subject.ID, started)
	return func(time.Time) {
		l.steps = steps
		l.settle()
	}, err
}

// settle settles the steps when they were read after the execution had ended, and asks
// for them once more when they were read before.
func (l *stepList) settle() {
	switch {
	case l.endedAt.IsZero() || l.Settled || l.Failing:
	case l.HasAnswer && !l.Begun.Before(l.endedAt):
		l.Settle()
	default:
		l.AskNow()
	}
}

// Failed implements schedule.Question: an execution that has ended may have been
// forgotten.
func (l *stepList) Failed(time.Time) {
	if !l.endedAt.IsZero() && l.Gone >= forgottenAfter {
		l.Settle()
	}
}

// followSteps makes t look up the steps of an execution of which v was read, as often as
// that is, or no longer.
func (t *Target) followSteps(v *imagebuilder.Execution, every time.Duration, now time.Time) {
	if !t.c.Steps.of(v) {
		t.dismissSteps(v.ID)
		return
	}
	l := t.steps[v.ID]
	if l == nil {
		l = &stepList{question: newQuestion(t, imagebuilder.ListWorkflowStepExecutions, v.ID)}
		t.steps[v.ID] = l
		t.schedule.Add(&l.Entry, l)
		t.derived.settled.touch(v.ID)
	}
	l.Every = every
	switch {
	case !v.Status.Final():
		l.endedAt = time.Time{}
		l.Unsettle()
		t.derived.settled.touch(v.ID)
	case l.endedAt.IsZero():
		l.endedAt = now
		l.Gone = 0
		l.settle()
	}
}

func (t *Target) dismissSteps(id string) {
	if l := t.steps[id]; l != nil {
		delete(t.steps, id)
		t.schedule.Remove(&l.Entry)
		t.derived.settled.touch(id)
	}
}

// waitingList asks which steps wait for an approval, while there may be any.
type waitingList struct {
	question
	steps    []imagebuilder.WaitingStep
	timeouts map[string]*stepTimeout // of steps of executions that t follows, by step id
}

// Ask implements schedule.Question.
func (l *waitingList) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	steps, err := l.target.c.Client.ListWaitingWorkflowSteps(ctx, started)
	return func(now time.Time) { l.take(steps, now) }, err
}

func (l *waitingList) take(steps []imagebuilder.WaitingStep, now time.Time) {
	l.steps = steps
	l.target.derive(now) // which executions t follows
	l.selectTimeouts()
}

// selectTimeouts makes t ask when the steps that wait give up, those of the executions that
// it follows. An execution may be found after its step.
func (l *waitingList) selectTimeouts() {
	before := l.timeouts
	l.timeouts = map[string]*stepTimeout{}
	for i := range l.steps {
		id, execution := l.steps[i].ID, l.steps[i].ExecutionID
		timeout := before[id]
		switch {
		case l.target.find(execution) == nil || l.timeouts[id] != nil:
			continue
		case timeout == nil:
			timeout = &stepTimeout{question: newQuestion(l.target, imagebuilder.GetWorkflowStepExecution, id)}
			l.target.schedule.Add(&timeout.Entry, timeout)
		}
		delete(before, id)
		l.timeouts[id] = timeout
		timeout.Paused = l.Paused
	}
	l.dismiss(before)
}

// dismiss ends the asking when steps give up.
func (l *waitingList) dismiss(timeouts map[string]*stepTimeout) {
	for _, timeout := range timeouts {
		l.target.schedule.Remove(&timeout.Entry)
	}
}

// stepTimeout asks once when a step that waits gives up.
type stepTimeout struct {
	question
	at time.Time // zero for not known
}

// Ask implements schedule.Question.
func (s *stepTimeout) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	at, err := s.target.c.Client.GetWorkflowStepExecution(ctx, s.Subject.ID, started)
	return func(time.Time) {
		s.at = at
		s.Settle()
	}, err
}

func (t *Target) selectWaiting() {
	switch {
	case t.c.Waiting && t.waiting == nil:
		t.waiting = &waitingList{question: newQuestion(t, imagebuilder.ListWaitingWorkflowSteps, "")}
		t.schedule.Add(&t.waiting.Entry, t.waiting)
	case !t.c.Waiting && t.waiting != nil:
		t.schedule.Remove(&t.waiting.Entry)
		t.waiting.dismiss(t.waiting.timeouts)
		t.waiting = nil
	}
}

// selectSteps makes t ask for the steps of the executions that it knows, as Steps says.
func (t *Target) selectSteps(now time.Time) {
	for _, c := range t.configured {
		if v := c.execution.value; v != nil {
			t.followSteps(v, 0, now)
		}
	}
	for _, b := range t.builds { // also of those that are not published for now
		for _, x := range b.executions {
			if !x.dropped {
				t.followSteps(x.value, b.Every, now)
			}
		}
	}
}

// mayWait lets t ask for waiting steps when a step of v may wait: v has not ended, and
// neither has the image that is built.
func (t *Target) mayWait(v *imagebuilder.Execution, b *build) {
	if t.waiting != nil && !v.Status.Final() && (b == nil || b.endedAt.IsZero()) {
		t.waiting.Resume()
	}
}

// pauseSteps lets t ask only for the steps of what is published, and for waiting steps
// only while one of these may wait. Of what is settled nothing is asked.
func (t *Target) pauseSteps(now time.Time) {
	if t.waiting == nil && len(t.steps) == 0 {
		return
	}
	for _, l := range t.steps {
		l.published = false
	}
	if t.waiting != nil {
		t.waiting.Paused = true
	}
	for _, f := range t.derived.settled.liveExecutions {
		if !f.publishable(now) {
			continue
		}
		if l := t.steps[f.id]; l != nil {
			l.published = true
		}
		t.mayWait(f.value, f.build)
	}
	for _, l := range t.steps {
		l.Paused = !l.published
	}
	if t.waiting != nil {
		t.waiting.selectTimeouts()
	}
}
