package emulator

import (
	"cmp"
	"strings"
	"time"
)

func (q *request) getWorkflowExecution() (any, error) {
	id := q.input.WorkflowExecutionID
	execution, ok := q.scenario.WorkflowExecution(strings.ToLower(id), q.now)
	if !ok || !q.sees(execution.ImageBuildVersionARN) {
		return nil, unknown("workflow execution", id)
	}
	execution.RequestID = q.id
	return execution, nil
}

func (q *request) listWorkflowExecutions() (any, error) {
	image := q.input.ImageBuildVersionARN
	runs := q.scenario.WorkflowRuns(image, q.now)
	if !q.sees(image) || len(runs) == 0 && len(q.scenario.ImageBuilds(image, q.now)) == 0 {
		return nil, unknown("image", image)
	}
	type execution struct {
		Execution
		Retried bool `json:"retried"`
	}
	return page(q, answer{"requestId": q.id, "imageBuildVersionArn": image}, "workflowExecutions", runs, func(r *Run) execution {
		e := r.At(q.now)
		e.ImageBuildVersionARN = "" // it is that of the whole list
		return execution{e, r.Retried}
	})
}

func (r Run) id() string { return r.ID }

// run returns the run with the execution or step id of the request, nil when there is none.
func (q *request) run(id string) *Run {
	runs := q.scenario.WorkflowRuns(strings.ToLower(id), q.now)
	if len(runs) == 0 || !q.sees(runs[0].ImageBuildVersionARN) {
		return nil
	}
	return &runs[0]
}

// step is one in the answers of all operations; each shows some of this.
type step struct {
	RequestID               string `json:"requestId,omitempty"`
	StepExecutionID         string `json:"stepExecutionId"`
	WorkflowBuildVersionARN string `json:"workflowBuildVersionArn,omitempty"`
	WorkflowExecutionID     string `json:"workflowExecutionId,omitempty"`
	ImageBuildVersionARN    string `json:"imageBuildVersionArn,omitempty"`
	Name                    string `json:"name,omitempty"`
	Description             string `json:"description,omitempty"`
	Action                  string `json:"action,omitempty"`
	Status                  string `json:"status,omitempty"`
	RollbackStatus          string `json:"rollbackStatus,omitempty"`
	Message                 string `json:"message,omitempty"`
	Inputs                  string `json:"inputs,omitempty"`
	Outputs                 string `json:"outputs,omitempty"`
	StartTime               string `json:"startTime,omitempty"`
	EndTime                 string `json:"endTime,omitempty"`
	OnFailure               string `json:"onFailure,omitempty"`
	TimeoutSeconds          int    `json:"timeoutSeconds,omitempty"`
}

func (s step) id() string { return s.StepExecutionID }

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
			s.Inputs = cmp.Or(r.Steps[n].Inputs, "{}")
		}
		if c.status == "COMPLETED" {
			s.Outputs = cmp.Or(r.Steps[n].Outputs, "{}")
		}
		steps = append(steps, s)
	}
	return steps
}

// setRun says which run s belongs to.
func (s *step) setRun(r *Run) {
	s.WorkflowExecutionID = r.ID
	s.WorkflowBuildVersionARN, s.ImageBuildVersionARN = r.WorkflowBuildVersionARN, r.ImageBuildVersionARN
}

func (q *request) listWorkflowStepExecutions() (any, error) {
	r := q.run(q.input.WorkflowExecutionID)
	if r == nil {
		return nil, unknown("workflow execution", q.input.WorkflowExecutionID)
	}
	body := answer{
		"requestId": q.id, "workflowExecutionId": r.ID,
		"workflowBuildVersionArn": r.WorkflowBuildVersionARN, "imageBuildVersionArn": r.ImageBuildVersionARN,
	}
	return page(q, body, "steps", q.steps(r), func(s *step) *step { return s })
}

func (q *request) getWorkflowStepExecution() (any, error) {
	id := q.input.StepExecutionID
	if r := q.run(id); r != nil {
		for n, s := range q.steps(r) {
			if s.StepExecutionID != strings.ToLower(id) {
				continue
			}
			s.setRun(r)
			s.RequestID, s.OnFailure = q.id, "Abort"
			s.TimeoutSeconds = int(cmp.Or(r.Steps[n].Timeout, 12*time.Hour) / time.Second)
			if r.Steps[n].Ends == FailedIgnored {
				s.OnFailure = "Continue"
			}
			return s, nil
		}
	}
	return nil, unknown("step execution", id)
}

func (q *request) listWaitingWorkflowSteps() (any, error) {
	var rows []step
	for _, r := range q.scenario.WorkflowRuns("", q.now) {
		if !q.sees(r.ImageBuildVersionARN) {
			continue
		}
		for _, s := range q.steps(&r) {
			if s.Status == "WAITING" {
				s = step{StepExecutionID: s.StepExecutionID, Name: s.Name, Action: s.Action, StartTime: s.StartTime}
				s.setRun(&r)
				rows = append(rows, s)
			}
		}
	}
	return page(q, answer{}, "steps", rows, func(s *step) *step { return s })
}
