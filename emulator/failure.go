package emulator

import (
	"cmp"
	"fmt"
	"slices"
)

// Failure is the failureContext of an image that FAILED. What is empty is left out of the
// answers, so that the zero Failure is an empty object.
type Failure struct {
	Stage           string               `json:"imageStatus,omitempty"` // the status of the image when it failed: BUILDING
	WorkflowARN     string               `json:"workflowArn,omitempty"`
	ExecutionID     string               `json:"workflowExecutionId,omitempty"`
	StepExecutionID string               `json:"stepExecutionId,omitempty"`
	Step            string               `json:"failedStep,omitempty"` // its name
	Component       *ComponentFailure    `json:"componentFailure,omitempty"`
	Distribution    *DistributionFailure `json:"distributionFailure,omitempty"`
}

// ComponentFailure says where in a component a step failed.
type ComponentFailure struct {
	ARN     string `json:"componentArn,omitempty"`
	Phase   string `json:"phaseName,omitempty"` // build, validate or test
	Step    string `json:"stepName,omitempty"`
	Action  string `json:"action,omitempty"` // ExecuteBash
	Message string `json:"errorMessage,omitempty"`
}

// DistributionFailure says where an image could not be distributed to.
type DistributionFailure struct {
	Message string          `json:"errorMessage,omitempty"`
	Regions []RegionFailure `json:"regionFailures,omitempty"`
}

// RegionFailure is the failure of a distribution to one region of one account.
type RegionFailure struct {
	Region            string `json:"region,omitempty"`
	Status            string `json:"status,omitempty"` // FAILED, CANCELLED or TIMED_OUT
	AccountID         string `json:"targetAccountId,omitempty"`
	ConfigurationStep string `json:"imageConfigurationStep,omitempty"`
	Message           string `json:"errorMessage,omitempty"`
}

// FailureContext says which answers carry the failureContext of an image: the service's
// reference shows it in all of them.
type FailureContext int

// Where the failureContext is.
const (
	FailureContextEverywhere FailureContext = iota
	FailureContextInGetImage                // not in the lists of images
	FailureContextInLists                   // not in the answers of GetImage
	FailureContextNowhere
)

// show returns f if answers of that kind carry it, else nil.
func (c FailureContext) show(f *Failure, listed bool) *Failure {
	if c == FailureContextNowhere || c == FailureContextInGetImage && listed || c == FailureContextInLists && !listed {
		return nil
	}
	return f
}

// stages are the statuses of images by the type of the execution that is going on.
var stages = map[string]string{"BUILD": "BUILDING", "TEST": "TESTING", "DISTRIBUTION": "DISTRIBUTING"}

// failure returns what is known of the failure of an image that r has failed.
func (r *Run) failure() *Failure {
	f := &Failure{Stage: stages[cmp.Or(r.Type, "BUILD")], WorkflowARN: r.WorkflowBuildVersionARN, ExecutionID: r.ID}
	n := slices.IndexFunc(r.Steps, func(s Step) bool { return s.Ends == Failed })
	if n < 0 {
		return f
	}
	s := &r.Steps[n]
	f.StepExecutionID, f.Step, f.Component = r.StepID(n), s.Name, s.Component
	if len(s.Regions) > 0 {
		f.Distribution = &DistributionFailure{fmt.Sprintf("Distribution failed in %d Regions.", len(s.Regions)), s.Regions}
	}
	return f
}
