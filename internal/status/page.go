package status

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// page is what the templates show, and what clients get as JSON. People see one table for all
// targets, programs get the lists of each target.
type page struct {
	Time    time.Time        `json:"time"` // when it was made
	Version string           `json:"-"`
	Query   query            `json:"-"`
	Targets []*targetSection `json:"targets"`

	Up      int              `json:"-"` // how many targets are up
	Oldest  *time.Time       `json:"-"` // when the one of them was read whole that was so longest ago
	One     *pipeline        `json:"-"` // the pipeline that the filters select; nil for several or none
	Failed  notices[failed]  `json:"-"`
	Waiting notices[waiting] `json:"-"`
	Down    notices[down]    `json:"-"`
	Filters []filter         `json:"-"`
	Counts  []count          `json:"-"` // of the executions that pass the other filters, by status

	Pipelines  list[*pipeline]      `json:"-"`
	Executions list[*execution]     `json:"-"`
	Images     list[image]          `json:"-"`
	Sections   list[*targetSection] `json:"-"`
	Timeline   *timeline            `json:"-"`
}

// Root leads from the page to where the exporter's pages are.
func (*page) Root() string { return "" }

// maxNotices is how many failed builds, waiting steps and targets that are down the top of the
// page shows, of each kind.
const maxNotices = 10

// notices are the first ones, and how many there are.
type notices[T any] struct {
	First []T
	All   int
}

func newNotices[T any](all []T) notices[T] {
	return notices[T]{all[:min(maxNotices, len(all))], len(all)}
}

// More returns how many are not shown.
func (n notices[T]) More() int { return n.All - len(n.First) }

// list is the part of a list that is on this page, and how long the list is.
type list[T any] struct {
	Rows []T
	All  int
}

func newList[T any](all []T, page int) list[T] { return list[T]{onPage(all, page), len(all)} }

// count says how many executions have a status, empty for those whose status is not known.
type count struct {
	Status string
	N      int
}

// newPage returns the page of these snapshots.
func newPage(all []lookup.Snapshot, q query, now time.Time) *page {
	p := &page{Time: now.UTC(), Query: q, Targets: []*targetSection{}}
	g := gathered{options: newOptions()}
	for i := range all {
		k := newKnown(&all[i])
		g.options.addTarget(k)
		if q.choosesTarget(k.Snapshot) {
			g.options.addRows(k)
			g.add(p, fmt.Sprintf("target-%d", i+1), k)
		}
	}
	p.Filters, p.Counts = g.options.filters(q), byStatus(g.all)
	slices.SortStableFunc(g.failed, func(a, b failed) int { return compareTimes(b.Image.Created, a.Image.Created) })
	slices.SortStableFunc(g.waiting, func(a, b waiting) int { return a.Since.Compare(b.Since) })
	p.Failed, p.Waiting, p.Down = newNotices(g.failed), newNotices(g.waiting), newNotices(g.down)
	if len(g.named) == 1 {
		p.One = g.named[0]
	}
	sortByNeed(g.pipelines)
	p.Pipelines, p.Sections = newList(g.pipelines, q.Page), newList(p.Targets, q.Page)
	sortRows(g.executions, q)
	p.Executions = newList(g.executions, q.Page)
	for _, e := range g.executions {
		e.Section.add(e, q.Page)
	}
	p.Timeline = newTimeline(g.executions, now)
	slices.SortFunc(g.images, func(a, b imageOf) int { return compareImages(b.Image, a.Image) })
	p.Images.All = len(g.images)
	for _, i := range onPage(g.images, q.Page) {
		p.Images.Rows = append(p.Images.Rows, i.row())
	}
	return p
}

// Pages returns how many pages the longest of the lists has.
func (p *page) Pages() int {
	return pagesOf(p.Executions.All, p.Images.All, p.Pipelines.All, p.Sections.All)
}

func pagesOf(lengths ...int) int { return (slices.Max(lengths) + pageSize - 1) / pageSize }

// Selected returns how many executions the targets have, also those that do not match.
func (p *page) Selected() int {
	n := 0
	for _, t := range p.Targets {
		n += t.Selected
	}
	return n
}

// addSteps adds the steps of the executions of each target, which the tables do not have.
func (p *page) addSteps() {
	for _, t := range p.Targets {
		for _, e := range t.Executions {
			e.StepRows = newSteps(e.source, e.now)
		}
	}
}

// Stale reports whether what is shown may have changed long since: nobody scrapes the exporter, or
// lookups fail.
func (p *page) Stale() bool { return p.Oldest != nil && p.Time.Sub(*p.Oldest) > staleAfter }

// staleAfter is the age of what is shown from which on the page says so.
const staleAfter = 5 * time.Minute

// byStatus counts executions, the most frequent status first.
func byStatus(rows []*execution) []count {
	n := map[string]int{}
	for _, e := range rows {
		n[e.Status]++
	}
	var all []count
	for status, n := range n {
		all = append(all, count{status, n})
	}
	slices.SortFunc(all, func(a, b count) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Status, b.Status)) })
	return all
}

// sortRows sorts rows in the order that q asks for.
func sortRows(rows []*execution, q query) {
	compare := comparisons[q.Sort]
	slices.SortFunc(rows, func(a, b *execution) int {
		if q.Order == "desc" {
			a, b = b, a
		}
		if c := compare(a, b); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Section.ID, b.Section.ID))
	})
}

// onPage returns the part of all that is on a page, which counts from 1.
func onPage[T any](all []T, page int) []T {
	from := min((page-1)*pageSize, len(all))
	return all[from:min(from+pageSize, len(all))]
}
