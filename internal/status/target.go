package status

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// targetSection shows a target in a region.
type targetSection struct {
	Page        *page        `json:"-"`
	ID          string       `json:"-"` // within the page
	Name        string       `json:"target"`
	Region      string       `json:"region"`
	Refreshed   bool         `json:"-"` // whether a refresh has ended; before that Up is nil
	Up          *bool        `json:"up,omitempty"`
	LastSuccess *time.Time   `json:"last_refresh_success,omitempty"`
	Discovered  *time.Time   `json:"last_discovery_success,omitempty"`
	Dropped     int          `json:"workflow_executions_dropped"`
	Selected    int          `json:"workflow_executions_selected"`
	Matching    int          `json:"workflow_executions_matching"` // those that the filters let through
	Pages       int          `json:"pages"`
	Counts      []count      `json:"-"`                   // of all that are selected, by status
	Executions  []*execution `json:"workflow_executions"` // of the page
	Waiting     []waiting    `json:"waiting_steps,omitempty"`
	Images      []image      `json:"images,omitempty"`
	Pipelines   []pipeline   `json:"pipelines,omitempty"`
	Timeline    *timeline    `json:"-"`

	AllImages, AllPipelines int `json:"-"` // how many there are, on all pages
}

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
	rows = slices.DeleteFunc(slices.Clone(rows), func(e *execution) bool { return !e.matches(q) })
	slices.SortStableFunc(rows, func(a, b *execution) int {
		if q.Order == "desc" {
			a, b = b, a
		}
		return cmp.Or(comparisons[q.Sort](a, b), cmp.Compare(a.ID, b.ID))
	})
	return rows
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
