package status

import (
	"slices"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// known is what a target knows, and what several parts of the page need of it.
type known struct {
	*lookup.Snapshot
	rows   []*execution               // all executions, in the order of their ids
	images []*lookup.Image            // all, in the order of their ARNs
	builds map[string][]*lookup.Image // those of images that each pipeline has made
	byName map[string]*lookup.Pipeline
}

func newKnown(s *lookup.Snapshot) *known {
	executions := s.AllExecutions()
	k := &known{Snapshot: s, rows: make([]*execution, len(executions)), images: s.AllImages(), byName: pipelinesByName(s), builds: map[string][]*lookup.Image{}}
	for _, i := range k.images {
		k.builds[i.Pipeline] = append(k.builds[i.Pipeline], i)
	}
	for i, x := range executions {
		k.rows[i] = newExecution(x, s.Time)
	}
	return k
}

// gathered is what all targets that are shown have, as far as it passes the filters.
type gathered struct {
	options    options      // targets and regions of all, the rest of those that are shown
	all        []*execution // also those of another status
	named      []*pipeline  // those that have the name of the filter, whatever their rows
	executions []*execution
	images     []imageOf
	pipelines  []*pipeline
	failed     []failed
	waiting    []waiting
	down       []down
}

// add adds a target to what is shown on p.
func (g *gathered) add(p *page, id string, k *known) {
	q := p.Query
	t := newTargetSection(p, id, k)
	p.Targets = append(p.Targets, t)
	anyStatus := q
	anyStatus.Status = ""
	for _, e := range k.rows {
		if e.Section = t; !e.matches(anyStatus) {
			continue
		}
		g.all = append(g.all, e)
		if q.Status == "" || q.Status == e.Status {
			g.executions = append(g.executions, e)
			t.Matching++
		}
	}
	images := imagesThat(q, slices.Clone(k.images))
	for _, i := range images {
		g.images = append(g.images, imageOf{i, k, t})
	}
	t.AllImages = len(images)
	for _, i := range onPage(images, q.Page) {
		t.Images = append(t.Images, imageOf{i, k, t}.row())
	}
	pipelines := newPipelines(k, q.Pipeline, t)
	if q.Pipeline != "" {
		g.named = append(g.named, pipelines...)
	}
	pipelines = slices.DeleteFunc(slices.Clone(pipelines), func(p *pipeline) bool { return !p.matches(q) })
	g.pipelines = append(g.pipelines, pipelines...)
	t.AllPipelines, t.Pipelines = len(pipelines), onPage(pipelines, q.Page)
	t.Pages = pagesOf(t.Matching, t.AllImages, t.AllPipelines)
	t.Waiting = newWaiting(k.Snapshot, waitingThat(q, k.Waiting, k.rows))
	g.waiting = append(g.waiting, t.Waiting...)
	g.failed = append(g.failed, newFailed(k, images, t)...)
	if k.RefreshEnded && k.Up && (p.Oldest == nil || k.LastSuccess.Before(*p.Oldest)) {
		p.Oldest = optionalTime(k.LastSuccess)
	}
	if k.RefreshEnded && !k.Up {
		g.down = append(g.down, newDown(k, t))
	} else if k.RefreshEnded {
		p.Up++
	}
}

// imageOf is an image of a target.
type imageOf struct {
	*lookup.Image
	known   *known
	section *targetSection
}

// row returns the row of the image.
func (i imageOf) row() image {
	row := newImage(i.Image, i.known.byName[i.Pipeline])
	row.Section = i.section
	return row
}

// compareImages is Image.Compare, but reads no versions of builds of different moments: that
// takes long for very many.
func compareImages(a, b *lookup.Image) int {
	if c := a.Created.Compare(b.Created); c != 0 {
		return c
	}
	return a.Compare(b.Image)
}
