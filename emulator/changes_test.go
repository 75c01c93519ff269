package emulator

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/google/go-cmp/cmp"
)

// TestChangesStayWhenTheClockTurns holds that a change to what a pipeline builds for ever is
// there again after the build was dropped from the index.
func TestChangesStayWhenTheClockTurns(t *testing.T) {
	p := Pipeline{ARN: testPipeline, First: start, Every: time.Hour, Keep: 1, Build: func(n int, at time.Time) Image {
		r := oneStep(n, "BUILD", at.Sub(start), Succeeded)
		return Image{ARN: fmt.Sprintf("%s%d", testImage[:len(testImage)-1], n+1), Attempts: []Attempt{{Runs: []Run{r}}}}
	}}
	c := newChanging(t)
	c.api.Scenario = &Account{Pipelines: []Pipeline{p}}
	c.at(5*time.Minute, c.cancel)
	c.at(10*time.Minute, c.retry)
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{12 * time.Minute, "BUILDING BUILD=CANCELLED,retried BUILD=RUNNING"},
		{2 * time.Hour, "ResourceNotFoundException"},
		{12 * time.Minute, "BUILDING BUILD=CANCELLED,retried BUILD=RUNNING"},
		{20 * time.Minute, "AVAILABLE BUILD=CANCELLED,retried BUILD=COMPLETED"},
		{2 * time.Hour, "ResourceNotFoundException"},
	} {
		if diff := cmp.Diff(step.want, c.states(step.after, testImage)); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", step.after, diff)
		}
	}
	if runs := c.api.Scenario.(*Account).index.runs; len(runs) != 3 {
		t.Errorf("the index has runs under %d keys, want those of the newest build", len(runs))
	}
}

func TestExecutionsWithoutImageCanBeChanged(t *testing.T) {
	runs := approval(Succeeded)[:1]
	runs[0].ImageBuildVersionARN = testImage
	for action, want := range map[string]string{"RESUME": "COMPLETED", "STOP": "FAILED", "cancel": "CANCELLED"} {
		t.Run(action, func(t *testing.T) {
			c := newChanging(t)
			c.api.Scenario = Runs(runs...)
			c.at(5*time.Minute, func() error {
				if action == "cancel" {
					return c.cancel()
				}
				return c.send(runs[0].StepID(0), types.WorkflowStepActionType(action))
			})
			e, _ := c.api.Scenario.WorkflowExecution(runs[0].ID, c.now)
			if diff := cmp.Diff(want, e.Status); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if waiting := c.api.Scenario.WorkflowRuns("", c.now); len(waiting) != 1 {
				t.Errorf("%d runs have a step that waits at some time, want 1", len(waiting))
			}
		})
	}
}

func TestConcurrentActions(t *testing.T) {
	c := newChanging(t, Attempt{Runs: approval(Succeeded)})
	c.now = start.Add(5 * time.Minute)
	token := aws.String("once")
	arns := make([]string, 20)
	var all sync.WaitGroup
	for n := range arns {
		all.Go(func() {
			out, err := c.StartImagePipelineExecution(t.Context(), &imagebuilder.StartImagePipelineExecutionInput{ImagePipelineArn: aws.String(testPipeline), ClientToken: token})
			if err != nil {
				t.Error(err)
				return
			}
			arns[n] = *out.ImageBuildVersionArn
			_ = c.cancel() // all but one are refused
			_ = c.retry()
			allPipelines(t, c.Client)
			allExecutions(t, c.Client, testImage)
		})
	}
	all.Wait()
	for _, arn := range arns {
		if arn != arns[0] {
			t.Errorf("one client token made %s and %s", arns[0], arn)
		}
	}
	if images := allPipelineImages(t, c.Client, testPipeline); len(images) != 2 {
		t.Errorf("the pipeline has %d images, want 2", len(images))
	}
}
