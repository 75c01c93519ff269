package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/lookup"
)

// page is what the template shows, and what clients get as JSON.
type page struct {
	Time    time.Time `json:"time"` // when it was made
	Version string    `json:"-"`
	Query   query     `json:"-"`
	Targets []target  `json:"targets"`

	Pipelines, Statuses, Names []string `json:"-"` // to choose from
}

// target is what is known about a target in a region.
type target struct {
	ID          string       `json:"-"` // within the page
	Name        string       `json:"target"`
	Region      string       `json:"region"`
	Up          bool         `json:"up"`
	LastSuccess *time.Time   `json:"last_refresh_success,omitempty"`
	Discovered  *time.Time   `json:"last_discovery_success,omitempty"`
	Dropped     int          `json:"workflow_executions_dropped"`
	Selected    int          `json:"workflow_executions_selected"`
	Matching    int          `json:"workflow_executions_matching"` // those that the filters let through
	Pages       int          `json:"pages"`
	Executions  []*execution `json:"workflow_executions"` // of the page
	Waiting     []waiting    `json:"waiting_steps,omitempty"`
	Images      []image      `json:"images,omitempty"`
	PipelineRow []pipeline   `json:"pipelines,omitempty"`
	Timeline    *timeline    `json:"-"`
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
	Enabled     bool       `json:"enabled"`
	LastRun     string     `json:"last_run_status,omitempty"`
	Failures    *int       `json:"consecutive_failures,omitempty"`
	NextRun     *time.Time `json:"next_run,omitempty"`
	LastSuccess *time.Time `json:"last_success,omitempty"`
}

// columns are what executions can be sorted by.
var columns = map[string]func(a, b *execution) int{
	"status": func(a, b *execution) int { return cmp.Compare(a.Status, b.Status) },
	"type":   func(a, b *execution) int { return cmp.Compare(a.Type, b.Type) },
	"image": func(a, b *execution) int {
		return cmp.Or(cmp.Compare(a.Image, b.Image), cmp.Compare(a.Version, b.Version))
	},
	"pipeline": func(a, b *execution) int { return cmp.Compare(a.Pipeline, b.Pipeline) },
	"started":  func(a, b *execution) int { return compareTimes(a.Started, b.Started) },
	"duration": func(a, b *execution) int { return comparePointers(a.Duration, b.Duration) },
	"age":      func(a, b *execution) int { return compareTimes(b.ReadAt, a.ReadAt) },
}

func compareTimes(a, b *time.Time) int { return orZero(a).Compare(orZero(b)) }

func comparePointers(a, b *float64) int {
	x, y := -1.0, -1.0
	if a != nil {
		x = *a
	}
	if b != nil {
		y = *b
	}
	return cmp.Compare(x, y)
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
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
	p := &page{Time: now.UTC().Truncate(time.Second), Query: q, Targets: []target{}}
	choice := map[string]map[string]bool{"pipeline": {}, "status": {}, "target": {}}
	for i := range all {
		s := &all[i]
		choice["target"][s.Name] = true
		rows := newExecutions(s)
		for _, e := range rows {
			choice["pipeline"][e.Pipeline], choice["status"][e.Status] = true, true
		}
		if q.Target == "" || q.Target == s.Name {
			p.Targets = append(p.Targets, newTarget(s, rows, q, len(p.Targets)+1))
		}
	}
	p.Pipelines, p.Statuses, p.Names = sorted(choice["pipeline"]), sorted(choice["status"]), sorted(choice["target"])
	return p
}

func sorted(set map[string]bool) []string {
	var all []string
	for s := range set {
		if s != "" {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return all
}

func newTarget(s *lookup.Snapshot, rows []*execution, q query, n int) target {
	t := target{
		ID: fmt.Sprintf("target-%d", n), Name: s.Name, Region: s.Region, Up: s.Up,
		LastSuccess: known(s.LastSuccess), Discovered: known(s.DiscoveredAt), Dropped: s.Dropped, Selected: len(rows),
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(e *execution) bool { return !e.matches(q) })
	slices.SortStableFunc(rows, func(a, b *execution) int {
		c := cmp.Or(columns[q.Sort](a, b), cmp.Compare(a.ID, b.ID))
		if q.Descending {
			c = -c
		}
		return c
	})
	t.Matching, t.Pages = len(rows), (len(rows)+pageSize-1)/pageSize
	t.Timeline = newTimeline(rows, s.Time)
	from := min((q.Page-1)*pageSize, len(rows))
	t.Executions = rows[from:min(from+pageSize, len(rows))]
	for _, w := range s.Waiting {
		t.Waiting = append(t.Waiting, waiting{w.ExecutionID, w.Name, w.Since.UTC()})
	}
	for _, i := range s.Images {
		t.Images = append(t.Images, newImage(i))
	}
	for _, p := range s.Pipelines {
		t.PipelineRow = append(t.PipelineRow, pipeline{
			ARN: p.ARN, Name: p.Name, Enabled: p.Status == "ENABLED", LastRun: string(p.LastRunStatus), Failures: p.ConsecutiveFailures,
			NextRun: known(p.NextRun), LastSuccess: known(p.LastSuccess),
		})
	}
	return t
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

func newExecutions(s *lookup.Snapshot) []*execution {
	rows := make([]*execution, len(s.Executions))
	for i := range s.Executions {
		rows[i] = newExecution(&s.Executions[i], s.Time)
	}
	return rows
}

func newExecution(x *lookup.Execution, now time.Time) *execution {
	e := &execution{ID: x.ID, Pipeline: x.Pipeline, ReadAt: known(x.ReadAt), ErrorClass: string(x.Failure), Error: x.Reason, now: now}
	v := x.Value
	if v == nil {
		return e
	}
	e.Status, e.Type, e.Message = string(v.Status), v.WorkflowType, v.Message
	e.Image, e.Version, e.ImageARN = v.Image.Name, v.Image.Version, v.ImageBuildVersionARN
	e.Started, e.Ended = known(v.Start), known(v.End)
	e.Duration = seconds(v.Duration(now))
	if v.Steps != nil {
		e.Steps = &steps{v.Steps.Total, v.Steps.Succeeded, v.Steps.Failed, v.Steps.Skipped}
	}
	for i := range x.Steps {
		s := &x.Steps[i]
		e.StepRows = append(e.StepRows, step{s.ID, s.Name, s.Action, s.Status, known(s.Start), seconds(s.Duration(now, v.Status.Final()))})
	}
	slices.SortStableFunc(e.StepRows, func(a, b step) int { return compareTimes(a.Started, b.Started) })
	return e
}

func seconds(d time.Duration, ok bool) *float64 {
	if !ok {
		return nil
	}
	s := d.Seconds()
	return &s
}

// matches reports whether the filters let e through.
func (e *execution) matches(q query) bool {
	if q.Status != "" && q.Status != e.Status || q.Pipeline != "" && q.Pipeline != e.Pipeline {
		return false
	}
	text := strings.ToLower(strings.Join([]string{e.ID, e.Status, e.Type, e.Image, e.Version, e.Pipeline, e.Message, e.Error}, "\n"))
	return strings.Contains(text, strings.ToLower(q.Text))
}
