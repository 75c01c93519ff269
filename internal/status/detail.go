package status

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// detail is the page of one execution, and what clients get as JSON.
type detail struct {
	Time    time.Time `json:"time"` // when it was made
	Version string    `json:"-"`
	Query   query     `json:"-"`
	// Found has the execution as each target that follows it knows it: first those that know
	// most. It is empty when none does.
	Found []found `json:"workflow_executions"`
}

// Root leads from the page to where the exporter's pages are.
func (*detail) Root() string { return "../" }

// found is an execution as a target knows it.
type found struct {
	Target string `json:"target"`
	Region string `json:"region"`
	*execution
	Waiting []waiting `json:"waiting_steps,omitempty"`
	// Made is the image build that the execution is part of, nil for not known.
	Made   *image       `json:"image,omitempty"`
	Others []*execution `json:"-"` // those of the same build, itself included, in the order of their start
}

// newDetail returns the page of the execution with this id.
func newDetail(all []lookup.Snapshot, id string, q query, now time.Time) *detail {
	d := &detail{Time: now.UTC(), Query: q, Found: []found{}}
	for i := range all {
		s := &all[i]
		executions := s.AllExecutions()
		at, ok := slices.BinarySearchFunc(executions, id, func(x *lookup.Execution, id string) int { return strings.Compare(x.ID, id) })
		if ok {
			d.Found = append(d.Found, newFound(s, executions, executions[at]))
		}
	}
	slices.SortStableFunc(d.Found, func(a, b found) int { return cmp.Compare(b.knowledge(), a.knowledge()) })
	return d
}

func newFound(s *lookup.Snapshot, executions []*lookup.Execution, x *lookup.Execution) found {
	f := found{Target: s.Name, Region: s.Region, execution: newExecution(x, s.Time)}
	f.StepRows = newSteps(x, s.Time)
	f.Waiting = newWaiting(s, slices.DeleteFunc(slices.Clone(s.Waiting), func(w lookup.WaitingStep) bool { return w.ExecutionID != x.ID }))
	if x.Value == nil || f.ImageARN == "" {
		return f
	}
	for _, other := range executions {
		if other.Value != nil && other.Value.ImageBuildVersionARN == f.ImageARN {
			f.Others = append(f.Others, newExecution(other, s.Time))
		}
	}
	slices.SortFunc(f.Others, func(a, b *execution) int { return cmp.Or(compareStarts(a.Started, b.Started), cmp.Compare(a.ID, b.ID)) })
	for _, i := range s.AllImages() {
		if i.ARN == f.ImageARN {
			f.Made = new(newImage(i, pipelinesByName(s)[i.Pipeline]))
		}
	}
	return f
}

// foundOn is what a template needs to show an execution on its page.
type foundOn struct {
	Page  *detail
	Value *found
}

func newFoundOn(d *detail, f found) foundOn { return foundOn{d, &f} }

// knowledge is larger the more is known.
func (f *found) knowledge() int {
	n := 0
	if f.Status != "" {
		n += 2
	}
	if len(f.StepRows) > 0 {
		n++
	}
	return n
}

// Failure says why the build failed, if it did so in this execution; nil when that is not known.
func (f *found) Failure() *failure {
	if f.Made == nil || f.Made.Failure == nil || f.Made.Failure.ExecutionID != "" && f.Made.Failure.ExecutionID != f.ID {
		return nil
	}
	return f.Made.Failure
}

// Failed reports whether something went wrong in the execution.
func (f *found) Failed() bool { return imagebuilder.Status(f.Status).Failed() }

// BuildFailed reports whether the image build failed that the execution is part of.
func (f *found) BuildFailed() bool {
	return f.Made != nil && imagebuilder.ImageStatus(f.Made.Status).Failed()
}

// TargetHref leads to the page of its target.
func (f *found) TargetHref() string { return targetHref(f.Target, f.Region) }

// PipelineHref leads to the page of its pipeline.
func (f *found) PipelineHref() string { return pipelineHref(f.Target, f.Region, f.Pipeline) }

// stepBar is a row of the table of steps: a step and, in percent of the time from the start of the
// first step to the end of the last one, when it ran. X is empty when it has not begun.
type stepBar struct {
	step
	X, W string
}

// Bars returns the steps with their bars, which are at least 1 wide.
func (f *found) Bars() []stepBar {
	from, to := time.Time{}, time.Time{}
	for _, s := range f.StepRows {
		if s.Started != nil {
			if from.IsZero() {
				from = *s.Started
			}
			to = later(to, s.until())
		}
	}
	span := max(to.Sub(from), time.Second).Seconds()
	var all []stepBar
	for _, s := range f.StepRows {
		b := stepBar{step: s}
		if s.Started != nil {
			x := min(100*s.Started.Sub(from).Seconds()/span, 99)
			b.X = fmt.Sprintf("%.1f", x)
			b.W = fmt.Sprintf("%.1f", min(max(100*valueOr(s.Duration, 0)/span, 1), 100-x))
		}
		all = append(all, b)
	}
	return all
}

// until returns when s ended, or the moment until which it is known to have run.
func (s *step) until() time.Time {
	return s.Started.Add(time.Duration(valueOr(s.Duration, 0) * float64(time.Second)))
}

// executionHref leads to the page of an execution.
func executionHref(id string) string { return "executions/" + url.PathEscape(id) }

// pipelineHref leads to the page of a pipeline: that of all executions, filtered.
func pipelineHref(target, region, name string) string {
	return "executions?" + url.Values{"target": {target}, "region": {region}, "pipeline": {name}}.Encode()
}
