// Package imagebuilder is a read-only client of EC2 Image Builder that returns plain values.
//
// It defines how to ask: the order in which attempts go on the wire, their time limits, the meaning
// of answers, and the classes of errors. Package lookup decides what to ask and when. This is the
// only package that imports the AWS SDK, and it exports none of the SDK's types. Start reading with
// Client; gate.go has the limits, classify.go the classes of errors.
//
// Facts about the service come from its API reference,
// https://docs.aws.amazon.com/imagebuilder/latest/APIReference/, and from experiments with the SDK.
// A comment names each fact where the code relies on it.
package imagebuilder

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Execution is one workflow execution as the API described it at one moment.
// A string that the API did not give is empty, a time is zero.
type Execution struct {
	ID     string // in lower case, as ParseExecutionID returns it
	Status Status // never empty

	// WorkflowType is BUILD, TEST or DISTRIBUTION. Where the API leaves it out it
	// is read from WorkflowBuildVersionARN.
	WorkflowType            string
	WorkflowBuildVersionARN string
	ImageBuildVersionARN    string
	Image                   ImageBuildVersion // what ImageBuildVersionARN says
	ParallelGroup           string
	Message                 string // for people; may be long

	// Retried is the API's "retried": that a retry of the image made the execution, or has
	// replaced it; the reference does not say which. False where the API leaves it out.
	Retried bool

	// Steps counts the steps that the workflow defines; the others those of them
	// that ended so. Nil when the API's numbers contradict each other.
	Steps *StepCounts

	// Start and End are zero when the API gave none, or one that cannot be read.
	// End is also zero when it lies before Start.
	Start, End time.Time
}

// StepCounts counts the steps of an execution. No count is negative, and
// Succeeded, Failed and Skipped together are at most Total: what is missing is
// pending, running or cancelled.
type StepCounts struct {
	Total, Succeeded, Failed, Skipped int
}

// Duration returns how long the execution ran until it ended or, when it has not,
// until now; never less than zero. It reports false when that is not known:
// without a start, or with a final status and no usable end.
func (e *Execution) Duration(now time.Time) (time.Duration, bool) {
	return elapsed(e.Start, e.End, e.Status.Final(), now)
}

// elapsed returns the time from start to end or, when it has not ended, to now.
func elapsed(start, end time.Time, ended bool, now time.Time) (time.Duration, bool) {
	switch {
	case start.IsZero():
		return 0, false
	case !end.IsZero():
		return end.Sub(start), true
	case ended:
		return 0, false
	}
	return max(0, now.Sub(start)), true
}

// executionID is the pattern of the API reference, in either case.
var executionID = regexp.MustCompile(`^wf-[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// ParseExecutionID returns s in lower case when it is the id of a workflow
// execution, and otherwise an error that says how an id looks.
func ParseExecutionID(s string) (string, error) {
	if !executionID.MatchString(s) {
		return "", fmt.Errorf("%q is not a workflow execution id; it must be wf- followed by a UUID, such as wf-165b1cb6-3a62-4618-a021-94ddcbe32908", s)
	}
	return strings.ToLower(s), nil
}

// region has the shape of every region name in use: eu-west-1, us-gov-west-1,
// us-isob-east-1, eusc-de-east-1.
var region = regexp.MustCompile(`^[a-z]{2,8}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$`)

// CheckRegion returns an error that says what is allowed when s cannot be the name
// of an AWS region. Whether there is such a region is not known here.
func CheckRegion(s string) error {
	if !region.MatchString(s) {
		return fmt.Errorf("%q is not an AWS region name, such as eu-west-1", s)
	}
	return nil
}
