package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// page is what the templates show, and what clients get as JSON.
type page struct {
	Time    time.Time       `json:"time"` // when it was made
	Version string          `json:"-"`
	Query   query           `json:"-"`
	Targets []targetSection `json:"targets"`

	Up          int       `json:"-"` // how many targets are up
	Down        []string  `json:"-"` // the names of those that are down
	Filters     []filter  `json:"-"`
	Counts      []count   `json:"-"` // of all targets' executions, by status
	Waiting     []waiting `json:"-"` // the first ones of all targets
	MoreWaiting int       `json:"-"` // how many more there are
	Failed      []failed  `json:"-"` // the first images of all targets that failed
	MoreFailed  int       `json:"-"`
}

// filter is a parameter of the page with the values to choose from.
type filter struct {
	Label, Name string
	Options     []string
	Chosen      string // empty for all
}

// count says how many executions have a status, empty for those whose status is not known.
type count struct {
	Status string
	N      int
}

// newPage returns the page of these snapshots.
func newPage(all []lookup.Snapshot, q query, now time.Time) *page {
	p := &page{Time: now.UTC(), Query: q, Targets: []targetSection{}}
	names, statuses, pipelines := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var shown []*execution
	for i := range all {
		s := &all[i]
		names[s.Name] = true
		executions := s.AllExecutions()
		rows := make([]*execution, len(executions))
		for j, x := range executions {
			rows[j] = newExecution(x, s.Time)
			statuses[rows[j].Status], pipelines[rows[j].Pipeline] = true, true
		}
		for _, i := range s.AllImages() {
			statuses[string(i.Status)], pipelines[i.Pipeline] = true, true
		}
		for _, row := range s.Pipelines {
			statuses[string(row.LastRunStatus)], pipelines[row.Name] = true, true
		}
		if !q.choosesTarget(s) {
			continue
		}
		t := newTargetSection(p, fmt.Sprintf("target-%d", i+1), s, rows)
		p.Targets = append(p.Targets, t)
		p.Waiting = append(p.Waiting, t.Waiting...)
		p.Failed = append(p.Failed, t.Failed...)
		shown = append(shown, rows...)
		switch {
		case s.RefreshEnded && s.Up:
			p.Up++
		case s.RefreshEnded:
			p.Down = append(p.Down, s.Name+" "+s.Region)
		}
	}
	p.Filters = []filter{
		{"Target", "target", options(names, q.Target), q.Target},
		{"Status", "status", options(statuses, q.Status), q.Status},
		{"Pipeline", "pipeline", options(pipelines, q.Pipeline), q.Pipeline},
	}
	p.Counts = byStatus(shown)
	p.MoreWaiting = max(0, len(p.Waiting)-maxNotices)
	p.Waiting = p.Waiting[:len(p.Waiting)-p.MoreWaiting]
	p.MoreFailed = max(0, len(p.Failed)-maxNotices)
	p.Failed = p.Failed[:len(p.Failed)-p.MoreFailed]
	return p
}

// maxNotices is how many waiting steps, and failed images, the top of the page shows.
const maxNotices = 20

// options returns the first values of set, in their order, and the chosen one in any case.
func options(set map[string]bool, chosen string) []string {
	delete(set, "")
	all := slices.Sorted(maps.Keys(set))
	all = all[:min(pageSize, len(all))]
	if chosen != "" && !slices.Contains(all, chosen) {
		all = append(all, chosen)
	}
	return all
}

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
