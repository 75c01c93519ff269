package lookup

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// Selector selects pipelines, and says how many of their builds are followed.
type Selector struct {
	Name   *regexp.Regexp    // matches the whole name; nil for every name
	Tags   map[string]string // all of them
	Builds int               // the newest so many that have ended, and all that have not; at least 1
}

// Matches reports whether s selects p.
func (s *Selector) Matches(p *imagebuilder.Pipeline) bool {
	if s.Name != nil && !s.Name.MatchString(p.Name) {
		return false
	}
	for key, value := range s.Tags {
		if got, ok := p.Tags[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// pipelineList asks which pipelines there are.
type pipelineList struct {
	remembers
	answer   []imagebuilder.Pipeline
	all      map[string]string       // names of all pipelines, by their ARNs
	selected []imagebuilder.Pipeline // in the order of their names, each name once
	builds   map[string]int          // how many builds of the selected ones are followed, by ARN
}

func (q *pipelineList) ask(ctx context.Context, c Client, started func()) (any, error) {
	return c.ListImagePipelines(ctx, started)
}

func (q *pipelineList) take(t *Target, _ *entry, answer any, _ time.Time) {
	q.answer = answer.([]imagebuilder.Pipeline)
	q.choose(t.c.Pipelines)
}

// choose applies selectors to what was answered last.
func (q *pipelineList) choose(selectors []Selector) {
	q.all, q.selected, q.builds = map[string]string{}, nil, map[string]int{}
	for _, p := range q.answer {
		q.all[p.ARN] = p.Name
		for i := range selectors {
			if s := &selectors[i]; s.Matches(&p) {
				q.builds[p.ARN] = max(q.builds[p.ARN], s.Builds)
			}
		}
		if q.builds[p.ARN] > 0 {
			q.selected = append(q.selected, p)
		}
	}
	slices.SortFunc(q.selected, func(a, b imagebuilder.Pipeline) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ARN, b.ARN))
	})
	q.selected = slices.CompactFunc(q.selected, func(a, b imagebuilder.Pipeline) bool { return a.Name == b.Name })
}

// imagesFunc asks about image builds.
type imagesFunc func(ctx context.Context, c Client, started func()) ([]imagebuilder.Image, error)

// oneImage returns what asks about one build.
func oneImage(arn string) imagesFunc {
	return func(ctx context.Context, c Client, started func()) ([]imagebuilder.Image, error) {
		image, err := c.GetImage(ctx, arn, started)
		return []imagebuilder.Image{image}, err
	}
}

// source asks which builds there are of a pipeline or of an image version, or about
// one build.
type source struct {
	remembers
	list        imagesFunc
	pipelineARN string // whose builds they are, empty for none
	builds      int    // how many that have ended are followed

	images      []*imagebuilder.Image // those to follow, the newest first
	all         []string              // the ARNs of all builds, where they are needed
	lastSuccess time.Time             // creation of the newest one that is available, zero for none
}

func (q *source) ask(ctx context.Context, c Client, started func()) (any, error) {
	return q.list(ctx, c, started)
}

func (q *source) take(t *Target, _ *entry, answer any, _ time.Time) {
	images := answer.([]imagebuilder.Image)
	slices.SortFunc(images, func(a, b imagebuilder.Image) int { return b.Compare(&a) })
	q.leave(t)
	q.images, q.lastSuccess = nil, time.Time{}
	ended := 0
	for i := range images {
		image := &images[i]
		if image.Status.Ended() {
			ended++
		}
		if !image.Status.Ended() || ended <= q.builds {
			follow := *image // lets go of the whole list
			q.images = append(q.images, &follow)
		}
		if image.Status == imagebuilder.ImageAvailable && image.Created.After(q.lastSuccess) {
			q.lastSuccess = image.Created
		}
	}
	if len(t.configured) > 0 && q.pipelineARN != "" {
		for i := range images {
			q.all = append(q.all, images[i].ARN)
			t.made[images[i].ARN] = q.pipelineARN
		}
	}
}

// leave takes the builds of q out of t.made.
func (q *source) leave(t *Target) {
	for _, arn := range q.all {
		delete(t.made, arn)
	}
	q.all = nil
}

// originQuestion asks which pipeline made a build.
type originQuestion struct {
	remembers
	list imagesFunc
	b    *build
}

func (q *originQuestion) ask(ctx context.Context, c Client, started func()) (any, error) {
	return q.list(ctx, c, started)
}

func (q *originQuestion) take(t *Target, e *entry, answer any, _ time.Time) {
	image := answer.([]imagebuilder.Image)[0] // as source asks: the answer may come to either
	q.b.pipeline = t.pipelineName(image.SourcePipelineARN, image.SourcePipelineName)
	e.settled = true
}

// followOrigin finds out which pipeline made b, if it is not known from its source.
func (t *Target) followOrigin(b *build, w *want) {
	switch {
	case w.pipeline != "" || w.whole:
		b.pipeline = w.pipeline
		if b.origin != nil {
			t.dismiss(b.origin)
			b.origin = nil
		}
	case b.origin == nil && t.sources[subject{"GetImage", b.arn}] == nil:
		b.origin = t.addDiscovery(subject{"GetImage", b.arn}, &originQuestion{list: oneImage(b.arn), b: b})
		b.origin.optional = true
	}
}

// pipelineName returns the name of the pipeline with this ARN: that of its owner, if
// it is known, else name, else that in the ARN.
func (t *Target) pipelineName(arn, name string) string {
	if t.pipelines != nil {
		if known := t.pipelines.question.(*pipelineList).all[arn]; known != "" {
			return known
		}
	}
	if name != "" {
		return name
	}
	return arn[strings.LastIndex(arn, "/")+1:]
}

func (t *Target) addDiscovery(s subject, q question) *entry {
	e := t.add(s, q)
	e.lane, e.interval, e.patient = &t.discovery, t.c.DiscoveryInterval, true
	return e
}

// readWhole takes in when the selection was read whole, if everything that it consists
// of has been read at least once.
func (t *Target) readWhole() {
	oldest := time.Time{}
	for _, e := range t.discoveries() {
		if !e.known && e.failure != imagebuilder.NotFound {
			return
		}
		if oldest.IsZero() || e.readAt.Before(oldest) {
			oldest = e.readAt
		}
	}
	t.wholeAt = oldest
}

// discoveries returns the entries that the selection is read with.
func (t *Target) discoveries() []*entry {
	var all []*entry
	if t.pipelines != nil {
		all = append(all, t.pipelines)
	}
	for _, e := range t.sources {
		all = append(all, e)
	}
	return all
}
