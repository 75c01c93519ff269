package lookup

import (
	"context"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
)

// build asks about the executions of an image build that was found. It is asked until
// the image and all executions have ended, and then no more, until somebody retries
// the image.
type build struct {
	arn      string
	entry    *entry
	image    imagebuilder.Image // replaced by discovery
	pipeline string             // the name of the pipeline that made it, empty when not known
	origin   *entry             // asks which pipeline that is, nil when nothing is to be asked
	endedAt  time.Time          // when the image was first seen to have ended, zero for not

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
			x = &execution{}
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
	t.listed = nil
	t.cut(now)
	for _, x := range b.executions {
		if !x.dropped {
			t.followSteps(x.value, now)
			t.mayWait(x.value)
		}
	}
	b.pace(e, settled, now)
}

// pace decides when e, which has just got an answer, is asked again. Executions that
// are left behind by an image that has ended are asked for ever more rarely: they may
// never end.
func (b *build) pace(e *entry, settled bool, now time.Time) {
	e.interval = e.retry
	if b.endedAt.IsZero() || e.begun.Before(b.endedAt) {
		return
	}
	if e.settled = settled; !settled {
		e.interval = min(max(e.retry, now.Sub(b.endedAt)/10), max(e.retry, maxBackoff))
		e.dueAt = e.begun.Add(e.interval)
		e.staleAt = e.dueAt
	}
}

// forgotten takes in that the API knows no executions of the build. When the image has
// ended there will be none any more.
func (b *build) forgotten(e *entry) { e.settled = !b.endedAt.IsZero() }

// update takes in what discovery has read about the image.
func (b *build) update(t *Target, image *imagebuilder.Image, now time.Time) {
	before := b.image
	b.image = *image
	switch {
	case !image.Status.Ended():
		b.endedAt = time.Time{}
	case b.endedAt.IsZero() || retried(&before, image):
		b.endedAt = now
	}
	if retried(&before, image) {
		b.entry.settled, b.entry.dueAt = false, time.Time{}
		t.awaken(b.entry)
	}
}

// retried reports whether somebody has retried an image between two looks at it.
// RetryImage keeps the ARN and makes new executions. It is seen when the image leaves
// its end, also for another one, or fails for another reason.
func retried(before, now *imagebuilder.Image) bool {
	if !now.Status.Ended() {
		return before.Status.Ended()
	}
	failed := before.Status == imagebuilder.ImageFailed || before.Status == imagebuilder.ImageCancelled
	return failed && (before.Status != now.Status || before.Reason != now.Reason)
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
			b = &build{arn: arn, image: *w.image}
			b.entry = t.add(subject{"ListWorkflowExecutions", arn}, b)
			t.builds[arn] = b
		}
		if b.entry.paused = !w.fresh; w.fresh {
			t.awaken(b.entry)
		}
		b.update(t, w.image, now)
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
		if x, y := a.image.Status.Ended(), b.image.Status.Ended(); x != y {
			return order(x, y)
		}
		return order(b.image.Newer(&a.image), a.image.Newer(&b.image))
	})
	return all
}

// order compares by whether something belongs behind or in front.
func order(behind, inFront bool) int {
	switch {
	case behind:
		return 1
	case inFront:
		return -1
	}
	return 0
}

// cut decides what MaxExecutions leaves out of what was found: of the executions that
// have ended first those of the oldest builds, then the others; and of the images, as
// many.
func (t *Target) cut(now time.Time) {
	total := 0
	for _, b := range t.builds {
		total += len(b.executions)
		b.dropped = false
	}
	if total <= t.c.MaxExecutions && len(t.builds) <= t.c.MaxExecutions && t.dropped == 0 {
		return
	}
	var active, ended []*execution
	for i, b := range t.buildsInOrder() {
		b.dropped = i >= t.c.MaxExecutions
		for _, x := range b.executions {
			if x.value.Status.Final() {
				ended = append(ended, x)
			} else {
				active = append(active, x)
			}
		}
	}
	before := t.dropped
	t.dropped = 0
	for i, x := range append(active, ended...) {
		was := x.dropped
		x.dropped = i >= t.c.MaxExecutions
		switch {
		case x.dropped:
			t.dropped++
			if t.configured[x.value.ID] == nil {
				t.dismissSteps(x.value.ID)
			}
		case was:
			t.followSteps(x.value, now)
		}
	}
	if before == 0 && t.dropped > 0 {
		level.Warn(t.logger()).Log("msg", "more executions are found than max_executions allows; the oldest are left out",
			"max_executions", t.c.MaxExecutions, "dropped", t.dropped)
	}
	if before > 0 && t.dropped == 0 {
		level.Info(t.logger()).Log("msg", "no executions are left out any more", "max_executions", t.c.MaxExecutions)
	}
}
