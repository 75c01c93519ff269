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
	question
	all      []imagebuilder.Pipeline // as the API has listed them
	names    map[string]string       // of all, by ARN
	selected []imagebuilder.Pipeline // in the order of their names, each name once
	builds   map[string]int          // how many builds of the selected ones are followed, by ARN
}

// Ask implements schedule.Question.
func (l *pipelineList) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	all, err := l.target.c.Client.ListImagePipelines(ctx, started)
	return func(now time.Time) { l.take(all, now) }, err
}

func (l *pipelineList) take(all []imagebuilder.Pipeline, now time.Time) {
	t := l.target
	l.all = all
	l.choose(t.c.Pipelines)
	t.selectSources(now)
	t.updateFreshness(now)
	for _, b := range t.builds { // names may have changed
		t.follow(b, now)
	}
}

// choose applies selectors to what was listed last.
func (l *pipelineList) choose(selectors []Selector) {
	l.names, l.selected, l.builds = map[string]string{}, nil, map[string]int{}
	for _, p := range l.all {
		l.names[p.ARN] = p.Name
		for i := range selectors {
			if s := &selectors[i]; s.Matches(&p) {
				l.builds[p.ARN] = max(l.builds[p.ARN], s.Builds)
			}
		}
		if l.builds[p.ARN] > 0 {
			l.selected = append(l.selected, p)
		}
	}
	slices.SortFunc(l.selected, func(a, b imagebuilder.Pipeline) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ARN, b.ARN))
	})
	l.selected = slices.CompactFunc(l.selected, func(a, b imagebuilder.Pipeline) bool { return a.Name == b.Name })
}

// pipelineName returns the name of the pipeline with this ARN: the one that its owner gave
// it, if it is known, else name, else the one in the ARN.
func (t *Target) pipelineName(arn, name string) string {
	if t.pipelines != nil {
		if known := t.pipelines.names[arn]; known != "" {
			return known
		}
	}
	if name != "" {
		return name
	}
	return arn[strings.LastIndex(arn, "/")+1:]
}
