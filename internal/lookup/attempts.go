package lookup

import (
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// retriedWithSuccess returns the ids of those executions of one image whose workflow has
// completed in a later attempt, which is what RetryImage makes. Nil means none.
//
// No answer has the attempts, so they are concluded: an attempt begins with an execution of
// a BUILD or DISTRIBUTION workflow that starts when another one of the same workflow has
// ended. Executions side by side, or of a TEST workflow, begin none: a build may run a
// workflow several times. The flag "retried" (ListWorkflowExecutions) on one of two
// executions of a workflow also tells that the later one belongs to a later attempt; it is
// not known which of the two it marks.
func retriedWithSuccess(executions []*imagebuilder.Execution) map[string]bool {
	byWorkflow := map[string][]*imagebuilder.Execution{}
	for _, x := range executions {
		if x.WorkflowBuildVersionARN != "" && !x.Start.IsZero() {
			byWorkflow[x.WorkflowBuildVersionARN] = append(byWorkflow[x.WorkflowBuildVersionARN], x)
		}
	}
	if len(byWorkflow) == len(executions) { // each workflow once
		return nil
	}
	var begins []time.Time // of the attempts after the first one, in their order
	for _, same := range byWorkflow {
		slices.SortFunc(same, func(a, b *imagebuilder.Execution) int { return a.Start.Compare(b.Start) })
		begins = append(begins, attemptsIn(same)...)
	}
	slices.SortFunc(begins, time.Time.Compare)
	var retried map[string]bool
	for _, same := range byWorkflow {
		for _, x := range same {
			if hasLaterSuccess(x, same, begins) {
				if retried == nil {
					retried = map[string]bool{}
				}
				retried[x.ID] = true
			}
		}
	}
	return retried
}

// attemptsIn returns when attempts begin with one of these executions of one workflow, which
// are in the order of their starts.
func attemptsIn(same []*imagebuilder.Execution) (begins []time.Time) {
	if same[0].WorkflowType == "TEST" {
		return nil
	}
	var ended time.Time // when the first of those before has ended, zero for not
	for _, x := range same {
		if !ended.IsZero() && !x.Start.Before(ended) {
			begins = append(begins, x.Start)
		}
		if !x.End.IsZero() && (ended.IsZero() || x.End.Before(ended)) {
			ended = x.End
		}
	}
	return begins
}

// sameAttempt reports whether two values of one execution say the same about the attempt that
// it is.
func sameAttempt(a, b *imagebuilder.Execution) bool {
	return a.Status == b.Status && a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.Retried == b.Retried &&
		a.WorkflowType == b.WorkflowType && a.WorkflowBuildVersionARN == b.WorkflowBuildVersionARN &&
		a.ImageBuildVersionARN == b.ImageBuildVersionARN
}

// hasLaterSuccess reports whether one of same, the executions of x's workflow, has completed
// in an attempt after that of x.
func hasLaterSuccess(x *imagebuilder.Execution, same []*imagebuilder.Execution, begins []time.Time) bool {
	return slices.ContainsFunc(same, func(y *imagebuilder.Execution) bool {
		if !y.Status.Good() || !y.Start.After(x.Start) {
			return false
		}
		next, _ := slices.BinarySearchFunc(begins, x.Start.Add(1), time.Time.Compare)
		later := next < len(begins) && !begins[next].After(y.Start)
		told := (x.Retried || y.Retried) && !y.Start.Before(x.End)
		return later || told
	})
}
