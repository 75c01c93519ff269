package status

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// columns are what executions can be sorted by.
var columns = map[string]func(a, b *execution) int{
	"status": func(a, b *execution) int { return cmp.Compare(a.Status, b.Status) },
	"type":   func(a, b *execution) int { return cmp.Compare(a.Type, b.Type) },
	"image": func(a, b *execution) int {
		return cmp.Or(cmp.Compare(a.Image, b.Image), a.build().Compare(b.build()))
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

// build returns an image that compares as the versions of e's do.
func (e *execution) build() *imagebuilder.Image {
	return &imagebuilder.Image{Build: imagebuilder.ImageBuildVersion{Version: e.Version}}
}

func newExecutions(s *lookup.Snapshot) []*execution {
	rows := make([]*execution, len(s.Executions))
	for i := range s.Executions {
		rows[i] = newExecution(&s.Executions[i], s.Time)
	}
	return rows
}

func newExecution(x *lookup.Execution, now time.Time) *execution {
	e := &execution{ID: x.ID, Pipeline: x.Pipeline, ReadAt: known(x.ReadAt), LookedUp: x.LookedUp, ErrorClass: string(x.Failure), Error: x.Reason, now: now}
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
