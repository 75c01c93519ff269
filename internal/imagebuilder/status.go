package imagebuilder

import "slices"

// Status is the runtime status of a workflow execution or of a step, in the API's own
// words. Other values than the constants occur when the service learns new ones; they
// pass through unchanged.
type Status string

// The statuses of the API reference (GetWorkflowExecution, "status").
const (
	StatusPending            Status = "PENDING"
	StatusSkipped            Status = "SKIPPED"
	StatusRunning            Status = "RUNNING"
	StatusCompleted          Status = "COMPLETED"
	StatusFailed             Status = "FAILED"
	StatusRollbackInProgress Status = "ROLLBACK_IN_PROGRESS"
	StatusRollbackCompleted  Status = "ROLLBACK_COMPLETED"
	StatusCancelled          Status = "CANCELLED"
)

// StatusWaiting is the status of a step that waits for an approval. The API reference
// does not have it, and an execution never has it.
const StatusWaiting Status = "WAITING"

// ImageStatus is the state of an image in the API's own words. Values that the API
// reference does not have pass through unchanged.
type ImageStatus string

// The states of the API reference (ImageState, "status").
const (
	ImagePending      ImageStatus = "PENDING"
	ImageCreating     ImageStatus = "CREATING"
	ImageBuilding     ImageStatus = "BUILDING"
	ImageTesting      ImageStatus = "TESTING"
	ImageDistributing ImageStatus = "DISTRIBUTING"
	ImageIntegrating  ImageStatus = "INTEGRATING"
	ImageAvailable    ImageStatus = "AVAILABLE"
	ImageCancelled    ImageStatus = "CANCELLED"
	ImageFailed       ImageStatus = "FAILED"
	ImageDeprecated   ImageStatus = "DEPRECATED"
	ImageDeleted      ImageStatus = "DELETED"
	ImageDisabled     ImageStatus = "DISABLED"
)

// facts is what there is to know about a status. One that is not known has none.
type facts[S ~string] struct {
	status S
	final  bool // can never change again, but by a retry of the image
	failed bool // something went wrong
	active bool // has begun and not ended
	good   bool // ended well
	noStep bool // only executions have it, steps never do
}

// statuses has each Status of the API reference once, in alphabetical order.
var statuses = []facts[Status]{
	{status: StatusCancelled, final: true},
	{status: StatusCompleted, final: true, good: true},
	{status: StatusFailed, final: true, failed: true},
	{status: StatusPending},
	{status: StatusRollbackCompleted, final: true, failed: true, noStep: true},
	{status: StatusRollbackInProgress, failed: true, active: true, noStep: true},
	{status: StatusRunning, active: true},
	{status: StatusSkipped, final: true},
}

// imageStatuses has each ImageStatus of the API reference once, in alphabetical order.
var imageStatuses = []facts[ImageStatus]{
	{status: ImageAvailable, final: true, good: true},
	{status: ImageBuilding, active: true},
	{status: ImageCancelled, final: true},
	{status: ImageCreating, active: true},
	{status: ImageDeleted, final: true},
	{status: ImageDeprecated, final: true},
	{status: ImageDisabled, final: true},
	{status: ImageDistributing, active: true},
	{status: ImageFailed, final: true, failed: true},
	{status: ImageIntegrating, active: true},
	{status: ImagePending},
	{status: ImageTesting, active: true},
}

func factsOf[S ~string](table []facts[S], s S) facts[S] {
	if i := slices.IndexFunc(table, func(f facts[S]) bool { return f.status == s }); i >= 0 {
		return table[i]
	}
	return facts[S]{}
}

func statusesOf[S ~string](table []facts[S]) []S {
	all := make([]S, len(table))
	for i := range table {
		all[i] = table[i].status
	}
	return all
}

// Statuses returns every status of the API reference, in alphabetical order.
func Statuses() []Status { return statusesOf(statuses) }

// StepStatuses returns every status of a step, in alphabetical order: those of the API
// reference, and StatusWaiting.
func StepStatuses() []Status {
	all := slices.DeleteFunc(Statuses(), func(s Status) bool { return factsOf(statuses, s).noStep })
	return slices.Sorted(slices.Values(append(all, StatusWaiting)))
}

// Known reports whether the API reference has this status.
func (s Status) Known() bool { return factsOf(statuses, s).status != "" }

// Final reports whether an execution or a step with this status can never change again.
// A status that is not known is not final.
func (s Status) Final() bool { return factsOf(statuses, s).final }

// Failed reports whether something went wrong. A failed execution may be rolled back.
func (s Status) Failed() bool { return factsOf(statuses, s).failed }

// Active reports whether an execution with this status has begun and not ended.
func (s Status) Active() bool { return factsOf(statuses, s).active }

// Good reports whether an execution with this status has ended well.
func (s Status) Good() bool { return factsOf(statuses, s).good }

// ImageStatuses returns every state of the API reference, in alphabetical order.
func ImageStatuses() []ImageStatus { return statusesOf(imageStatuses) }

// Known reports whether the API reference has this state.
func (s ImageStatus) Known() bool { return factsOf(imageStatuses, s).status != "" }

// Ended reports whether the build of an image in this state is over. Only RetryImage
// starts it again, from FAILED or CANCELLED. A state that is not known is not the end.
func (s ImageStatus) Ended() bool { return factsOf(imageStatuses, s).final }

// Failed reports whether the build of an image in this state went wrong.
func (s ImageStatus) Failed() bool { return factsOf(imageStatuses, s).failed }

// Active reports whether an image in this state is being built, tested or distributed.
func (s ImageStatus) Active() bool { return factsOf(imageStatuses, s).active }

// Good reports whether the build of an image in this state has made a usable image.
func (s ImageStatus) Good() bool { return factsOf(imageStatuses, s).good }
