package status

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// newTargetSection returns the section of p that shows a target, whose executions are rows.
// Of long lists it has the part that p's query asks for.
func newTargetSection(p *page, id string, s *lookup.Snapshot, rows []*execution) targetSection {
	t := targetSection{
		Page: p, ID: id, Name: s.Name, Region: s.Region, Refreshed: s.RefreshEnded,
		LastSuccess: optionalTime(s.LastSuccess), Discovered: optionalTime(s.DiscoveredAt),
		Dropped: s.Dropped, Selected: len(rows), Counts: byStatus(rows),
		AllImages: len(s.Images), AllPipelines: len(s.Pipelines),
	}
	if t.Refreshed {
		t.Up = &s.Up
	}
	rows = sorted(rows, p.Query)
	t.Matching, t.Executions = len(rows), onPage(rows, p.Query.Page)
	t.Pages = pages(max(len(rows), len(s.Images), len(s.Pipelines)))
	link := t.linker()
	t.Timeline = newTimeline(rows, s.Time, link)
	t.Waiting = newWaiting(s, &t, link)
	for _, i := range onPage(s.Images, p.Query.Page) {
		t.Images = append(t.Images, newImage(i))
	}
	for _, row := range onPage(s.Pipelines, p.Query.Page) {
		t.Pipelines = append(t.Pipelines, newPipeline(row))
	}
	return t
}

// sorted returns those of rows that pass the filters, in the order that q asks for.
func sorted(rows []*execution, q query) []*execution {
	compare := comparison(q.Sort)
	rows = slices.DeleteFunc(slices.Clone(rows), func(e *execution) bool { return !e.matches(q) })
	slices.SortStableFunc(rows, func(a, b *execution) int {
		c := cmp.Or(compare(a, b), cmp.Compare(a.ID, b.ID))
		if q.Descending {
			c = -c
		}
		return c
	})
	return rows
}

// newWaiting returns the steps that wait for an approval. link returns the address of an
// execution.
func newWaiting(s *lookup.Snapshot, t *targetSection, link func(id string) string) []waiting {
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
			Image: i.Name, Version: i.Version, Target: t.Name + " " + t.Region, Href: link(w.ExecutionID),
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

// linker returns a function for the address of an execution: its row on this page or, when
// it has none here, the page that shows it alone.
func (t *targetSection) linker() func(id string) string {
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
		NextRun: optionalTime(p.NextRun), LastSuccess: optionalTime(p.LastSuccess),
	}
	if enabled := p.Status == "ENABLED"; enabled || p.Status == "DISABLED" {
		row.Enabled = &enabled
	}
	return row
}

func newImage(i lookup.Image) image {
	row := image{
		ARN: i.ARN, Name: i.Build.Name, Version: i.Build.Version, Pipeline: i.Pipeline,
		Status: string(i.Status), Reason: i.Reason, Created: optionalTime(i.Created),
	}
	for _, o := range i.Outputs {
		row.Outputs = append(row.Outputs, o.Region+" "+o.ID)
	}
	return row
}
