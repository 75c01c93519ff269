package status

import (
	"slices"
	"strings"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// choosesTarget reports whether the filters let a target in a region through.
func (q query) choosesTarget(s *lookup.Snapshot) bool {
	return (q.Target == "" || q.Target == s.Name) && (q.Region == "" || q.Region == s.Region)
}

// choosesRows reports whether a filter is about rows, and not only about targets.
func (q query) choosesRows() bool { return q.Status != "" || q.Pipeline != "" || q.Text != "" }

// says reports whether one of texts has the text that q looks for, in upper or lower case.
func (q query) says(texts ...string) bool {
	return q.Text == "" || strings.Contains(strings.ToLower(strings.Join(texts, "\n")), strings.ToLower(q.Text))
}

// matches reports whether e passes the filters of rows.
func (e *execution) matches(q query) bool {
	if q.Status != "" && q.Status != e.Status || q.Pipeline != "" && q.Pipeline != e.Pipeline {
		return false
	}
	return q.says(e.ID, e.Status, e.Type, e.Image, e.Version, e.ImageARN, e.Pipeline, e.Message, e.Error)
}

// imagesThat returns those of images that pass the filters of rows. It changes images.
func imagesThat(q query, images []*lookup.Image) []*lookup.Image {
	if !q.choosesRows() {
		return images
	}
	return slices.DeleteFunc(images, func(i *lookup.Image) bool {
		if q.Status != "" && q.Status != string(i.Status) || q.Pipeline != "" && q.Pipeline != i.Pipeline {
			return true
		}
		texts := []string{i.ARN, i.Build.Name, i.Build.Version, string(i.Status), i.Pipeline, i.Image.Reason, i.Reason}
		if why := newFailure(i.Failed); why != nil {
			texts = append(texts, why.Where(), why.Error)
		}
		for _, o := range i.Outputs {
			texts = append(texts, o.ID)
		}
		return !q.says(texts...)
	})
}

// matches reports whether p passes the filters of rows but that of its name. The status is its
// state, or that of its last run.
func (p *pipeline) matches(q query) bool {
	if q.Status != "" && q.Status != p.LastRun && !strings.EqualFold(q.Status, p.State) {
		return false
	}
	return q.says(p.ARN, p.Name, p.State, p.LastRun, p.Tags, p.Why)
}

// waitingThat returns those of steps that pass the filters of rows. rows are all executions, in the
// order of their ids. A step that waits has the status of its execution, and WAITING.
func waitingThat(q query, steps []lookup.WaitingStep, rows []*execution) []lookup.WaitingStep {
	if !q.choosesRows() {
		return steps
	}
	return slices.DeleteFunc(slices.Clone(steps), func(w lookup.WaitingStep) bool {
		e := find(rows, w.ExecutionID)
		if e == nil {
			return true
		}
		rest := q // without the text, which may be that of the step
		rest.Text = ""
		if q.Status == string(imagebuilder.StatusWaiting) {
			rest.Status = ""
		}
		return !e.matches(rest) || !q.says(w.Name, e.ID, e.Status, e.Type, e.Image, e.Version, e.Pipeline, e.Message)
	})
}

// find returns the execution with this id, nil when it is not one of rows, which are in the order
// of their ids.
func find(rows []*execution, id string) *execution {
	i, found := slices.BinarySearchFunc(rows, id, func(e *execution, id string) int { return strings.Compare(e.ID, id) })
	if !found {
		return nil
	}
	return rows[i]
}
