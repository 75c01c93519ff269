package lookup

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// execution is one execution with what was read about it last.
type execution struct {
	value   *imagebuilder.Execution // never changed, only replaced
	readAt  time.Time               // when it was read
	finalAt time.Time               // when a final status was first seen, zero for not
	settled bool                    // value can never change again
	dropped bool                    // left out by MaxExecutions
}

// read takes in what was read about an execution.
func (x *execution) read(v *imagebuilder.Execution, now time.Time) {
	x.value, x.readAt = v, now
	if v.Status.Final() {
		if x.finalAt.IsZero() {
			x.finalAt = now
		}
		x.settled = !v.End.IsZero() || now.Sub(x.finalAt) >= settleAfter
	}
}

// configured asks about an execution that was selected by its id.
type configured struct {
	remembers
	id string
	execution
}

func (q *configured) ask(ctx context.Context, c Client, started func()) (any, error) {
	v, err := c.GetWorkflowExecution(ctx, q.id, started)
	return &v, err
}

func (q *configured) take(t *Target, e *entry, answer any, now time.Time) {
	q.read(answer.(*imagebuilder.Execution), now)
	e.settled = q.settled
	t.followSteps(q.value, e.interval, now)
	t.mayWait(q.value, nil)
}

// followed is one execution of a Target, however it was selected.
type followed struct {
	id string
	*execution
	entry *entry // whose answers it is read from
	build *build // that it was found through, nil when it was selected by its id
}

// list returns all executions that are selected, in the order of their ids, each once.
// It is computed anew when the selection has changed. The caller holds t.mu.
func (t *Target) list() []followed {
	if t.listed != nil {
		return t.listed
	}
	t.cut(time.Now())
	t.listed = make([]followed, 0, len(t.configured))
	known := make(map[string]bool, len(t.configured))
	for id, e := range t.configured {
		known[id] = true
		t.listed = append(t.listed, followed{id: id, execution: &e.question.(*configured).execution, entry: e})
	}
	for _, b := range t.buildsInOrder() {
		for _, x := range b.executions {
			if id := x.value.ID; !x.dropped && !known[id] {
				known[id] = true
				t.listed = append(t.listed, followed{id: id, execution: x, entry: b.entry, build: b})
			}
		}
	}
	slices.SortFunc(t.listed, func(a, b followed) int { return cmp.Compare(a.id, b.id) })
	return t.listed
}

// publishable reports whether what was read about the execution is true enough.
func (f *followed) publishable(now time.Time, maxStaleness time.Duration) bool {
	return f.value != nil && (f.settled || f.entry.publishable(now, maxStaleness))
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
	if pipeline := t.made[f.value.ImageBuildVersionARN]; pipeline != "" {
		return t.pipelineName(pipeline, "")
	}
	return ""
}
