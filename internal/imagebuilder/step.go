package imagebuilder

import "time"

// Step is the execution of one step of a workflow, as the API described it at one
// moment. What goes into a step and comes out of it may be secret and is not read.
type Step struct {
	ID             string // never empty
	Name           string // as the workflow document names it
	Action         string // the step action: ExecuteComponents, WaitForAction, ...
	Status         string // PENDING, RUNNING, WAITING, ...: the API's own text
	RollbackStatus string
	Message        string    // for people
	Start, End     time.Time // zero when not given or not readable; End also when before Start
}

// Duration returns how long the step ran until it ended or, while its execution has
// not ended, until now. It reports false when that is not known.
func (s *Step) Duration(now time.Time, executionEnded bool) (time.Duration, bool) {
	return elapsed(s.Start, s.End, executionEnded || Status(s.Status).Final(), now)
}

// WaitingStep is a step that waits for somebody's approval.
type WaitingStep struct {
	ExecutionID string // in lower case
	ID          string
	Name        string
	Action      string
	Since       time.Time // never zero
}
