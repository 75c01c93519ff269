package lookup

import (
	"context"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// settleAfter is how long a final status without a usable end is looked up again, counted
// from when it was first seen. The answer after that settles it.
const settleAfter = 5 * time.Minute

// execution is one execution with what was read about it last.
type execution struct {
	value   *imagebuilder.Execution // never changed, only replaced; nil for nothing
	readAt  time.Time               // when it was read
	finalAt time.Time               // when a final status was first seen, zero for not
	settled bool                    // value can never change again
	retried bool                    // its workflow has completed in a later attempt
	dropped bool                    // left out by MaxExecutions
}

// read takes in what was read about an execution, and reports whether it says something else
// about its attempt than before: what others are superseded by, and max_executions counts.
func (x *execution) read(v *imagebuilder.Execution, now time.Time) (changed bool) {
	changed = x.value == nil || !sameAttempt(x.value, v)
	x.value, x.readAt = v, now
	if v.Status.Final() {
		if x.finalAt.IsZero() {
			x.finalAt = now
		}
		x.settled = !v.End.IsZero() || now.Sub(x.finalAt) >= settleAfter
	}
	return changed
}

// configured asks about an execution that was selected by its id.
type configured struct {
	question
	execution *execution
}

func newConfigured(t *Target, id string) *configured {
	return &configured{question: newQuestion(t, imagebuilder.GetWorkflowExecution, id), execution: &execution{}}
}

// Ask implements schedule.Question.
func (c *configured) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	v, err := c.target.c.Client.GetWorkflowExecution(ctx, c.Subject.ID, started)
	return func(now time.Time) { c.take(&v, now) }, err
}

func (c *configured) take(v *imagebuilder.Execution, now time.Time) {
	if c.execution.read(v, now) {
		c.target.derived.supersededOutdated = true
	}
	if c.execution.settled {
		c.Settle()
	}
	c.target.followSteps(v, 0, now)
	c.target.mayWait(v, nil)
}

// followed is one execution of a Target, however it was selected.
type followed struct {
	*execution
	id       string
	question *question // whose answers it is read from
	build    *build    // that it was found through, nil when it was selected by its id

	superseded Fact
	place
}

// publishable reports whether what was read about the execution is true enough.
func (f *followed) publishable(now time.Time) bool {
	return f.value != nil && (f.settled || f.question.Fresh(now))
}

// pipelineOf returns the name of the pipeline that made the image, when it is known.
func (t *Target) pipelineOf(f *followed) string {
	switch {
	case f.build != nil:
		return f.build.pipeline
	case f.value == nil:
		return ""
	}
	if b := t.builds[f.value.ImageBuildVersionARN]; b != nil {
		return b.pipeline
	}
	if made, ok := t.made[f.value.ImageBuildVersionARN]; ok {
		return t.pipelineName(made.pipelineARN, "")
	}
	return ""
}
