package imagebuilder

import (
	"maps"
	"slices"
)

// Operation is an operation of the API by its name in the API reference.
type Operation string

// The operations that the exporter calls.
const (
	GetWorkflowExecution       Operation = "GetWorkflowExecution"
	ListWorkflowExecutions     Operation = "ListWorkflowExecutions"
	ListWorkflowStepExecutions Operation = "ListWorkflowStepExecutions"
	ListWaitingWorkflowSteps   Operation = "ListWaitingWorkflowSteps"
	ListImagePipelines         Operation = "ListImagePipelines"
	ListImagePipelineImages    Operation = "ListImagePipelineImages"
	ListImageBuildVersions     Operation = "ListImageBuildVersions"
	GetImage                   Operation = "GetImage"
	GetWorkflowStepExecution   Operation = "GetWorkflowStepExecution"
	ListImages                 Operation = "ListImages"
)

// Other operations of an Error: one of STS, and getting credentials.
const (
	Authenticate      Operation = "Authenticate"
	getCallerIdentity Operation = "GetCallerIdentity"
)

// operation is what the methods of an Operation return, zero for those of other services.
type operation struct {
	subject, resource   string
	discovery, optional bool
	pages               int // that a list may have; 0 for maxPages
}

// operations has each Operation of Image Builder.
var operations = map[Operation]operation{
	GetWorkflowExecution:       {subject: "workflow_execution_id", resource: "workflow-execution/*"},
	ListWorkflowExecutions:     {subject: "image_build_version_arn", resource: "image/*"},
	ListWorkflowStepExecutions: {subject: "workflow_execution_id", resource: "workflow-execution/*", optional: true, pages: 25},
	ListWaitingWorkflowSteps:   {resource: "*", optional: true},
	ListImagePipelines:         {resource: "*", discovery: true},
	ListImagePipelineImages:    {subject: "image_pipeline_arn", resource: "image-pipeline/*", discovery: true},
	ListImageBuildVersions:     {subject: "image_version_arn", resource: "image/*", discovery: true},
	GetImage:                   {subject: "image_build_version_arn", resource: "image/*", discovery: true},
	GetWorkflowStepExecution:   {subject: "step_execution_id", resource: "workflow-step-execution/*", optional: true},
	ListImages:                 {resource: "*", discovery: true},
}

// Operations returns every operation of Image Builder that the exporter calls.
func Operations() []Operation { return slices.Sorted(maps.Keys(operations)) }

// Subject returns what o asks about, as a key of log lines; empty for the whole account
// and region.
func (o Operation) Subject() string { return operations[o].subject }

// Resource returns the resource of o in IAM policies: what follows
// arn:PARTITION:imagebuilder:REGION:ACCOUNT: or, for every resource, * without that prefix.
func (o Operation) Resource() string { return operations[o].resource }

// Discovery reports whether o finds out what there is, within a share of the limits.
func (o Operation) Discovery() bool { return operations[o].discovery }

// Optional reports whether the exporter does without o when its permission is missing. Then
// it says nothing about whether Image Builder answers.
func (o Operation) Optional() bool { return operations[o].optional }
