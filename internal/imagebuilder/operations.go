package imagebuilder

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
)

// Other operations of an Error: one of STS, and getting credentials.
const (
	Authenticate      Operation = "Authenticate"
	getCallerIdentity Operation = "GetCallerIdentity"
)

// operation has the facts about an Operation.
type operation struct {
	name Operation
	// subject names what it asks about, as a key of log lines; empty for the whole
	// account and region.
	subject string
	// resource is what IAM policies name, behind arn:PARTITION:imagebuilder:REGION:ACCOUNT:;
	// * stands for every resource, without that prefix.
	resource string
	// discovery operations find out what there is. They get a share of the limits.
	discovery bool
	// optional operations say nothing about whether Image Builder answers: their
	// permissions may be missing.
	optional bool
}

// operations has each Operation once.
var operations = []operation{
	{name: GetWorkflowExecution, subject: "workflow_execution_id", resource: "workflow-execution/*"},
	{name: ListWorkflowExecutions, subject: "image_build_version_arn", resource: "image/*"},
	{name: ListWorkflowStepExecutions, subject: "workflow_execution_id", resource: "workflow-execution/*", optional: true},
	{name: ListWaitingWorkflowSteps, resource: "*", optional: true},
	{name: ListImagePipelines, resource: "*", discovery: true},
	{name: ListImagePipelineImages, subject: "image_pipeline_arn", resource: "image-pipeline/*", discovery: true},
	{name: ListImageBuildVersions, subject: "image_version_arn", resource: "image/*", discovery: true},
	{name: GetImage, subject: "image_build_version_arn", resource: "image/*", discovery: true},
}

// Operations returns every operation of Image Builder that the exporter calls.
func Operations() []Operation {
	all := make([]Operation, len(operations))
	for i := range operations {
		all[i] = operations[i].name
	}
	return all
}

// facts returns the row of o, and an empty one for an operation of another service.
func (o Operation) facts() operation {
	for _, row := range operations {
		if row.name == o {
			return row
		}
	}
	return operation{name: o}
}

// Subject returns what o asks about, as a key of log lines; empty for the whole account
// and region.
func (o Operation) Subject() string { return o.facts().subject }

// Resource returns the resource of o in IAM policies: what follows the account in an
// ARN, or * for every resource.
func (o Operation) Resource() string { return o.facts().resource }

// Discovery reports whether o finds out what there is.
func (o Operation) Discovery() bool { return o.facts().discovery }

// Optional reports whether the exporter does without o when its permission is missing.
func (o Operation) Optional() bool { return o.facts().optional }
