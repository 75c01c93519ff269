package lookup

import (
	"context"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

const (
	// maxBuildInterval bounds how rarely the executions of a build are asked for that has
	// ended before all of them.
	maxBuildInterval = 5 * time.Minute
	// forgottenAfter is how many times in a row what belongs to something that has ended
	// is not found before it is not asked for again.
	forgottenAfter = 6
)

// build asks for the executions of an image build that was found. It is asked until the
// image and all executions have ended, and then not again, until somebody retries the
// image.
type build struct {
	question
	told                  map[*source]*imagebuilder.Image // what each source says of the image; never changed
	image                 *imagebuilder.Image             // what the best of them says
	reasons               map[bool]string                 // of its status, as the kinds of sources told it last; true for one of one build
	selected              bool                            // whether one of the sources is fresh
	pipelineARN, pipeline string                          // ARN and name of the pipeline that made it, empty when not known
	pipelineTold          bool                            // whether the sources tell which one that is
	details               *details                        // asks what the sources do not tell, nil when nothing is to be asked
	failedUnreported      bool                            // whether it was seen to fail, and that was not logged yet
	foundAt               time.Time                       // when it was found
	endedAt               time.Time                       // when the image was first seen to have ended, zero for not

	executions []*execution // each with a value
	superseded Fact
	dropped    bool // left out by MaxExecutions
	place
}

func newBuild(t *Target, image *imagebuilder.Image, now time.Time) *build {
	return &build{
		question: newQuestion(t, imagebuilder.ListWorkflowExecutions, image.ARN),
		told:     map[*source]*imagebuilder.Image{}, image: image, reasons: map[bool]string{}, foundAt: now,
	}
}

// Ask implements schedule.Question.
func (b *build) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	executions, err := b.target.c.Client.ListWorkflowExecutions(ctx, b.Subject.ID, started)
	return func(now time.Time) { b.take(executions, now) }, err
}

func (b *build) take(executions []imagebuilder.Execution, now time.Time) {
	t := b.target
	before := make(map[string]*execution, len(b.executions))
	for _, x := range b.executions {
		before[x.value.ID] = x
	}
	old := b.executions
	b.executions = nil
	settled, changed := true, false
	for i := range executions {
		v := executions[i]
		x := before[v.ID]
		if x == nil {
			x = &execution{dropped: t.derived.dropped > 0} // until derive decides
		}
		delete(before, v.ID)
		changed = x.read(&v, now) || changed
		settled = settled && x.settled
		b.executions = append(b.executions, x)
	}
	for id := range before {
		b.dismissStepsOf(id)
	}
	b.findRetries()
	b.setInterval(settled, now)
	t.derived.outdated = t.derived.outdated || changed || !slices.Equal(old, b.executions)
	for _, x := range b.executions {
		if !x.dropped {
			t.followSteps(x.value, b.Every, now)
			t.mayWait(x.value, b)
		}
	}
}

// findRetries takes in which executions of b were retried with success.
func (b *build) findRetries() {
	all := make([]*imagebuilder.Execution, len(b.executions))
	for i, x := range b.executions {
		all[i] = x.value
	}
	retried := retriedWithSuccess(all)
	for _, x := range b.executions {
		x.retried = retried[x.value.ID]
	}
}

// setInterval decides when b, which has just got an answer, is asked again. What an image
// that has ended leaves behind may never end itself, and neither may an image in a state
// that is not known: the longer that lasts, the longer is the interval.
func (b *build) setInterval(settled bool, now time.Time) {
	switch {
	case !b.image.Status.Known():
		b.Every = slower(now.Sub(b.foundAt))
	case b.endedAt.IsZero() || b.Begun.Before(b.endedAt):
		b.Every = 0
	case settled:
		b.Settle()
	default:
		b.Every = slower(now.Sub(b.endedAt))
	}
}

// slower returns an interval that grows with time.
func slower(after time.Duration) time.Duration { return min(after/10, maxBuildInterval) }

// Failed implements schedule.Question. When the image has ended and its executions are
// not found again and again, there will be none any more; those that had ended stay.
func (b *build) Failed(time.Time) {
	if b.HasAnswer || b.endedAt.IsZero() || b.Gone < forgottenAfter {
		return
	}
	b.Settle()
	b.executions = slices.DeleteFunc(b.executions, func(x *execution) bool {
		if !x.settled {
			b.dismissStepsOf(x.value.ID)
		}
		return !x.settled
	})
	b.target.derived.outdated = true
}

// bestSource returns the source that counts: one that is fresh and answers goes first,
// among these a list before GetImage, because the two can give different reasons for one
// failure; then the latest.
func (b *build) bestSource() *source {
	var best *source
	bestRank := 0
	for s := range b.told {
		rank := 2
		switch {
		case !s.fresh, s.Failing:
			rank = 0
		case s.ofOneBuild():
			rank = 1
		}
		if best == nil || rank > bestRank || rank == bestRank && s.ReadAt.After(best.ReadAt) {
			best, bestRank = s, rank
		}
	}
	return best
}

// setSelected takes in whether one of the sources is fresh. Without one nothing is asked.
func (b *build) setSelected() {
	b.selected = false
	for s := range b.told {
		b.selected = b.selected || s.fresh
	}
	if b.selected && b.Paused {
		b.Resume()
	}
	b.Paused = !b.selected
	b.pauseDetails()
}

// update takes in what the best source says about the image.
func (b *build) update(now time.Time) {
	s := b.bestSource()
	before, image := b.image.Status, b.told[s]
	reason, comparable := b.reasons[s.ofOneBuild()]
	retried := retried(before, image.Status, comparable && reason != image.Reason)
	if retried {
		clear(b.reasons)
	}
	b.image, b.reasons[s.ofOneBuild()] = image, image.Reason
	switch {
	case !image.Status.Ended():
		b.endedAt, b.failedUnreported = time.Time{}, false
	case b.endedAt.IsZero() || retried:
		b.endedAt = now
		b.failedUnreported = image.Status.Failed() && (retried || !before.Ended() || b.failedUnreported)
	}
	b.BackOff = !b.endedAt.IsZero()
	if retried || before != image.Status && (b.Failing || !before.Known()) {
		b.Restart()
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

func (t *Target) dismissBuild(b *build) {
	delete(t.builds, b.Subject.ID)
	b.selected = false
	t.schedule.Remove(&b.Entry)
	b.dismissDetails()
	for _, x := range b.executions {
		b.dismissStepsOf(x.value.ID)
	}
}

// dismissStepsOf forgets the steps of an execution that b has no longer, unless the
// execution is selected by its id, too.
func (b *build) dismissStepsOf(id string) {
	if b.target.configured[id] == nil {
		b.target.dismissSteps(id)
	}
}
