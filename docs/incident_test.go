package docs_test

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// incident is an account in which an alert fires: it has a pipeline, and an image of it.
type incident struct {
	*imagebuilder.Client
	url                   string
	image, pipeline, step string            // ids
	words                 *strings.Replacer // of the words in capitals
}

const incidentRegion = "eu-west-1"

// newIncident returns the account in which the alert of a runbook fires.
func newIncident(t *testing.T, runbook string) *incident {
	t.Helper()
	const account = "arn:aws:imagebuilder:" + incidentRegion + ":111122223333:"
	a := &incident{image: account + "image/web/1.0.0/1", pipeline: account + "image-pipeline/web"}
	now := time.Date(2026, 9, 9, 12, 0, 0, 0, time.UTC)
	run := emulator.Run{ID: "wf-165b1cb6-3a62-4618-a021-94ddcbe32908", Start: now.Add(-time.Hour), Type: "BUILD", Steps: []emulator.Step{
		{Name: "Step", Action: "Act", Takes: 2 * time.Hour},
	}}
	switch step := &run.Steps[0]; runbook {
	case "StepWaitingForApproval.md":
		step.Waits = true
	case "ImageStuck.md", "WorkflowRunningTooLong.md", "PipelineMissedRun.md":
	default:
		run.Type, step.Ends, step.Takes = "DISTRIBUTION", emulator.Failed, time.Minute
	}
	a.step = run.StepID(0)
	server := httptest.NewServer(&emulator.API{Now: func() time.Time { return now }, Scenario: &emulator.Account{
		Pipelines: []emulator.Pipeline{{ARN: a.pipeline, Tags: map[string]string{"team": "web"}, NextRun: now.Add(-45 * time.Minute)}},
		Images: []emulator.Image{{ARN: a.image, PipelineARN: a.pipeline, Created: run.Start, Attempts: []emulator.Attempt{
			{Runs: []emulator.Run{run}},
		}}},
	}})
	t.Cleanup(server.Close)
	a.url = server.URL
	a.Client = imagebuilder.New(imagebuilder.Options{
		Region: incidentRegion, BaseEndpoint: &a.url, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
	})
	a.words = strings.NewReplacer("WORKFLOW_EXECUTION_ID", run.ID, "IMAGE_BUILD_VERSION_ARN", a.image,
		"PIPELINE_ARN", a.pipeline, "PIPELINE_NAME", "web", "IMAGE_NAME", "web", "IMAGE_VERSION", "1.0.0/1",
		"STEP_EXECUTION_ID", a.step, "REGION", incidentRegion, "WHY", "I have looked at it.")
	return a
}

// changedBy lets call run a command with what its words in capitals stand for, and holds what
// that has changed. What reads logs cannot be run: only its shape is held.
func (a *incident) changedBy(t *testing.T, command []string, call func(*testing.T, []string)) {
	t.Helper()
	var words []string
	for _, w := range command {
		words = append(words, a.words.Replace(w))
	}
	text := strings.Join(words, " ")
	if !strings.Contains(text+" ", "--region "+incidentRegion+" ") {
		t.Errorf("aws %s: there is no --region REGION", strings.Join(command, " "))
	}
	if words[0] == "logs" || words[0] == "ssm" {
		checkLogs(t, words)
		return
	}
	images := a.images(t)
	call(t, words)
	switch words[1] {
	case "start-image-pipeline-execution":
		if now := a.images(t); now != images+1 {
			t.Errorf("aws %s: the pipeline has %d images, and had %d", text, now, images)
		}
	case "retry-image":
		a.hasState(t, "DISTRIBUTING")
	case "cancel-image-creation":
		a.hasState(t, "CANCELLED")
	case "send-workflow-step-action":
		want := map[bool]string{true: "COMPLETED", false: "FAILED"}[strings.Contains(text, "--action RESUME ")]
		out, err := a.GetWorkflowStepExecution(t.Context(), &imagebuilder.GetWorkflowStepExecutionInput{StepExecutionId: &a.step})
		if err != nil || string(out.Status) != want {
			t.Errorf("aws %s: the step is %+v, want %s, %v", text, out, want, err)
		}
	}
}

// images returns how many images the pipeline has.
func (a *incident) images(t *testing.T) int {
	t.Helper()
	out, err := a.ListImagePipelineImages(t.Context(), &imagebuilder.ListImagePipelineImagesInput{ImagePipelineArn: &a.pipeline})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.ImageSummaryList)
}

func (a *incident) hasState(t *testing.T, want string) {
	t.Helper()
	out, err := a.GetImage(t.Context(), &imagebuilder.GetImageInput{ImageBuildVersionArn: &a.image})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(out.Image.State.Status); got != want {
		t.Errorf("the image is %s, want %s", got, want)
	}
}

// callSDK runs a command of the AWS CLI with the SDK, which has the same operations and
// parameters. What the CLI itself does with an answer is left out.
func (a *incident) callSDK(t *testing.T, words []string) {
	t.Helper()
	text := "aws " + strings.Join(words, " ")
	operation := reflect.ValueOf(a.Client).MethodByName(camel(words[1]))
	if words[0] != "imagebuilder" || !operation.IsValid() || len(words)%2 != 0 {
		t.Fatalf("%s is no command of Image Builder with flags and values", text)
	}
	input := reflect.New(operation.Type().In(1).Elem())
	for i := 2; i < len(words); i += 2 {
		flag, isFlag := strings.CutPrefix(words[i], "--")
		field := input.Elem().FieldByName(camel(flag))
		switch {
		case flag == "region" || flag == "query" || flag == "output":
		case !isFlag || !field.IsValid():
			t.Fatalf("%s: %sInput has no field for %s", text, camel(words[1]), words[i])
		case field.Kind() == reflect.String:
			field.SetString(words[i+1])
		default:
			field.Set(reflect.ValueOf(&words[i+1]))
		}
	}
	if out := operation.Call([]reflect.Value{reflect.ValueOf(t.Context()), input}); !out[1].IsNil() {
		t.Errorf("%s: %v", text, out[1])
	}
}

// camel returns the name in the SDK of what the AWS CLI names so.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
