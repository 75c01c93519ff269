package status

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// newTarget returns what is known about a target, whose executions are rows. Of what may
// be many it has the page that q asks for.
func newTarget(s *lookup.Snapshot, rows []*execution, q query, id string) target {
	t := target{
		ID: id, Name: s.Name, Region: s.Region, Asked: s.RefreshEnded, Counts: byStatus(rows),
		LastSuccess: known(s.LastSuccess), Discovered: known(s.DiscoveredAt), Dropped: s.Dropped, Selected: len(rows),
		AllImages: len(s.Images), AllPipelines: len(s.Pipelines),
	}
	if t.Asked {
		t.Up = &s.Up
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(e *execution) bool { return !e.matches(q) })
	slices.SortStableFunc(rows, func(a, b *execution) int {
		c := cmp.Or(columns[q.Sort](a, b), cmp.Compare(a.ID, b.ID))
		if q.Descending {
			c = -c
		}
		return c
	})
	t.Matching, t.Executions = len(rows), onPage(rows, q.Page)
	t.Pages = pages(max(len(rows), len(s.Images), len(s.Pipelines)))
	row := t.rows()
	t.Timeline = newTimeline(rows, s.Time, row)
	t.Waiting = newWaiting(s, &t, row)
	for _, i := range onPage(s.Images, q.Page) {
		t.Images = append(t.Images, newImage(i))
	}
	for _, p := range onPage(s.Pipelines, q.Page) {
		t.PipelineRow = append(t.PipelineRow, newPipeline(p))
	}
	return t
}

// newWaiting returns the steps that wait. row tells where an execution is.
func newWaiting(s *lookup.Snapshot, t *target, row func(id string) string) []waiting {
	images := map[string]imagebuilder.ImageBuildVersion{}
	for _, x := range s.Executions {
		if x.Value != nil {
			images[x.ID] = x.Value.Image
		}
	}
	var all []waiting
	for _, w := range s.Waiting {
		i := images[w.ExecutionID]
		all = append(all, waiting{
			ExecutionID: w.ExecutionID, Step: w.Name, Since: w.Since.UTC(),
			Image: i.Name, Version: i.Version, Target: t.Name + " " + t.Region, Row: row(w.ExecutionID),
		})
	}
	return all
}

// onPage returns the part of all that is on a page, which counts from 1.
func onPage[T any](all []T, page int) []T {
	from := min((page-1)*pageSize, len(all))
	return all[from:min(from+pageSize, len(all))]
}

func pages(rows int) int { return (rows + pageSize - 1) / pageSize }

// rows returns what tells where an execution is: in a row of this page or, when it is on
// another one or left out, on the page that shows it alone.
func (t *target) rows() func(id string) string {
	here := make(map[string]bool, len(t.Executions))
	for _, e := range t.Executions {
		here[e.ID] = true
	}
	return func(id string) string {
		anchor := "#" + t.ID + "-" + id
		if here[id] {
			return anchor
		}
		return "?q=" + url.QueryEscape(id) + anchor
	}
}

func newPipeline(p lookup.Pipeline) pipeline {
	row := pipeline{
		ARN: p.ARN, Name: p.Name, LastRun: string(p.LastRunStatus), Failures: p.ConsecutiveFailures,
		NextRun: known(p.NextRun), LastSuccess: known(p.LastSuccess),
	}
	if enabled := p.Status == "ENABLED"; enabled || p.Status == "DISABLED" {
		row.Enabled = &enabled
	}
	return row
}

func newImage(i lookup.Image) image {
	row := image{
		ARN: i.ARN, Name: i.Build.Name, Version: i.Build.Version, Status: string(i.Status), Reason: i.Reason, Pipeline: i.Pipeline, Created: known(i.Created),
	}
	for _, o := range i.Outputs {
		row.Outputs = append(row.Outputs, o.Region+" "+o.ID)
	}
	return row
}
