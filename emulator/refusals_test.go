package emulator

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// somebodysOwn is a Scenario that is no Account.
type somebodysOwn struct{ Scenario }

func TestActionsThatAreRefused(t *testing.T) {
	const image, pipeline = `"imageBuildVersionArn":"` + testImage + `"`, `"imagePipelineArn":"` + testPipeline + `"`
	runs := approval(Succeeded)
	step := func(n int) string { return `"stepExecutionId":"` + runs[n].StepID(0) + `","reason":"So."` }
	other := strings.Replace(image, "web-server", "other", 1)
	for _, c := range []struct {
		name, path, body string
		after            time.Duration
		status           int
		code             string
	}{
		{"no client token", "RetryImage", `{` + image + `}`, 0, 400, "InvalidRequestException"},
		{"a client token that is too long", "RetryImage", `{"clientToken":"` + strings.Repeat("x", 65) + `",` + image + `}`, 0, 400, "InvalidRequestException"},
		{"no pipeline", "StartImagePipelineExecution", `{"clientToken":"1"}`, 0, 400, "InvalidRequestException"},
		{"a pipeline that is not there", "StartImagePipelineExecution", `{"clientToken":"1",` + strings.Replace(pipeline, "web", "no", 1) + `}`, 0, 404, "ResourceNotFoundException"},
		{"a pipeline of another region", "StartImagePipelineExecution", `{"clientToken":"1",` + strings.Replace(pipeline, "eu-west-1", "us-east-1", 1) + `}`, 0, 404, "ResourceNotFoundException"},
		{"a retry of an image that is not there", "RetryImage", `{"clientToken":"1",` + other + `}`, 0, 400, "InvalidRequestException"},
		{"a retry of an image of another region", "RetryImage", `{"clientToken":"1",` + strings.Replace(image, "eu-west-1", "us-east-1", 1) + `}`, 0, 400, "InvalidRequestException"},
		{"a retry of what still runs", "RetryImage", `{"clientToken":"1",` + image + `}`, 0, 400, "ResourceInUseException"},
		{"a retry of what went well", "RetryImage", `{"clientToken":"1",` + image + `}`, 2 * time.Hour, 400, "InvalidRequestException"},
		{"a cancel of what has ended", "CancelImageCreation", `{"clientToken":"1",` + image + `}`, 2 * time.Hour, 400, "InvalidRequestException"},
		{"a cancel of an ARN that is none", "CancelImageCreation", `{"clientToken":"1","imageBuildVersionArn":"web"}`, 0, 400, "InvalidRequestException"},
		{"a step that is none", "SendWorkflowStepAction", `{"clientToken":"1","action":"STOP",` + image + `}`, 0, 400, "InvalidParameterValueException"},
		{"a step that is not there", "SendWorkflowStepAction", `{"clientToken":"1","action":"STOP",` + image + `,"stepExecutionId":"step-` + testID[3:] + `"}`, 0, 404, "ResourceNotFoundException"},
		{"a step of another image", "SendWorkflowStepAction", `{"clientToken":"1","action":"STOP",` + other + `,` + step(0) + `}`, 0, 400, "InvalidParameterValueException"},
		{"a step that does not wait", "SendWorkflowStepAction", `{"clientToken":"1","action":"STOP",` + image + `,` + step(1) + `}`, 0, 400, "InvalidRequestException"},
		{"an approval too late", "SendWorkflowStepAction", `{"clientToken":"1","action":"RESUME",` + image + `,` + step(0) + `}`, time.Hour, 400, "InvalidRequestException"},
		{"another action", "SendWorkflowStepAction", `{"clientToken":"1","action":"GO",` + image + `,` + step(0) + `}`, 0, 400, "InvalidParameterValueException"},
		{"a long reason", "SendWorkflowStepAction", `{"clientToken":"1","action":"STOP","reason":"` + strings.Repeat("x", 1025) + `",` + image + `,"stepExecutionId":"` + runs[0].StepID(0) + `"}`, 0, 400, "InvalidParameterValueException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			account := newChanging(t, Attempt{Runs: approval(Succeeded)})
			account.now = start.Add(c.after)
			before := account.states(c.after, testImage)
			status, code := put(t, account.api, c.path, c.body)
			if status != c.status || code != c.code {
				t.Errorf("got %d %s, want %d %s", status, code, c.status, c.code)
			}
			if diff := cmp.Diff(before, account.states(c.after, testImage)); diff != "" {
				t.Errorf("the refused request changed the image (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAClientTokenIsUsedOnce(t *testing.T) {
	c := newChanging(t, Attempt{Runs: []Run{oneStep(0, "BUILD", 0, Failed)}})
	start := `{"clientToken":"1","imagePipelineArn":"` + testPipeline + `"`
	for _, step := range []struct {
		name, path, body string
		status           int
		code             string
	}{
		{"first", "StartImagePipelineExecution", start + `}`, 200, ""},
		{"again", "StartImagePipelineExecution", start + `}`, 200, ""},
		{"with other parameters", "StartImagePipelineExecution", start + `,"tags":{"a":"b"}}`, 400, "IdempotentParameterMismatchException"},
		{"for another operation", "CancelImageCreation", `{"clientToken":"1","imageBuildVersionArn":"` + testImage + `"}`, 400, "IdempotentParameterMismatchException"},
	} {
		if status, code := put(t, c.api, step.path, step.body); status != step.status || code != step.code {
			t.Errorf("%s: got %d %s, want %d %s", step.name, status, code, step.status, step.code)
		}
	}
	if images := allPipelineImages(t, c.Client, testPipeline); len(images) != 2 {
		t.Errorf("the pipeline has %d images, want 2", len(images))
	}
}

func TestAScenarioOfAnotherTypeCannotBeChanged(t *testing.T) {
	c := newChanging(t)
	c.api.Scenario = somebodysOwn{c.api.Scenario}
	status, code := put(t, c.api, "RetryImage", `{"clientToken":"1","imageBuildVersionArn":"`+testImage+`"}`)
	if status != http.StatusForbidden || code != "ForbiddenException" {
		t.Errorf("got %d %s, want 403 ForbiddenException", status, code)
	}
}

func TestTheAnswersOfActions(t *testing.T) {
	arn := `"imageBuildVersionArn":"` + testImage + `"`
	step := `"stepExecutionId":"` + approval(Succeeded)[0].StepID(0) + `"`
	for _, c := range []struct{ path, body, want string }{
		{"CancelImageCreation", `{"clientToken":"1",` + arn + `}`, `{"clientToken":"1",` + arn + `,"requestId":"00000000-0000-4000-8000-000000000001"}`},
		{"SendWorkflowStepAction", `{"clientToken":"1","action":"STOP",` + arn + `,` + step + `}`, `{"clientToken":"1",` + arn + `,` + step + `}`},
	} {
		w := httptest.NewRecorder()
		newChanging(t, Attempt{Runs: approval(Succeeded)}).api.ServeHTTP(w, signedPut(c.path, c.body))
		if diff := cmp.Diff(c.want, w.Body.String()); w.Code != http.StatusOK || diff != "" {
			t.Errorf("%s: status %d (-want +got):\n%s", c.path, w.Code, diff)
		}
	}
}

// put sends a request and returns the status and the code of the error, "" for none.
func put(t *testing.T, api *API, path, body string) (status int, code string) {
	t.Helper()
	w := httptest.NewRecorder()
	api.ServeHTTP(w, signedPut(path, body))
	code, _, _ = strings.Cut(w.Header().Get("X-Amzn-ErrorType"), ":")
	return w.Code, code
}

func signedPut(path, body string) *http.Request {
	r := signed("/" + path)
	r.Method, r.Body = http.MethodPut, io.NopCloser(strings.NewReader(body))
	return r
}
