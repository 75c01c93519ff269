package status

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// targetSection shows a target in a region.
type targetSection struct {
	Page        *page         `json:"-"`
	ID          string        `json:"-"` // within the page
	Name        string        `json:"target"`
	Region      string        `json:"region"`
	Up          *bool         `json:"up,omitempty"` // nil until a refresh has ended
	LastSuccess *time.Time    `json:"last_refresh_success,omitempty"`
	Discovered  *time.Time    `json:"last_discovery_success,omitempty"`
	Interval    *float64      `json:"discovery_interval_seconds,omitempty"` // as far as rate_limit allows
	Dropped     int           `json:"workflow_executions_dropped"`
	Selected    int           `json:"workflow_executions_selected"`
	Matching    int           `json:"workflow_executions_matching"` // those that the filters let through
	Pages       int           `json:"pages"`
	Counts      []count       `json:"-"`                   // of all that are selected, by status
	Executions  []*execution  `json:"workflow_executions"` // of the page
	Waiting     []waiting     `json:"waiting_steps,omitempty"`
	Failed      []failed      `json:"-"`
	Images      []image       `json:"images,omitempty"`
	Pipelines   []pipeline    `json:"pipelines,omitempty"`
	Selectors   []selector    `json:"selectors,omitempty"`
	Errors      []lookupError `json:"lookup_errors,omitempty"` // the first ones
	MoreErrors  int           `json:"lookup_errors_omitted,omitempty"`
	Unmatched   unmatched     `json:"-"` // selectors that match no pipeline

	ImageSelectors  []imageSelector `json:"image_selectors,omitempty"`
	UnmatchedImages unmatched       `json:"-"` // selectors that match no image

	Timeline *timeline `json:"-"`

	AllImages    int `json:"images_matching"` // on all pages
	AllPipelines int `json:"pipelines_matching"`
}

// newTargetSection returns the section of p that shows a target, whose executions are rows.
// Of long lists it has the part that p's query asks for.
func newTargetSection(p *page, id string, s *lookup.Snapshot, rows []*execution) targetSection {
	images, selected := imagesThat(p.Query, s.AllImages()), pipelinesThat(p.Query, s)
	t := targetSection{
		Page: p, ID: id, Name: s.Name, Region: s.Region,
		Interval:    optionalSeconds(s.DiscoveryInterval),
		LastSuccess: optionalTime(s.LastSuccess), Discovered: optionalTime(s.DiscoveredAt),
		Dropped: s.Dropped, Selected: len(rows), Counts: byStatus(rows),
		AllImages: len(images), AllPipelines: len(selected), MoreErrors: max(0, len(s.Errors)-maxProblems),
	}
	if s.RefreshEnded {
		t.Up = &s.Up
	}
	all := rows
	rows = sorted(rows, p.Query)
	t.Matching, t.Executions = len(rows), onPage(rows, p.Query.Page)
	t.Pages = (max(len(rows), len(images), len(selected)) + pageSize - 1) / pageSize
	t.Timeline = newTimeline(rows, s.Time, t.href)
	t.Waiting = newWaiting(s, waitingThat(p.Query, s.Waiting, all), &t)
	t.Failed = newFailed(s, images, all, &t)
	pipelines := pipelinesByName(s)
	for _, i := range onPage(images, p.Query.Page) {
		t.Images = append(t.Images, newImage(i, pipelines[i.Pipeline]))
	}
	for _, row := range onPage(selected, p.Query.Page) {
		t.Pipelines = append(t.Pipelines, newPipeline(row, s.TagLabels))
	}
	for _, m := range s.Selectors {
		t.Selectors = append(t.Selectors, selector{m.Selector, m.Matches})
		if m.Matches == 0 {
			t.Unmatched.add(m.Selector)
		}
	}
	for _, m := range s.ImageSelectors {
		t.ImageSelectors = append(t.ImageSelectors, imageSelector{m.Selector, m.Matches})
		if m.Matches == 0 {
			t.UnmatchedImages.add(m.Selector)
		}
	}
	for _, e := range s.Errors[:min(maxProblems, len(s.Errors))] {
		t.Errors = append(t.Errors, newLookupError(e))
	}
	return t
}

// unmatched are selectors that match nothing: the first of them, and how many more there are.
type unmatched struct {
	Selectors []string
	More      int
}

func (u *unmatched) add(selector string) {
	if len(u.Selectors) == maxProblems {
		u.More++
		return
	}
	u.Selectors = append(u.Selectors, selector)
}

// maxProblems is how many lookups that fail, and how many selectors that match nothing, are
// shown of a target.
const maxProblems = 50

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

// imageHref returns the address of the nth image of the target: its row, on the page that
// has it.
func (t *targetSection) imageHref(n int) string {
	anchor := fmt.Sprintf("#%s-image-%d", t.ID, n%pageSize)
	if page := n/pageSize + 1; page != t.Page.Query.Page {
		return fmt.Sprintf("?page=%d%s", page, anchor)
	}
	return anchor
}

// href returns the address of an execution: its row on this page or, when it has none here,
// the page that shows it alone.
func (t *targetSection) href(id string) string {
	anchor := "#" + t.ID + "-" + id
	if slices.ContainsFunc(t.Executions, func(e *execution) bool { return e.ID == id }) {
		return anchor
	}
	return "?q=" + url.QueryEscape(id) + anchor
}
