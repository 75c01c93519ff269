package imagebuilder

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
)

// decodeExecution turns the SDK's answer for id into an Execution. The SDK accepts
// almost everything, an empty body too, so what cannot be true is found here: an
// answer that is not about id, or says nothing, is an error; a part that is wrong is
// left out. Both are reported to invalid by their reason.
func decodeExecution(id string, out *sdk.GetWorkflowExecutionOutput, invalid func(reason string)) (Execution, error) {
	got := aws.ToString(out.WorkflowExecutionId)
	if got == "" || out.Status == "" {
		invalid(reasonEmpty)
		return Execution{}, errors.New("the answer has no workflowExecutionId or no status")
	}
	if parsed, err := ParseExecutionID(got); err != nil || parsed != id {
		invalid(reasonForeignID)
		return Execution{}, fmt.Errorf("the answer is about another execution: %.50q", got)
	}
	return newExecution(id, optionalID(out.ImageBuildVersionArn, invalid), &types.WorkflowExecutionMetadata{
		Status: out.Status, Type: out.Type, WorkflowBuildVersionArn: out.WorkflowBuildVersionArn,
		ParallelGroup: out.ParallelGroup, Message: out.Message, StartTime: out.StartTime, EndTime: out.EndTime,
		TotalStepCount: out.TotalStepCount, TotalStepsSucceeded: out.TotalStepsSucceeded,
		TotalStepsFailed: out.TotalStepsFailed, TotalStepsSkipped: out.TotalStepsSkipped,
	}, invalid), nil
}

// decodeListedExecution turns a row of the executions of an image into an Execution.
// It reports false for a row that cannot be used.
func decodeListedExecution(image string, row *types.WorkflowExecutionMetadata, invalid func(reason string)) (Execution, bool) {
	id, err := ParseExecutionID(aws.ToString(row.WorkflowExecutionId))
	if err != nil || row.Status == "" {
		invalid(reasonEmpty)
		return Execution{}, false
	}
	return newExecution(id, image, row, invalid), true
}

// newExecution returns what row says about the execution with this id, which builds
// image.
func newExecution(id, image string, row *types.WorkflowExecutionMetadata, invalid func(reason string)) Execution {
	workflow := optionalID(row.WorkflowBuildVersionArn, invalid)
	e := Execution{
		ID:                      id,
		Status:                  Status(text(row.Status, invalid)),
		WorkflowType:            cmp.Or(text(row.Type, invalid), workflowType(workflow)),
		WorkflowBuildVersionARN: workflow,
		ImageBuildVersionARN:    image,
		Image:                   ParseImageBuildVersionARN(image),
		ParallelGroup:           text(aws.ToString(row.ParallelGroup), invalid),
		Message:                 message(row.Message, invalid),
		Retried:                 aws.ToBool(row.Retried),
	}
	counts := StepCounts{
		Total:     int(row.TotalStepCount),
		Succeeded: int(row.TotalStepsSucceeded),
		Failed:    int(row.TotalStepsFailed),
		Skipped:   int(row.TotalStepsSkipped),
	}
	if counts.possible() {
		e.Steps = &counts
	} else {
		invalid(reasonStepCounts)
	}
	e.Start, e.End = decodeTimes(row.StartTime, row.EndTime, invalid)
	return e
}

// decodeTimes reads a start and an end. An end before the start is none.
func decodeTimes(from, to *string, invalid func(reason string)) (start, end time.Time) {
	start, end = decodeTime(from, invalid), decodeTime(to, invalid)
	if !end.IsZero() && end.Before(start) {
		invalid(reasonTimestamp)
		return start, time.Time{}
	}
	return start, end
}

// possible reports whether the counts can be those of one execution. They need not
// add up to the total, not even at the end (API reference: steps that never ran).
func (c StepCounts) possible() bool {
	return c.Succeeded >= 0 && c.Failed >= 0 && c.Skipped >= 0 && c.Succeeded+c.Failed+c.Skipped <= c.Total
}

// rfc3339 refuses what time.Parse lets through: a comma before the fraction, an hour of one
// digit, a zone that there cannot be.
var rfc3339 = regexp.MustCompile(`^[0-9-]{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$`)

// decodeTime reads a timestamp of the API. The model says only "string"; all that
// were seen are RFC 3339, as in 2026-09-09T19:12:23.175Z, and nothing else is accepted.
// Absent and unreadable ones give the zero time.
func decodeTime(s *string, invalid func(reason string)) time.Time {
	if s == nil || *s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, *s)
	if err != nil || !rfc3339.MatchString(*s) {
		invalid(reasonTimestamp)
		return time.Time{}
	}
	return checkTime(t, invalid)
}

// checkTime returns t, or the zero time when it lies too far away: durations would overflow.
func checkTime(t time.Time, invalid func(reason string)) time.Time {
	if t.Year() < 1970 || t.Year() > 2200 {
		invalid(reasonTimestamp)
		return time.Time{}
	}
	return t.UTC()
}
