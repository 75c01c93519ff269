package lookup

import (
	"cmp"
	"context"
	"time"

	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// details asks for what the sources of a build do not tell: which pipeline made it and, each
// time that it has failed, why. Each is asked once.
type details struct {
	question
	build *build
	image *imagebuilder.Image // the answer, nil for none yet
}

// Ask implements schedule.Question.
func (d *details) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	image, err := d.target.c.Client.GetImage(ctx, d.Subject.ID, started)
	return func(time.Time) { d.take(&image) }, err
}

func (d *details) take(image *imagebuilder.Image) {
	d.image = image
	d.build.followDetails()
	d.build.reportFailure()
	d.target.derived.outdated = true
}

// Failed implements schedule.Question: what is refused is not waited for.
func (d *details) Failed(time.Time) {
	d.build.reportFailure()
	d.target.derived.outdated = true
}

// followPipeline takes in which pipeline made b, as its sources tell.
func (b *build) followPipeline() {
	t := b.target
	arn, pipeline, told := "", "", false
	for s, image := range b.told {
		madeBy := cmp.Or(s.pipelineARN(), image.SourcePipelineARN)
		name := t.pipelineName(madeBy, image.SourcePipelineName)
		arn, pipeline = cmp.Or(madeBy, arn), cmp.Or(name, pipeline)
		told = told || s.ofOneBuild() // also when no pipeline made it
	}
	if b.pipelineTold = pipeline != "" || told; b.pipelineTold {
		b.pipelineARN, b.pipeline = arn, pipeline
	}
}

// failure returns why b failed, nil for not known: as the best source says, else as GetImage
// does.
func (b *build) failure() *imagebuilder.Failure {
	if !b.image.Status.Failed() {
		return nil
	}
	why := b.image.Failure
	if s := b.ownSource(); s != nil && why == nil && !s.ReadAt.Before(b.endedAt) {
		why = b.told[s].Failure
	}
	if b.failureAsked() && why == nil {
		why = b.details.image.Failure
	}
	return why
}

// ownSource returns what asks GetImage about b because b is selected by its ARN, nil for none
// or before its first answer.
func (b *build) ownSource() *source {
	if s := b.target.sources[b.Subject.ID]; s != nil && s.fresh && b.told[s] != nil {
		return s
	}
	return nil
}

// failureAsked reports whether details has an answer about the failure of b: one that was
// asked for after it.
func (b *build) failureAsked() bool {
	return b.details != nil && b.details.image != nil && !b.details.AskedAt.Before(b.endedAt)
}

// followDetails makes details be asked for, or no longer, as the sources of b and the answer
// tell.
func (b *build) followDetails() {
	t := b.target
	failureTold := !b.image.Status.Failed() || b.image.Failure != nil
	switch {
	case b.pipelineTold && failureTold, t.sources[b.Subject.ID] != nil: // which asks the same question
		b.dismissDetails()
		return
	case b.details == nil:
		b.details = &details{question: newQuestion(t, imagebuilder.GetImage, b.Subject.ID), build: b}
		b.details.Optional = true
		b.pauseDetails()
		t.schedule.Add(&b.details.Entry, b.details)
		return
	case b.details.image == nil:
		return
	}
	if made := b.details.image; !b.pipelineTold {
		b.pipelineARN = made.SourcePipelineARN
		b.pipeline = t.pipelineName(made.SourcePipelineARN, made.SourcePipelineName)
	}
	switch {
	case failureTold || b.failureAsked():
		b.details.Settle()
	case !b.details.Failing: // it was answered before the failure
		b.details.Restart()
	}
}

// pauseDetails lets details be asked for only while b is published.
func (b *build) pauseDetails() {
	if b.details != nil {
		b.details.Paused = !b.selected || b.dropped
	}
}

func (b *build) dismissDetails() {
	if b.details != nil {
		b.target.schedule.Remove(&b.details.Entry)
		b.details = nil
	}
}

// pipelineReadOrRefused reports whether it is known which pipeline made b, or cannot be.
func (b *build) pipelineReadOrRefused() bool {
	return b.pipelineTold || b.details == nil || b.details.image != nil || b.details.readOrRefused()
}

// reportFailure logs that b has failed, and why, once for each failure that was seen to
// happen: when it is known why, or cannot be.
func (b *build) reportFailure() {
	asking := b.details != nil && !b.failureAsked() && !b.details.Failing
	if s := b.ownSource(); s != nil {
		asking = s.ReadAt.Before(b.endedAt) && !s.Failing
	}
	if !b.failedUnreported || asking && b.failure() == nil {
		return
	}
	b.failedUnreported = false
	line := []any{
		"msg", "image build failed", "target", b.target.c.Name, "region", b.target.c.Region,
		"image_build_version_arn", b.Subject.ID, "pipeline", b.pipeline, "reason", b.image.Reason,
	}
	if f := b.failure(); f != nil {
		line = append(line, "stage", f.Stage, "workflow_execution_id", f.ExecutionID, "step", f.Step)
		if c := f.Component; c != nil {
			line = append(line, "component_arn", c.ARN, "component_phase", c.Phase, "component_step", c.Step, "error", c.Message)
		}
		if d := f.Distribution; d != nil {
			line = append(line, "regions_failed", len(d.Regions), "distribution_error", d.Message)
		}
	}
	level.Warn(b.target.c.Logger).Log(line...)
}
