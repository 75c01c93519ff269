package lookup

import (
	"cmp"
	"context"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// want is a build that is to be followed.
type want struct {
	image    *imagebuilder.Image
	source   *entry // that has read image
	rank     int    // of source
	fresh    bool   // whether the selection that it comes from is
	pipeline string // the name, empty when it is not known
	whole    bool   // whether a source tells the pipeline, if there is one
}

// add takes in what a source says. One that is fresh and answers goes first, among these
// a list before GetImage, for the two may give different reasons for one failure; then
// the latest.
func (w *want) add(image *imagebuilder.Image, source *entry, fresh bool) {
	rank := 2
	switch {
	case !fresh, source.failure != "":
		rank = 0
	case source.isGetImage():
		rank = 1
	}
	if w.source == nil || rank > w.rank || rank == w.rank && source.readAt.After(w.source.readAt) {
		w.image, w.source, w.rank = image, source, rank
	}
	w.fresh, w.whole = w.fresh || fresh, w.whole || source.isGetImage()
}

func (e *entry) isGetImage() bool { return e.operation == "GetImage" }

// reselect makes t follow what discovery has read so far.
func (t *Target) reselect(now time.Time) {
	listFresh := t.selectPipelines(now)
	wanted := map[string]*want{}
	for _, e := range t.sources {
		q := e.question.(*source)
		e.paused = q.pipelineARN != "" && !listFresh
		if !e.known {
			continue
		}
		for _, image := range q.images {
			w := wanted[image.ARN]
			if w == nil {
				w = &want{}
				wanted[image.ARN] = w
			}
			w.add(image, e, !e.paused && e.publishable(now, t.c.MaxStaleness))
			if pipeline := t.pipelineName(cmp.Or(q.pipelineARN, image.SourcePipelineARN), image.SourcePipelineName); pipeline != "" {
				w.pipeline = pipeline
			}
		}
	}
	t.follow(wanted, now)
}

// selectPipelines makes t ask for the builds of the pipelines that are selected, and
// of no others. It reports whether that selection is fresh.
func (t *Target) selectPipelines(now time.Time) bool {
	if t.pipelines == nil {
		return false
	}
	q := t.pipelines.question.(*pipelineList)
	for s, e := range t.sources {
		if arn := e.question.(*source).pipelineARN; arn != "" && (q.builds[arn] == 0 || !t.pipelines.known) {
			e.question.(*source).leave(t)
			delete(t.sources, s)
			t.dismiss(e)
		}
	}
	if !t.pipelines.known {
		return false
	}
	for arn, builds := range q.builds {
		s := subject{"ListImagePipelineImages", arn}
		if t.sources[s] == nil {
			t.sources[s] = t.addDiscovery(s, &source{
				pipelineARN: arn,
				list: func(ctx context.Context, c Client, started func()) ([]imagebuilder.Image, error) {
					return c.ListImagePipelineImages(ctx, arn, started)
				},
			})
		}
		if q := t.sources[s].question.(*source); q.builds != builds {
			q.builds = builds
			t.askAnew(t.sources[s])
		}
	}
	return t.pipelines.publishable(now, t.c.MaxStaleness)
}
