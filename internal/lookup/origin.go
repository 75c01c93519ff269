package lookup

import (
	"cmp"
	"context"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// origin asks which pipeline made a build, where the build's sources do not tell.
type origin struct {
	question
	build *build
}

// Ask implements schedule.Question.
func (o *origin) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	image, err := o.target.c.Client.GetImage(ctx, o.Subject.ID, started)
	return func(time.Time) {
		o.build.pipelineARN = image.SourcePipelineARN
		o.build.pipeline = o.target.pipelineName(image.SourcePipelineARN, image.SourcePipelineName)
		o.target.derived.outdated = true
		o.Settle()
	}, err
}

// Failed implements schedule.Question: what is refused is not waited for.
func (o *origin) Failed(time.Time) { o.target.derived.outdated = true }

// followPipeline takes in which pipeline made b: as its sources tell, or as is to be asked.
func (b *build) followPipeline() {
	t := b.target
	arn, pipeline, told := "", "", false
	for s, image := range b.told {
		madeBy := cmp.Or(s.pipelineARN(), image.SourcePipelineARN)
		name := t.pipelineName(madeBy, image.SourcePipelineName)
		arn, pipeline = cmp.Or(madeBy, arn), cmp.Or(name, pipeline)
		told = told || s.ofOneBuild() // also when no pipeline made it
	}
	switch {
	case pipeline != "" || told:
		b.pipelineARN, b.pipeline = arn, pipeline
		b.dismissOrigin()
	case b.origin == nil && t.sources[b.Subject.ID] == nil:
		b.origin = &origin{question: newQuestion(t, imagebuilder.GetImage, b.Subject.ID), build: b}
		b.origin.Optional = true
		t.schedule.Add(&b.origin.Entry, b.origin)
	}
}

func (b *build) dismissOrigin() {
	if b.origin != nil {
		b.target.schedule.Remove(&b.origin.Entry)
		b.origin = nil
	}
}
