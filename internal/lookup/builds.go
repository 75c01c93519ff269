package lookup

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// build asks about the executions of an image build that was found. It is asked until
// the image and all executions have ended, and then no more, until somebody retries
// the image.
type build struct {
	arn      string
	entry    *entry
	image    *imagebuilder.Image // never changed, only replaced by discovery
	reasons  map[bool]string     // of its status, as the kinds of sources told it last; true for GetImage
	pipeline string              // the name of the pipeline that made it, empty when not known
	origin   *entry              // asks which pipeline that is, nil when nothing is to be asked
	foundAt  time.Time           // when it was found
	endedAt  time.Time           // when the image was first seen to have ended, zero for not

	executions []*execution // each with a value
	dropped    bool         // left out by MaxExecutions
}

func (b *build) ask(ctx context.Context, c Client, started func()) (any, error) {
	return c.ListWorkflowExecutions(ctx, b.arn, started)
}

func (b *build) take(t *Target, e *entry, answer any, now time.Time) {
	before := map[string]*execution{}
	for _, x := range b.executions {
		before[x.value.ID] = x
	}
	b.executions = nil
	settled := true
	for _, v := range answer.([]imagebuilder.Execution) {
		x := before[v.ID]
		if x == nil {
			x = &execution{dropped: t.dropped > 0} // until list decides
		}
		delete(before, v.ID)
		x.read(&v, now)
		settled = settled && x.settled
		b.executions = append(b.executions, x)
	}
	for id := range before {
		if t.configured[id] == nil {
			t.dismissSteps(id)
		}
	}
	b.pace(e, settled, now)
	t.listed = nil
	for _, x := range b.executions {
		if !x.dropped {
			t.followSteps(x.value, e.interval, now)
			t.mayWait(x.value, b)
		}
	}
}

// pace decides when e, which has just got an answer, is asked again. What is left behind
// by an image that has ended may never end itself, and so may an image in a state that is
// not known: both are asked for ever more rarely.
func (b *build) pace(e *entry, settled bool, now time.Time) {
	switch {
	case !b.image.Status.Known():
		e.again(b.slower(e, now.Sub(b.foundAt)))
	case b.endedAt.IsZero() || e.begun.Before(b.endedAt):
		e.again(e.retry)
	case settled:
		e.settled = true
	default:
		e.again(b.slower(e, now.Sub(b.endedAt)))
	}
}

// slower returns an interval that grows with time.
func (b *build) slower(e *entry, after time.Duration) time.Duration {
	return max(e.retry, min(after/10, maxBackoff))
}

// forget implements question. When the image has ended there will be no executions any
// more; those that had ended stay what they are.
func (b *build) forget(t *Target, e *entry) {
	if b.endedAt.IsZero() || e.missing < forgottenAfter {
		return
	}
	e.settled = true
	b.executions = slices.DeleteFunc(b.executions, func(x *execution) bool {
		if !x.settled && t.configured[x.value.ID] == nil {
			t.dismissSteps(x.value.ID)
		}
		return !x.settled
	})
	t.listed = nil
}

// update takes in what discovery has read about the image.
func (b *build) update(t *Target, w *want, now time.Time) {
	before, image := b.image.Status, w.image
	reason, comparable := b.reasons[w.source.isGetImage()]
	retried := retried(before, image.Status, comparable && reason != image.Reason)
	if retried {
		clear(b.reasons)
	}
	b.image, b.reasons[w.source.isGetImage()] = image, image.Reason
	switch {
	case !image.Status.Ended():
		b.endedAt = time.Time{}
	case b.endedAt.IsZero() || retried:
		b.endedAt = now
	}
	b.entry.patient = !b.endedAt.IsZero()
	if retried || before != image.Status && (b.entry.failure != "" || !before.Known()) {
		b.entry.settled, b.entry.misses, b.entry.missing, b.entry.dueAt = false, 0, 0, time.Time{}
		t.awaken(b.entry)
	}
}

// retried reports whether somebody has retried an image between two looks at its status.
// RetryImage keeps the ARN and makes new executions. It is seen when the image leaves
// its end, also for another one, or fails for another reason.
func retried(before, now imagebuilder.ImageStatus, otherReason bool) bool {
	if !now.Ended() {
		return before.Ended()
	}
	failed := before == imagebuilder.ImageFailed || before == imagebuilder.ImageCancelled
	return failed && (before != now || otherReason)
}

// follow makes t follow the builds of wanted, and no others.
func (t *Target) follow(wanted map[string]*want, now time.Time) {
	t.listed = nil
	for arn, b := range t.builds {
		if wanted[arn] == nil {
			t.dismissBuild(b)
		}
	}
	for arn, w := range wanted {
		b := t.builds[arn]
		if b == nil {
			b = &build{arn: arn, image: w.image, reasons: map[bool]string{}, foundAt: now}
			b.entry = t.add(subject{"ListWorkflowExecutions", arn}, b)
			t.builds[arn] = b
		}
		if b.entry.paused && w.fresh {
			t.awaken(b.entry)
		}
		b.entry.paused = !w.fresh
		b.update(t, w, now)
		t.followOrigin(b, w)
	}
}

func (t *Target) dismissBuild(b *build) {
	delete(t.builds, b.arn)
	t.dismiss(b.entry)
	if b.origin != nil {
		t.dismiss(b.origin)
	}
	for _, x := range b.executions {
		if t.configured[x.value.ID] == nil {
			t.dismissSteps(x.value.ID)
		}
	}
}

// buildsInOrder returns the builds whose selection is fresh: first those that have not
// ended, and among both the newest first.
func (t *Target) buildsInOrder() []*build {
	var all []*build
	for _, b := range t.builds {
		if !b.entry.paused {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b *build) int {
		if ended := a.image.Status.Ended(); ended != b.image.Status.Ended() {
			if ended {
				return 1
			}
			return -1
		}
		return b.image.Compare(a.image)
	})
	return all
}

// cut decides what MaxExecutions leaves out of what was found: of the executions that
// have ended first those of the oldest builds, then the others; and of the images, as
// many. Executions that were selected by their ids do not count.
func (t *Target) cut(now time.Time) {
	total := 0
	for _, b := range t.builds {
		total += len(b.executions)
	}
	limit, before := t.c.MaxExecutions, t.dropped
	if total <= limit && len(t.builds) <= limit { // nothing can be left out
		limit = total + len(t.builds)
	}
	var active, ended []*execution
	for i, b := range t.cutOrder(limit == t.c.MaxExecutions) {
		b.dropped = i >= limit
		for _, x := range b.executions {
			switch {
			case t.configured[x.value.ID] != nil:
				x.dropped = false
			case x.value.Status.Final():
				ended = append(ended, x)
			default:
				active = append(active, x)
			}
		}
	}
	t.dropped = 0
	for i, x := range append(active, ended...) {
		was := x.dropped
		if x.dropped = i >= limit; x.dropped {
			t.dropped++
			t.dismissSteps(x.value.ID)
		} else if was {
			t.followSteps(x.value, t.c.MinInterval, now)
		}
	}
	t.reportCut(before)
}

// cutOrder returns the builds in their order, or, when it does not matter, in any.
func (t *Target) cutOrder(matters bool) []*build {
	if matters {
		return t.buildsInOrder()
	}
	return slices.Collect(maps.Values(t.builds))
}
