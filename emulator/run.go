package emulator

import (
	"strings"
	"time"
)

// Run is the course of one workflow execution. What the API answers at any time
// follows from it and the clock.
type Run struct {
	ID                      string // wf- and a UUID
	ImageBuildVersionARN    string
	WorkflowBuildVersionARN string
	Type                    string // BUILD, TEST or DISTRIBUTION; may be empty
	ParallelGroup           string
	Start                   time.Time // PENDING before; zero for PENDING for ever
	Steps                   []Step    // one after the other

	// Rollback is how long the rollback takes when a step fails; 0 for none.
	Rollback time.Duration

	// Cancelled is when somebody cancels it, counted from Start; 0 for never. It has
	// no effect after the end.
	Cancelled time.Duration

	// Skipped makes it end at its start, with every step skipped.
	Skipped bool
}

// Step is one step of a Run.
type Step struct {
	Name   string // as the workflow document names it: LaunchBuildInstance
	Action string // the step action: LaunchInstance
	Takes  time.Duration
	Ends   Outcome
}

// Outcome is how a step ends. The zero value is Succeeded.
type Outcome int

// How a step can end.
const (
	Succeeded     Outcome = iota
	SkippedStep           // its condition does not hold: it takes no time
	Failed                // the execution fails with it
	FailedIgnored         // its onFailure is Continue: the execution goes on
)

// At returns what the API answers about r at that time.
func (r Run) At(now time.Time) Execution {
	e := Execution{
		WorkflowExecutionID:     r.ID,
		WorkflowBuildVersionARN: r.WorkflowBuildVersionARN,
		ImageBuildVersionARN:    r.ImageBuildVersionARN,
		Type:                    r.Type,
		ParallelGroup:           r.ParallelGroup,
		Status:                  "PENDING",
		TotalStepCount:          len(r.Steps),
	}
	if r.Start.IsZero() || now.Before(r.Start) {
		return e
	}
	e.StartTime = Timestamp(r.Start)
	if r.Skipped {
		e.Status, e.TotalStepsSkipped, e.EndTime = "SKIPPED", len(r.Steps), e.StartTime
		return e
	}
	if r.Cancelled > 0 && !now.Before(r.Start.Add(r.Cancelled)) {
		if r.play(&e, r.Start.Add(r.Cancelled)); e.EndTime == "" {
			e.Status, e.Message = "CANCELLED", "Image build was cancelled."
			e.EndTime = Timestamp(r.Start.Add(r.Cancelled))
		}
		return e
	}
	r.play(&e, now)
	return e
}

// play lets the steps happen until now.
func (r Run) play(e *Execution, now time.Time) {
	e.Status = "RUNNING"
	at := r.Start
	for _, step := range r.Steps {
		if step.Ends != SkippedStep {
			at = at.Add(step.Takes)
		}
		if now.Before(at) {
			return
		}
		switch step.Ends {
		case Succeeded:
			e.TotalStepsSucceeded++
		case SkippedStep:
			e.TotalStepsSkipped++
		case FailedIgnored:
			e.TotalStepsFailed++
		case Failed:
			e.TotalStepsFailed++
			e.Message = "Step '" + step.Name + "' failed."
			r.fail(e, at, now)
			return
		}
	}
	e.Status, e.EndTime = "COMPLETED", Timestamp(at)
}

// fail ends e, which failed at that time, with or without a rollback.
func (r Run) fail(e *Execution, at, now time.Time) {
	end := at.Add(r.Rollback)
	switch {
	case r.Rollback == 0:
		e.Status, e.EndTime = "FAILED", Timestamp(at)
	case now.Before(end):
		e.Status = "ROLLBACK_IN_PROGRESS"
	default:
		e.Status, e.EndTime = "ROLLBACK_COMPLETED", Timestamp(end)
	}
}

// Timestamp writes a time as the service does: RFC 3339 in UTC, with milliseconds.
func Timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// Runs returns the Scenario of these runs. Of two with one id, the last counts.
func Runs(runs ...Run) Scenario {
	s := make(scenario, len(runs))
	for _, r := range runs {
		s[strings.ToLower(r.ID)] = r
	}
	return s
}

type scenario map[string]Run

// WorkflowExecution implements Scenario.
func (s scenario) WorkflowExecution(id string, now time.Time) (Execution, bool) {
	r, ok := s[id]
	if !ok {
		return Execution{}, false
	}
	return r.At(now), true
}
