package imagebuilder

import (
	"maps"
	"slices"
)

// Status is the runtime status of a workflow execution or of a step, in the API's own
// words. Values that the API reference does not have pass through unchanged.
type Status string

// Statuses that the exporter treats in a way of its own. WAITING is that of a step that
// waits for an approval; the API reference does not have it, nor does an execution.
const (
	StatusRunning Status = "RUNNING"
	StatusWaiting Status = "WAITING"
)

// ImageStatus is the state of an image in the API's own words. Values that the API
// reference does not have pass through unchanged.
type ImageStatus string

// States that the exporter treats specially.
const (
	ImageAvailable ImageStatus = "AVAILABLE"
	ImageCancelled ImageStatus = "CANCELLED"
	ImageFailed    ImageStatus = "FAILED"
	imageDeleted   ImageStatus = "DELETED"
)

// facts is what there is to know about a status. One that is not known has none.
type facts struct {
	final  bool // can never change again, but by a retry of the image
	failed bool // something went wrong
	active bool // has begun and not ended
	good   bool // ended well; a lifecycle policy may have retired the image since
	noStep bool // only executions have it, steps never do
}

// statuses has each Status of the API reference (GetWorkflowExecution, "status").
var statuses = map[Status]facts{
	"CANCELLED":            {final: true},
	"COMPLETED":            {final: true, good: true},
	"FAILED":               {final: true, failed: true},
	"PENDING":              {},
	"ROLLBACK_COMPLETED":   {final: true, failed: true, noStep: true},
	"ROLLBACK_IN_PROGRESS": {failed: true, active: true, noStep: true},
	"RUNNING":              {active: true},
	"SKIPPED":              {final: true},
}

// imageStatuses has each ImageStatus of the API reference (ImageState, "status").
var imageStatuses = map[ImageStatus]facts{
	"AVAILABLE":    {final: true, good: true},
	"BUILDING":     {active: true},
	"CANCELLED":    {final: true},
	"CREATING":     {active: true},
	"DELETED":      {final: true},
	"DEPRECATED":   {final: true, good: true},
	"DISABLED":     {final: true, good: true},
	"DISTRIBUTING": {active: true},
	"FAILED":       {final: true, failed: true},
	"INTEGRATING":  {active: true},
	"PENDING":      {},
	"TESTING":      {active: true},
}

// Statuses returns every status of the API reference, in alphabetical order.
func Statuses() []Status { return slices.Sorted(maps.Keys(statuses)) }

// StepStatuses returns every status of a step, in alphabetical order: those of the API
// reference, and StatusWaiting.
func StepStatuses() []Status {
	all := slices.DeleteFunc(Statuses(), func(s Status) bool { return statuses[s].noStep })
	return slices.Sorted(slices.Values(append(all, StatusWaiting)))
}

// Known reports whether the API reference has this status.
func (s Status) Known() bool {
	_, known := statuses[s]
	return known
}

// Final reports whether an execution or a step with this status can never change again.
// A status that is not known is not final.
func (s Status) Final() bool { return statuses[s].final }

// Failed reports whether something went wrong. A failed execution may be rolled back.
func (s Status) Failed() bool { return statuses[s].failed }

// Active reports whether an execution with this status has begun and not ended.
func (s Status) Active() bool { return statuses[s].active }

// Good reports whether an execution with this status has ended well.
func (s Status) Good() bool { return statuses[s].good }

// ImageStatuses returns every state of the API reference, in alphabetical order.
func ImageStatuses() []ImageStatus { return slices.Sorted(maps.Keys(imageStatuses)) }

// Known reports whether the API reference has this state.
func (s ImageStatus) Known() bool {
	_, known := imageStatuses[s]
	return known
}

// Ended reports whether the build of an image in this state is over. Only RetryImage
// starts it again, from FAILED or CANCELLED. A state that is not known is not the end.
func (s ImageStatus) Ended() bool { return imageStatuses[s].final }

// Failed reports whether the build of an image in this state went wrong.
func (s ImageStatus) Failed() bool { return imageStatuses[s].failed }

// Active reports whether an image in this state is being built, tested or distributed.
func (s ImageStatus) Active() bool { return imageStatuses[s].active }

// Good reports whether an image in this state became AVAILABLE and still exists: a
// lifecycle policy may have made it DEPRECATED or DISABLED since.
func (s ImageStatus) Good() bool { return imageStatuses[s].good }
