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
	Time    time.Time `json:"time"` // when it was made
	Version string    `json:"-"`
	Query   query     `json:"-"`
	Targets []target  `json:"targets"`

	Pipelines, Statuses, Names []string  `json:"-"` // to choose from
	Counts                     []count   `json:"-"` // of all targets' executions, by status
	Waiting                    []waiting `json:"-"` // the first of all targets
	MoreWaiting                int       `json:"-"`
}

// target is what is known about a target in a region.
type target struct {
	ID          string       `json:"-"` // within the page
	Name        string       `json:"target"`
	Region      string       `json:"region"`
	Asked       bool         `json:"-"` // whether a refresh has ended: else nothing is known, and not whether it is up
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
	PipelineRow []pipeline   `json:"pipelines,omitempty"`
	Timeline    *timeline    `json:"-"`

	AllImages, AllPipelines int `json:"-"` // how many there are, on all pages
}

// count says how many executions have a status, which is empty where it is not known.
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

// steps counts the steps of an execution.
type steps struct {
	Total     int `json:"total"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
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

	Image, Version, Target, Row string `json:"-"` // the last one is a link to the execution
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

// known returns a pointer to t, nil for zero, which stands for what is not known.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// newPage makes the page of what is known.
func newPage(all []lookup.Snapshot, q query, now time.Time) *page {
	p := &page{Time: now.UTC(), Query: q, Targets: []target{}}
	choice := map[string]map[string]bool{"pipeline": {}, "status": {}, "target": {}}
	var shown []*execution
	for i := range all {
		s := &all[i]
		choice["target"][s.Name] = true
		rows := newExecutions(s)
		for _, e := range rows {
			choice["pipeline"][e.Pipeline], choice["status"][e.Status] = true, true
		}
		if q.Target == "" || q.Target == s.Name {
			p.Targets = append(p.Targets, newTarget(s, rows, q, fmt.Sprintf("target-%d", i+1)))
			shown = append(shown, rows...)
		}
	}
	p.Counts = byStatus(shown)
	for i := range p.Targets {
		p.Waiting = append(p.Waiting, p.Targets[i].Waiting...)
	}
	p.MoreWaiting = max(0, len(p.Waiting)-mostWaiting)
	p.Waiting = p.Waiting[:len(p.Waiting)-p.MoreWaiting]
	p.Pipelines, p.Statuses, p.Names = choices(choice["pipeline"], q.Pipeline), choices(choice["status"], q.Status), choices(choice["target"], q.Target)
	return p
}

// mostWaiting is how many steps that wait stand at the top of the page.
const mostWaiting = 20

// choices returns what can be chosen, in its order: a page of it, and what is chosen now.
func choices(set map[string]bool, chosen string) []string {
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

// Summary says how the targets stand.
func (p *page) Summary() string {
	var down []string
	asked := 0
	for i := range p.Targets {
		t := &p.Targets[i]
		if t.Asked {
			asked++
		}
		if t.Up != nil && !*t.Up {
			down = append(down, t.Name+" "+t.Region)
		}
	}
	switch {
	case asked == 0:
		return "Nobody has scraped the exporter yet, so nothing is known."
	case len(down) > 0:
		return fmt.Sprintf("%d of %d targets down: %s.", len(down), len(p.Targets), shorten(strings.Join(down, ", "), 500))
	case asked < len(p.Targets):
		return fmt.Sprintf("%d of %d targets up, the others were not scraped yet.", asked, len(p.Targets))
	case asked == 1:
		return "The target is up."
	case asked == 2:
		return "Both targets are up."
	}
	return fmt.Sprintf("All %d targets are up.", asked)
}
