package emulator

import (
	"fmt"
	"strings"
	"time"
)

// Run is the course of one workflow execution. What the API answers at any time
// follows from it and the clock.
type Run struct {
	ID                      string // wf- and a UUID
	ImageBuildVersionARN    string // filled in for a run of an Image
	WorkflowBuildVersionARN string
	Type                    string // BUILD, TEST or DISTRIBUTION; may be empty
	ParallelGroup           string
	Start                   time.Time // PENDING until then; zero means always PENDING
	Steps                   []Step    // in sequence

	// Rollback is how long the rollback takes when a step fails; 0 for none.
	Rollback time.Duration

	// Cancelled is the time from Start until it is cancelled; 0 means never. It has no effect after
	// the end.
	Cancelled time.Duration

	// Skipped makes it end at its start, with all steps skipped.
	Skipped bool

	// Retried is set in the lists of a Scenario when a later attempt has replaced it.
	Retried bool
}

// Step is one step of a Run.
type Step struct {
	Name   string // as in the workflow document: LaunchBuildInstance
	Action string // the step action: LaunchInstance
	Takes  time.Duration
	Ends   Outcome
	Waits  bool // it waits for an action while it lasts: WAITING instead of RUNNING

	Timeout time.Duration // only reported, as timeoutSeconds; 0 means 12 hours

	Inputs  string // JSON, visible from its start; "" means {}
	Outputs string // JSON, visible once it has completed; "" means {}

	// What the failureContext of the image adds when the step has Failed.
	Component *ComponentFailure
	Regions   []RegionFailure // of a distribution
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

// Execution is a workflow execution as GetWorkflowExecution answers it. An empty
// string is left out of the answer, as the service does with what it does not know.
type Execution struct {
	RequestID               string `json:"requestId,omitempty"`
	WorkflowBuildVersionARN string `json:"workflowBuildVersionArn,omitempty"`
	WorkflowExecutionID     string `json:"workflowExecutionId,omitempty"`
	ImageBuildVersionARN    string `json:"imageBuildVersionArn,omitempty"`
	Type                    string `json:"type,omitempty"`
	Status                  string `json:"status,omitempty"`
	Message                 string `json:"message,omitempty"`
	TotalStepCount          int    `json:"totalStepCount"`
	TotalStepsSucceeded     int    `json:"totalStepsSucceeded"`
	TotalStepsFailed        int    `json:"totalStepsFailed"`
	TotalStepsSkipped       int    `json:"totalStepsSkipped"`
	StartTime               string `json:"startTime,omitempty"`
	EndTime                 string `json:"endTime,omitempty"`
	ParallelGroup           string `json:"parallelGroup,omitempty"`
}

// At returns what the API answers about r at that time.
func (r Run) At(now time.Time) Execution {
	c := r.course(now)
	e := Execution{
		WorkflowExecutionID:     r.ID,
		WorkflowBuildVersionARN: r.WorkflowBuildVersionARN,
		ImageBuildVersionARN:    r.ImageBuildVersionARN,
		Type:                    r.Type,
		ParallelGroup:           r.ParallelGroup,
		Status:                  c.status,
		Message:                 c.message,
		TotalStepCount:          len(r.Steps),
		EndTime:                 timestamp(c.end),
	}
	if c.status != "PENDING" {
		e.StartTime = Timestamp(r.Start)
	}
	for _, s := range c.steps {
		switch s.status {
		case "COMPLETED":
			e.TotalStepsSucceeded++
		case "FAILED":
			e.TotalStepsFailed++
		case "SKIPPED":
			e.TotalStepsSkipped++
		}
	}
	return e
}

// end returns when the last step ends, if nothing stops r before.
func (r *Run) end() time.Time {
	end := r.Start
	for _, s := range r.Steps {
		if s.Ends != SkippedStep {
			end = end.Add(s.Takes)
		}
	}
	return end
}

// step returns the number of the step with an id in lower case, -1 when there is none.
func (r *Run) step(id string) int {
	for n := range r.Steps {
		if r.StepID(n) == id {
			return n
		}
	}
	return -1
}

// StepID returns the id of the nth step, counted from 0.
func (r Run) StepID(n int) string {
	return fmt.Sprintf("%s%012x", r.stepIDs(), (digest(r.ID)+uint64(n))&0xffffffffffff)
}

// stepIDsLength is how much of a step's id is that of all steps of its run.
const stepIDsLength = len("step-00000000-0000-0000-0000-")

// stepIDs returns what the ids of all steps begin with.
func (r Run) stepIDs() string {
	id := strings.ToLower(r.ID)
	hi, lo := digest("step", id), digest("of", id)
	return fmt.Sprintf("step-%08x-%04x-%04x-%04x-", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48)
}

// Timestamp formats a time like the service: RFC 3339 in UTC, with milliseconds.
func Timestamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// timestamp is Timestamp, and "" for the zero time, which stands for none.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return Timestamp(t)
}
