package emulator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/google/go-cmp/cmp"
)

const testPipeline = "arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/web-server"

// changing is an account with one image of a pipeline, and a client of it whose clock stands
// still until it is turned.
type changing struct {
	*imagebuilder.Client
	t   *testing.T
	api *API
	now time.Time
}

func newChanging(t *testing.T, attempts ...Attempt) *changing {
	t.Helper()
	c := &changing{t: t, now: start}
	c.api = &API{Now: func() time.Time { return c.now }, Scenario: &Account{
		Pipelines: []Pipeline{{ARN: testPipeline}},
		Images: []Image{{
			ARN: testImage, PipelineARN: testPipeline, Created: start, Attempts: attempts, Tags: map[string]string{"team": "web"},
			Outputs: []Output{{Region: "eu-west-1", AMI: "ami-01"}},
		}},
	}}
	c.Client = newSDK(t, c.api, "eu-west-1")
	return c
}

// states returns the state of an image and of its executions, so long after start.
func (c *changing) states(after time.Duration, image string) string {
	c.t.Helper()
	c.now = start.Add(after)
	out, err := c.GetImage(c.t.Context(), getImage(image))
	if err != nil {
		return code(err)
	}
	states := []string{string(out.Image.State.Status)}
	for _, e := range allExecutions(c.t, c.Client, image) {
		state := fmt.Sprintf("%s=%s", e.Type, e.Status)
		if *e.Retried {
			state += ",retried"
		}
		states = append(states, state)
	}
	return strings.Join(states, " ")
}

// at does something so long after start.
func (c *changing) at(after time.Duration, do func() error) {
	c.t.Helper()
	c.now = start.Add(after)
	if err := do(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *changing) cancel() error {
	_, err := c.CancelImageCreation(c.t.Context(), &imagebuilder.CancelImageCreationInput{ImageBuildVersionArn: aws.String(testImage)})
	return err
}

func (c *changing) retry() error {
	_, err := c.RetryImage(c.t.Context(), &imagebuilder.RetryImageInput{ImageBuildVersionArn: aws.String(testImage)})
	return err
}

func (c *changing) send(step string, action types.WorkflowStepActionType) error {
	_, err := c.SendWorkflowStepAction(c.t.Context(), &imagebuilder.SendWorkflowStepActionInput{
		ImageBuildVersionArn: aws.String(testImage), StepExecutionId: &step, Action: action, Reason: aws.String("I have looked."),
	})
	return err
}

// approval returns a build that waits for an hour in its only step, and a test after it.
func approval(ends Outcome) []Run {
	build := oneStep(0, "BUILD", 0, ends)
	build.Steps[0].Takes, build.Steps[0].Waits = time.Hour, true
	return []Run{build, oneStep(1, "TEST", time.Hour, Succeeded)}
}

// TestWhatActionsChange holds what later answers show of an action 5 minutes after the start,
// and that those about the time before stay.
func TestWhatActionsChange(t *testing.T) {
	const m = time.Minute
	good := []Run{oneStep(0, "BUILD", 0, Succeeded), oneStep(1, "TEST", 10*m, Succeeded)}
	badTest := []Run{oneStep(0, "BUILD", -40*m, Succeeded), oneStep(1, "TEST", -30*m, Failed), oneStep(2, "DISTRIBUTION", -20*m, Succeeded)}
	step := approval(Succeeded)[0].StepID(0)
	for _, c := range []struct {
		name    string
		attempt Attempt
		do      func(*changing) error
		before  string
		after   map[time.Duration]string
	}{
		{"a cancel ends what runs", Attempt{Runs: good}, (*changing).cancel, "BUILDING BUILD=RUNNING TEST=PENDING", map[time.Duration]string{
			5 * m: "CANCELLED BUILD=CANCELLED", 30 * m: "CANCELLED BUILD=CANCELLED",
		}},
		{"a cancel before anything runs", Attempt{Start: start.Add(time.Hour), Runs: []Run{oneStep(0, "BUILD", time.Hour, Succeeded)}}, (*changing).cancel, "PENDING", map[time.Duration]string{
			5 * m: "CANCELLED", 30 * m: "CANCELLED",
		}},
		{"a cancel of a distribution", Attempt{Distributes: time.Hour}, (*changing).cancel, "CREATING", map[time.Duration]string{5 * m: "CANCELLED"}},
		{"a cancel of an integration", Attempt{Integrates: time.Hour}, (*changing).cancel, "INTEGRATING", map[time.Duration]string{5 * m: "CANCELLED"}},
		{"a retry repeats what failed and what came after it", Attempt{Start: start.Add(-time.Hour), Runs: badTest}, (*changing).retry, "FAILED BUILD=COMPLETED TEST=FAILED", map[time.Duration]string{
			5 * m:  "TESTING BUILD=COMPLETED,retried TEST=FAILED,retried TEST=RUNNING DISTRIBUTION=PENDING",
			15 * m: "DISTRIBUTING BUILD=COMPLETED,retried TEST=FAILED,retried TEST=COMPLETED DISTRIBUTION=RUNNING",
			25 * m: "AVAILABLE BUILD=COMPLETED,retried TEST=FAILED,retried TEST=COMPLETED DISTRIBUTION=COMPLETED",
		}},
		{"a retry distributes where all executions completed", Attempt{Start: start.Add(-time.Hour), Runs: badTest[:1], Fails: true}, (*changing).retry, "FAILED BUILD=COMPLETED", map[time.Duration]string{
			5 * m: "DISTRIBUTING BUILD=COMPLETED,retried", 10 * m: "AVAILABLE BUILD=COMPLETED,retried",
		}},
		{
			"RESUME lets the execution go on, and what follows begin",
			Attempt{Runs: approval(Failed)},
			func(c *changing) error { return c.send(step, "RESUME") }, "BUILDING BUILD=RUNNING TEST=PENDING",
			map[time.Duration]string{
				5 * m: "TESTING BUILD=COMPLETED TEST=RUNNING", 15 * m: "AVAILABLE BUILD=COMPLETED TEST=COMPLETED",
			},
		},
		{
			"STOP fails the execution",
			Attempt{Runs: approval(Succeeded)},
			func(c *changing) error { return c.send(step, "STOP") }, "BUILDING BUILD=RUNNING TEST=PENDING",
			map[time.Duration]string{5 * m: "FAILED BUILD=FAILED"},
		},
		{
			"STOP fails only the step that may fail",
			Attempt{Runs: approval(FailedIgnored)},
			func(c *changing) error { return c.send(step, "STOP") }, "BUILDING BUILD=RUNNING TEST=PENDING",
			map[time.Duration]string{5 * m: "TESTING BUILD=COMPLETED TEST=RUNNING"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			account := newChanging(t, c.attempt)
			account.at(5*m, func() error { return c.do(account) })
			if diff := cmp.Diff(c.before, account.states(5*m-time.Second, testImage)); diff != "" {
				t.Errorf("before (-want +got):\n%s", diff)
			}
			for after, want := range c.after {
				if diff := cmp.Diff(want, account.states(after, testImage)); diff != "" {
					t.Errorf("after %s (-want +got):\n%s", after, diff)
				}
			}
		})
	}
}

func TestAStartedExecutionMakesANewImage(t *testing.T) {
	c := newChanging(t, Attempt{
		Runs:       []Run{oneStep(0, "BUILD", 0, Failed), oneStep(1, "TEST", 10*time.Minute, Succeeded)},
		Integrates: 5 * time.Minute, Failure: &Failure{},
	})
	c.api.Scenario.(*Account).Images[0].Deprecates = start
	var arns []string
	for range 2 {
		c.at(time.Hour, func() error {
			out, err := c.StartImagePipelineExecution(t.Context(), &imagebuilder.StartImagePipelineExecutionInput{
				ImagePipelineArn: aws.String(testPipeline), Tags: map[string]string{"by": "hand"},
			})
			arns = append(arns, aws.ToString(out.ImageBuildVersionArn))
			return err
		})
	}
	version := strings.TrimSuffix(testImage, "/1")
	if diff := cmp.Diff([]string{version + "/100001", version + "/100002"}, arns); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for after, want := range map[time.Duration]string{
		59 * time.Minute: "ResourceNotFoundException", 60 * time.Minute: "BUILDING BUILD=RUNNING TEST=PENDING",
		70 * time.Minute: "TESTING BUILD=COMPLETED TEST=RUNNING", 80 * time.Minute: "INTEGRATING BUILD=COMPLETED TEST=COMPLETED",
		85 * time.Minute: "AVAILABLE BUILD=COMPLETED TEST=COMPLETED",
	} {
		if diff := cmp.Diff(want, c.states(after, arns[0])); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", after, diff)
		}
	}
	c.now = start.Add(85 * time.Minute)
	out, err := c.GetImage(t.Context(), getImage(arns[0]))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{string(out.Image.BuildType), *out.Image.SourcePipelineArn, fmt.Sprint(out.Image.Tags), fmt.Sprint(*out.Image.OutputResources.Amis[0].Image == "ami-01")}
	if diff := cmp.Diff([]string{"USER_INITIATED", testPipeline, "map[by:hand team:web]", "false"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if out.Image.DeprecationTime != nil {
		t.Errorf("the deprecation of the image that it is made like, %s, is told", out.Image.DeprecationTime)
	}
	if images := allPipelineImages(t, c.Client, testPipeline); len(images) != 3 {
		t.Errorf("the pipeline has %d images, want 3", len(images))
	}
}

func TestAPipelineWithoutImagesCanBeStarted(t *testing.T) {
	builds := testPipeline + "s"
	api := &API{Now: func() time.Time { return start }, Scenario: &Account{Pipelines: []Pipeline{
		{ARN: testPipeline}, {ARN: builds, First: start.Add(time.Hour), Every: time.Hour, Build: func(int, time.Time) Image {
			return Image{ARN: testImage, Attempts: []Attempt{{Runs: []Run{oneStep(0, "TEST", time.Hour, Failed)}}}}
		}},
	}}}
	client := newSDK(t, api, "eu-west-1")
	var got []string
	for _, pipeline := range []string{testPipeline, builds} {
		out, err := client.StartImagePipelineExecution(t.Context(), &imagebuilder.StartImagePipelineExecutionInput{ImagePipelineArn: &pipeline})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range allExecutions(t, client, *out.ImageBuildVersionArn) {
			got = append(got, fmt.Sprintf("%s %s of %d", e.Type, e.Status, e.TotalStepCount))
		}
	}
	if diff := cmp.Diff([]string{"BUILD RUNNING of 7", "TEST PENDING of 4", "TEST RUNNING of 1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
