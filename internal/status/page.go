package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// page is what the template shows, and what clients get as JSON.
type page struct {
	Time    time.Time       `json:"time"` // when it was made
	Version string          `json:"-"`
	Query   query           `json:"-"`
	Targets []targetSection `json:"targets"`

	Filters     []filter  `json:"-"`
	Counts      []count   `json:"-"` // of all targets' executions, by status
	Waiting     []waiting `json:"-"` // the first ones of all targets
	MoreWaiting int       `json:"-"` // how many more there are
}

// filter is a parameter of the page with the values to choose from.
type filter struct {
	Label, Name string
	Options     []string
	Chosen      string // empty for all
}

// targetSection shows a target in a region.
type targetSection struct {
	Page        *page        `json:"-"`
	ID          string       `json:"-"` // within the page
	Name        string       `json:"target"`
	Region      string       `json:"region"`
	Refreshed   bool         `json:"-"` // whether a refresh has ended: else nothing else is known
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

// count says how many executions have a status, empty for those whose status is not known.
type count struct {
	Status string
	N      int
}

// execution is a row of the table of executions. What is not known is empty.
type execution struct {
	ID         string     `json:"workflow_execution_id"`
	Status     string     `json:"status,omitempty"`
	Type       string     `json:"workflow_type,omitempty"`
	Image      string     `json:"image_name,omitempty"`
	Version    string     `json:"image_version,omitempty"`
	ImageARN   string     `json:"image_build_version_arn,omitempty"`
	Pipeline   string     `json:"pipeline,omitempty"`
	Started    *time.Time `json:"start_time,omitempty"`
	Ended      *time.Time `json:"end_time,omitempty"`
	Duration   *float64   `json:"duration_seconds,omitempty"`
	Steps      *steps     `json:"steps,omitempty"`
	Message    string     `json:"message,omitempty"`
	ReadAt     *time.Time `json:"lookup_time,omitempty"`
	LookedUp   bool       `json:"-"` // whether a lookup has ended
	ErrorClass string     `json:"lookup_error_class,omitempty"`
	Error      string     `json:"lookup_error,omitempty"`
	StepRows   []step     `json:"step_executions,omitempty"`

	now time.Time
}

type step struct {
	ID       string     `json:"step_execution_id"`
	Name     string     `json:"step"`
	Action   string     `json:"action,omitempty"`
	Status   string     `json:"status,omitempty"`
	Started  *time.Time `json:"start_time,omitempty"`
	Duration *float64   `json:"duration_seconds,omitempty"`
}

type waiting struct {
	ExecutionID string    `json:"workflow_execution_id"`
	Step        string    `json:"step"`
	Since       time.Time `json:"waiting_since"`

	Image, Version, Target string `json:"-"`
	Href                   string `json:"-"` // leads to the execution
}

type image struct {
	ARN      string     `json:"image_build_version_arn"`
	Name     string     `json:"image_name"`
	Version  string     `json:"image_version"`
	Status   string     `json:"status"`
	Reason   string     `json:"reason,omitempty"`
	Pipeline string     `json:"pipeline,omitempty"`
	Created  *time.Time `json:"created,omitempty"`
	Outputs  []string   `json:"outputs,omitempty"` // "REGION ID"
}

type pipeline struct {
	ARN         string     `json:"pipeline_arn"`
	Name        string     `json:"pipeline"`
	Enabled     *bool      `json:"enabled,omitempty"`
	LastRun     string     `json:"last_run_status,omitempty"`
	Failures    *int       `json:"consecutive_failures,omitempty"`
	NextRun     *time.Time `json:"next_run,omitempty"`
	LastSuccess *time.Time `json:"last_success,omitempty"`
}

// optionalTime returns t in UTC, or nil when t is zero.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// newPage returns the page of these snapshots.
func newPage(all []lookup.Snapshot, q query, now time.Time) *page {
	p := &page{Time: now.UTC(), Query: q, Targets: []targetSection{}}
	names, statuses, pipelines := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var shown []*execution
	for i := range all {
		s := &all[i]
		names[s.Name] = true
		rows := newExecutions(s)
		for _, e := range rows {
			statuses[e.Status], pipelines[e.Pipeline] = true, true
		}
		if q.Target == "" || q.Target == s.Name {
			p.Targets = append(p.Targets, newTargetSection(p, fmt.Sprintf("target-%d", i+1), s, rows))
			shown = append(shown, rows...)
		}
	}
	p.Filters = []filter{
		{"Target", "target", options(names, q.Target), q.Target},
		{"Status", "status", options(statuses, q.Status), q.Status},
		{"Pipeline", "pipeline", options(pipelines, q.Pipeline), q.Pipeline},
	}
	p.Counts = byStatus(shown)
	for i := range p.Targets {
		p.Waiting = append(p.Waiting, p.Targets[i].Waiting...)
	}
	p.MoreWaiting = max(0, len(p.Waiting)-maxWaiting)
	p.Waiting = p.Waiting[:len(p.Waiting)-p.MoreWaiting]
	return p
}

// maxWaiting is how many waiting steps the top of the page shows.
const maxWaiting = 20

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

// Summary says how many targets are up, and which are down.
func (p *page) Summary() string {
	var down []string
	refreshed := 0
	for i := range p.Targets {
		t := &p.Targets[i]
		if t.Refreshed {
			refreshed++
		}
		if t.Up != nil && !*t.Up {
			down = append(down, t.Name+" "+t.Region)
		}
	}
	switch {
	case refreshed == 0:
		return "Nobody has scraped the exporter yet, so nothing is known."
	case len(down) > 0:
		return fmt.Sprintf("%d of %d targets down: %s.", len(down), len(p.Targets), truncate(strings.Join(down, ", "), 500))
	case refreshed < len(p.Targets):
		return fmt.Sprintf("%d of %d targets up, the others were not scraped yet.", refreshed, len(p.Targets))
	case refreshed == 1:
		return "The target is up."
	case refreshed == 2:
		return "Both targets are up."
	}
	return fmt.Sprintf("All %d targets are up.", refreshed)
}
