package emulator

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// The patterns of the API reference.
var (
	executionID = regexp.MustCompile(`^wf-[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
	stepID      = regexp.MustCompile(`^step-[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
)

func (q *request) getWorkflowExecution() (any, error) {
	id := q.input.WorkflowExecutionID
	if !executionID.MatchString(id) {
		return nil, invalid("workflowExecutionId")
	}
	execution, ok := q.scenario.WorkflowExecution(strings.ToLower(id), q.now)
	if !ok || !q.sees(execution.ImageBuildVersionARN) {
		return nil, unknown("workflow execution", id)
	}
	execution.RequestID = q.id
	return execution, nil
}

// run returns the run with the execution or step id of the request.
func (q *request) run(id string) (*Run, bool) {
	runs := q.scenario.WorkflowRuns(strings.ToLower(id), q.now)
	if len(runs) == 0 || !q.sees(runs[0].ImageBuildVersionARN) {
		return nil, false
	}
	return &runs[0], true
}

// listedExecution is a row of ListWorkflowExecutions. It shadows what belongs to the
// list as a whole.
type listedExecution struct {
	Execution
	RequestID            string `json:"requestId,omitempty"`
	ImageBuildVersionARN string `json:"imageBuildVersionArn,omitempty"`
	Retried              bool   `json:"retried"`
}

func (q *request) listWorkflowExecutions() (any, error) {
	image := q.input.ImageBuildVersionARN
	if !imageBuildVersionARN.MatchString(image) {
		return nil, invalid("imageBuildVersionArn")
	}
	runs := q.scenario.WorkflowRuns(image, q.now)
	if !q.sees(image) || len(runs) == 0 && len(q.scenario.ImageBuilds(image, q.now)) == 0 {
		return nil, unknown("image", image)
	}
	runs, next, err := page(q, runs, func(r Run) string { return r.ID })
	if err != nil {
		return nil, err
	}
	rows := []listedExecution{}
	for _, r := range runs {
		rows = append(rows, listedExecution{Execution: r.At(q.now), Retried: r.Retried})
	}
	return struct {
		RequestID            string            `json:"requestId"`
		WorkflowExecutions   []listedExecution `json:"workflowExecutions"`
		ImageBuildVersionARN string            `json:"imageBuildVersionArn"`
		NextToken            string            `json:"nextToken,omitempty"`
	}{q.id, rows, image, next}, nil
}

// step is a row of ListWorkflowStepExecutions.
type step struct {
	StepExecutionID string `json:"stepExecutionId"`
	Name            string `json:"name,omitempty"`
	Description     string `json:"description,omitempty"`
	Action          string `json:"action,omitempty"`
	Status          string `json:"status"`
	RollbackStatus  string `json:"rollbackStatus,omitempty"`
	Message         string `json:"message,omitempty"`
	Inputs          string `json:"inputs,omitempty"`
	Outputs         string `json:"outputs,omitempty"`
	StartTime       string `json:"startTime,omitempty"`
	EndTime         string `json:"endTime,omitempty"`
}

// steps returns the steps of r as they are at the time of the request.
func (q *request) steps(r *Run) []step {
	var steps []step
	for n, c := range r.course(q.now).steps {
		s := step{
			StepExecutionID: r.StepID(n), Name: r.Steps[n].Name, Action: r.Steps[n].Action, Status: c.status,
			Description: "Runs " + cmp.Or(r.Steps[n].Action, "the action") + ".", RollbackStatus: c.rollback, Message: c.message,
			StartTime: timestamp(c.start), EndTime: timestamp(c.end),
		}
		if !c.start.IsZero() {
			s.Inputs = `{"parameters":{"Password":"input-secret"}}`
		}
		if c.status == "COMPLETED" {
			s.Outputs = `{"result":"output-secret"}`
		}
		steps = append(steps, s)
	}
	return steps
}

func (q *request) listWorkflowStepExecutions() (any, error) {
	id := q.input.WorkflowExecutionID
	if !executionID.MatchString(id) {
		return nil, invalid("workflowExecutionId")
	}
	r, ok := q.run(id)
	if !ok {
		return nil, unknown("workflow execution", id)
	}
	rows, next, err := page(q, q.steps(r), func(s step) string { return s.StepExecutionID })
	return struct {
		RequestID               string `json:"requestId"`
		Steps                   []step `json:"steps"`
		WorkflowBuildVersionARN string `json:"workflowBuildVersionArn,omitempty"`
		WorkflowExecutionID     string `json:"workflowExecutionId"`
		ImageBuildVersionARN    string `json:"imageBuildVersionArn,omitempty"`
		NextToken               string `json:"nextToken,omitempty"`
	}{q.id, rows, r.WorkflowBuildVersionARN, r.ID, r.ImageBuildVersionARN, next}, err
}

func (q *request) getWorkflowStepExecution() (any, error) {
	id := q.input.StepExecutionID
	if !stepID.MatchString(id) {
		return nil, invalid("stepExecutionId")
	}
	r, ok := q.run(id)
	if !ok {
		return nil, unknown("step execution", id)
	}
	steps := q.steps(r)
	n := slices.IndexFunc(steps, func(s step) bool { return s.StepExecutionID == strings.ToLower(id) })
	if n < 0 {
		return nil, unknown("step execution", id)
	}
	onFailure := "Abort"
	if r.Steps[n].Ends == FailedIgnored {
		onFailure = "Continue"
	}
	return struct {
		RequestID string `json:"requestId"`
		step
		WorkflowBuildVersionARN string `json:"workflowBuildVersionArn,omitempty"`
		WorkflowExecutionID     string `json:"workflowExecutionId"`
		ImageBuildVersionARN    string `json:"imageBuildVersionArn,omitempty"`
		OnFailure               string `json:"onFailure"`
		TimeoutSeconds          int    `json:"timeoutSeconds"`
	}{q.id, steps[n], r.WorkflowBuildVersionARN, r.ID, r.ImageBuildVersionARN, onFailure, 43200}, nil
}

// waitingStep is a row of ListWaitingWorkflowSteps.
type waitingStep struct {
	StepExecutionID         string `json:"stepExecutionId"`
	ImageBuildVersionARN    string `json:"imageBuildVersionArn,omitempty"`
	WorkflowExecutionID     string `json:"workflowExecutionId"`
	WorkflowBuildVersionARN string `json:"workflowBuildVersionArn,omitempty"`
	Name                    string `json:"name,omitempty"`
	Action                  string `json:"action,omitempty"`
	StartTime               string `json:"startTime,omitempty"`
}

func (q *request) listWaitingWorkflowSteps() (any, error) {
	var rows []waitingStep
	for _, r := range q.scenario.WorkflowRuns("", q.now) {
		if !q.sees(r.ImageBuildVersionARN) {
			continue
		}
		for _, s := range q.steps(&r) {
			if s.Status == "WAITING" {
				rows = append(rows, waitingStep{s.StepExecutionID, r.ImageBuildVersionARN, r.ID, r.WorkflowBuildVersionARN, s.Name, s.Action, s.StartTime})
			}
		}
	}
	rows, next, err := page(q, rows, func(s waitingStep) string { return s.StepExecutionID })
	return struct {
		Steps     []waitingStep `json:"steps"`
		NextToken string        `json:"nextToken,omitempty"`
	}{rows, next}, err
}
