package status

import (
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

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
	StepRows   []step     `json:"step_executions,omitempty"` // where they are shown: newSteps

	Section *targetSection `json:"-"`
	source  *lookup.Execution
	now     time.Time
}

// step is a line in the list of an execution's steps. What is not known is empty.
type step struct {
	ID       string     `json:"step_execution_id"`
	Name     string     `json:"step"`
	Action   string     `json:"action,omitempty"`
	Status   string     `json:"status,omitempty"`
	Started  *time.Time `json:"start_time,omitempty"`
	Duration *float64   `json:"duration_seconds,omitempty"`
	Message  string     `json:"message,omitempty"`
}

func newExecution(x *lookup.Execution, now time.Time) *execution {
	e := &execution{
		ID: x.ID, Pipeline: x.Pipeline, ReadAt: optionalTime(x.ReadAt), LookedUp: x.LookedUp,
		ErrorClass: string(x.Failure), Error: x.Reason, source: x, now: now,
	}
	v := x.Value
	if v == nil {
		return e
	}
	e.Status, e.Type, e.Message = string(v.Status), v.WorkflowType, v.Message
	e.Image, e.Version, e.ImageARN = v.Image.Name, v.Image.Version, v.ImageBuildVersionARN
	e.Started, e.Ended = optionalTime(v.Start), optionalTime(v.End)
	e.Duration, e.Steps = seconds(v.Duration(now)), (*steps)(v.Steps)
	return e
}

// Href leads to the page of the execution.
func (e *execution) Href() string { return executionHref(e.ID) }

// PipelineHref leads to the page of its pipeline.
func (e *execution) PipelineHref() string {
	return pipelineHref(e.Section.Name, e.Section.Region, e.Pipeline)
}

// newSteps returns the steps of x in the order of their start; nil when they are not known.
func newSteps(x *lookup.Execution, now time.Time) []step {
	if x.Value == nil {
		return nil
	}
	var all []step
	for _, s := range x.Steps {
		all = append(all, step{
			ID: s.ID, Name: s.Name, Action: s.Action, Status: s.Status,
			Started: optionalTime(s.Start), Duration: seconds(s.Duration(now, x.Value.Status.Final())), Message: s.Message,
		})
	}
	slices.SortStableFunc(all, func(a, b step) int { return compareStarts(a.Started, b.Started) })
	return all
}

// compareStarts compares when things have begun. Those that have not come last.
func compareStarts(a, b *time.Time) int {
	never := time.Unix(1<<40, 0)
	return valueOr(a, never).Compare(valueOr(b, never))
}

func seconds(d time.Duration, ok bool) *float64 {
	if !ok {
		return nil
	}
	return new(d.Seconds())
}
