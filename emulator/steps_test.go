package emulator

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/google/go-cmp/cmp"
)

func TestTheStepsOfARun(t *testing.T) {
	run := Run{ID: testID, ImageBuildVersionARN: testImage, WorkflowBuildVersionARN: workflowARN("eu-west-1", "BUILD"), Start: start, Rollback: 5 * time.Minute, Steps: []Step{
		{Name: "Launch", Action: "LaunchInstance", Takes: time.Minute, Inputs: `{"size":"large"}`, Outputs: `{"instanceId":"i-1"}`},
		{Name: "Sysprep", Action: "RunSysPrep", Takes: time.Minute, Ends: SkippedStep},
		{Name: "Scan", Action: "CollectImageScanFindings", Takes: time.Minute, Ends: FailedIgnored},
		{Name: "Approve", Action: "WaitForAction", Takes: time.Hour, Waits: true, Ends: Failed},
		{Name: "Terminate", Action: "TerminateInstance", Takes: time.Minute},
	}}
	for _, c := range []struct {
		name      string
		after     time.Duration
		cancelled time.Duration
		skipped   bool
		want      string
		waiting   int
	}{
		{"before the start", -1, 0, false, "PENDING PENDING PENDING PENDING PENDING", 0},
		{"in the first", 0, 0, false, "RUNNING PENDING PENDING PENDING PENDING", 0},
		{"in the third", time.Minute, 0, false, "COMPLETED SKIPPED RUNNING PENDING PENDING", 0},
		{"while one waits", 2 * time.Minute, 0, false, "COMPLETED SKIPPED FAILED WAITING PENDING", 1},
		{"while it rolls back", 62 * time.Minute, 0, false, "COMPLETED/RUNNING SKIPPED FAILED/RUNNING FAILED/RUNNING CANCELLED", 0},
		{"rolled back", 67 * time.Minute, 0, false, "COMPLETED/COMPLETED SKIPPED FAILED/COMPLETED FAILED/COMPLETED CANCELLED", 0},
		{"cancelled", time.Hour, 30 * time.Minute, false, "COMPLETED SKIPPED FAILED CANCELLED CANCELLED", 0},
		{"skipped", time.Hour, 0, true, "SKIPPED SKIPPED SKIPPED SKIPPED SKIPPED", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := run
			run.Cancelled, run.Skipped = c.cancelled, c.skipped
			api := &API{Scenario: Runs(run), Now: func() time.Time { return start.Add(c.after) }}
			client := newSDK(t, api, "eu-west-1")
			id := strings.ToUpper(testID[3:])
			id = "wf-" + id
			out, err := client.ListWorkflowStepExecutions(t.Context(), &imagebuilder.ListWorkflowStepExecutionsInput{WorkflowExecutionId: &id})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for n, s := range out.Steps {
				state := string(s.Status)
				if s.RollbackStatus != "" {
					state += "/" + string(s.RollbackStatus)
				}
				got = append(got, state)
				one, err := client.GetWorkflowStepExecution(t.Context(), &imagebuilder.GetWorkflowStepExecutionInput{StepExecutionId: s.StepExecutionId})
				if err != nil {
					t.Fatal(err)
				}
				if *s.StepExecutionId != run.StepID(n) || *one.Name != *s.Name || one.Status != s.Status || *one.WorkflowExecutionId != testID || *one.TimeoutSeconds == 0 {
					t.Errorf("%s by itself: %+v", *s.Name, one)
				}
				if s.Status == "SKIPPED" && *s.StartTime != *s.EndTime {
					t.Errorf("%s is skipped from %s to %s", *s.Name, *s.StartTime, *s.EndTime)
				}
				inputs, outputs := "", ""
				if s.StartTime != nil {
					inputs = map[bool]string{true: `{"size":"large"}`, false: "{}"}[*s.Name == "Launch"]
				}
				if s.Status == "COMPLETED" {
					outputs = map[bool]string{true: `{"instanceId":"i-1"}`, false: "{}"}[*s.Name == "Launch"]
				}
				if diff := cmp.Diff([]string{inputs, outputs}, []string{aws.ToString(s.Inputs), aws.ToString(s.Outputs)}); diff != "" {
					t.Errorf("inputs and outputs of %s (-want +got):\n%s", *s.Name, diff)
				}
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			waits, err := client.ListWaitingWorkflowSteps(t.Context(), &imagebuilder.ListWaitingWorkflowStepsInput{})
			if err != nil || len(waits.Steps) != c.waiting {
				t.Fatalf("%d steps wait, %v", len(waits.Steps), err)
			}
			for _, s := range waits.Steps {
				if *s.StepExecutionId != run.StepID(3) || *s.ImageBuildVersionArn != testImage || *s.Name != "Approve" || *s.WorkflowExecutionId != testID {
					t.Errorf("what waits is %+v", s)
				}
			}
		})
	}
}
