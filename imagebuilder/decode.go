package imagebuilder

import (
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/imagebuilder"
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
	e := Execution{
		ID:                      id,
		Status:                  Status(out.Status),
		WorkflowType:            string(out.Type),
		WorkflowBuildVersionARN: aws.ToString(out.WorkflowBuildVersionArn),
		ImageBuildVersionARN:    aws.ToString(out.ImageBuildVersionArn),
		Image:                   ParseImageBuildVersionARN(aws.ToString(out.ImageBuildVersionArn)),
		ParallelGroup:           aws.ToString(out.ParallelGroup),
		Message:                 aws.ToString(out.Message),
	}
	if e.WorkflowType == "" {
		e.WorkflowType = workflowType(e.WorkflowBuildVersionARN)
	}
	counts := StepCounts{
		Total:     int(out.TotalStepCount),
		Succeeded: int(out.TotalStepsSucceeded),
		Failed:    int(out.TotalStepsFailed),
		Skipped:   int(out.TotalStepsSkipped),
	}
	if counts.possible() {
		e.Steps = &counts
	} else {
		invalid(reasonStepCounts)
	}
	e.Start = decodeTime(out.StartTime, invalid)
	e.End = decodeTime(out.EndTime, invalid)
	if !e.End.IsZero() && e.End.Before(e.Start) {
		invalid(reasonTimestamp)
		e.End = time.Time{}
	}
	return e, nil
}

// possible reports whether the counts can be those of one execution. They need not
// add up to the total, not even at the end (API reference: steps that never ran).
func (c StepCounts) possible() bool {
	return c.Succeeded >= 0 && c.Failed >= 0 && c.Skipped >= 0 && c.Succeeded+c.Failed+c.Skipped <= c.Total
}

// decodeTime reads a time stamp of the API. The model says only "string"; all that
// were seen are RFC 3339, as in 2026-09-09T19:12:23.175Z. Absent and unreadable ones
// give the zero time.
func decodeTime(s *string, invalid func(reason string)) time.Time {
	if s == nil || *s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, *s)
	if err != nil || t.Year() < 1970 || t.Year() > 2200 { // or durations overflow
		invalid(reasonTimestamp)
		return time.Time{}
	}
	return t.UTC()
}
