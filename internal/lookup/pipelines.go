package lookup

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// pipelineList asks which pipelines there are.
type pipelineList struct {
	question
	listed   bool                    // whether the API has ever listed them
	all      []imagebuilder.Pipeline // as the API has listed them last
	names    map[string]string       // of all, by ARN
	selected []imagebuilder.Pipeline // in the order of their names, each name once
	builds   map[string]int          // how many builds of the selected ones are followed, by ARN
	matches  map[string]int          // how many pipelines each selector matches, by its text
}

// Ask implements schedule.Question.
func (l *pipelineList) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	all, err := l.target.c.Client.ListImagePipelines(ctx, started)
	return func(now time.Time) { l.take(all, now) }, err
}

// Failed implements schedule.Question: what is refused is not waited for.
func (l *pipelineList) Failed(now time.Time) {
	l.target.derived.outdated = true
	l.target.chooseVersions(now)
}

func (l *pipelineList) take(all []imagebuilder.Pipeline, now time.Time) {
	t := l.target
	t.derived.outdated = true
	l.all, l.listed = all, true
	l.measure(len(all), now)
	l.choose(t.c.Pipelines)
	t.selectSources(now)
	for i := range l.all {
		if s := t.sources[l.all[i].ARN]; s != nil {
			s.takeRow(&l.all[i], now)
		}
	}
	t.paceDiscovery(now)
	t.updateFreshness(now)
	for _, b := range t.builds { // names may have changed
		t.follow(b, now)
	}
}

// choose applies selectors to what was listed last, if anything was.
func (l *pipelineList) choose(selectors []Selector) {
	if !l.listed {
		return
	}
	l.names, l.selected, l.builds = map[string]string{}, nil, map[string]int{}
	matching := make([]int, len(selectors)) // how many pipelines each selector matches
	for _, p := range l.all {
		l.names[p.ARN] = p.Name
		for i := range selectors {
			if s := &selectors[i]; s.MatchesPipeline(&p) {
				l.builds[p.ARN] = max(l.builds[p.ARN], s.Builds)
				matching[i]++
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
	before := l.matches
	l.matches = make(map[string]int, len(selectors))
	for i := range selectors {
		l.matches[selectors[i].Text] = matching[i]
	}
	l.target.reportMatches("pipeline", len(l.all), before, l.matches)
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
