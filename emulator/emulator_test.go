package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/time/rate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testID = "wf-165b1cb6-3a62-4618-a021-94ddcbe32908"

var start = time.Date(2026, 9, 9, 19, 12, 23, 175e6, time.UTC)

// signed returns a request with a signature of the right form.
func signed(path string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("X-Amz-Date", "20260909T191223Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260909/eu-west-1/imagebuilder/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	return r
}

func TestTheAnswerIsThatOfTheReference(t *testing.T) {
	steps := buildSteps(time.Minute)
	steps[1].Ends = SkippedStep
	steps[4].Takes = 0
	api := &API{
		Now: func() time.Time { return start.Add(time.Hour) },
		Scenario: Runs(Run{
			ID:                      testID,
			ImageBuildVersionARN:    "arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0/1",
			WorkflowBuildVersionARN: "arn:aws:imagebuilder:us-west-2:aws:workflow/build/build-image/1.0.3/1",
			Type:                    "BUILD",
			Start:                   start,
			Steps:                   steps,
		}),
	}
	inRegion := func(path string) *http.Request {
		r := signed(path)
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "eu-west-1", "us-west-2", 1))
		return r
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, inRegion("/GetWorkflowExecution?workflowExecutionId="+strings.ToUpper(testID[3:])))
	if w.Code != 400 {
		t.Errorf("an id without wf-: status %d, want 400", w.Code)
	}
	w = httptest.NewRecorder()
	api.ServeHTTP(w, inRegion("/GetWorkflowExecution?workflowExecutionId=wf-"+strings.ToUpper(testID[3:])))
	want := `{"requestId":"00000000-0000-4000-8000-000000000002",` +
		`"workflowBuildVersionArn":"arn:aws:imagebuilder:us-west-2:aws:workflow/build/build-image/1.0.3/1",` +
		`"workflowExecutionId":"wf-165b1cb6-3a62-4618-a021-94ddcbe32908",` +
		`"imageBuildVersionArn":"arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0/1",` +
		`"type":"BUILD","status":"COMPLETED",` +
		`"totalStepCount":7,"totalStepsSucceeded":5,"totalStepsFailed":0,"totalStepsSkipped":2,` +
		`"startTime":"2026-09-09T19:12:23.175Z","endTime":"2026-09-09T19:17:23.175Z"}`
	if diff := cmp.Diff(want, w.Body.String()); w.Code != 200 || diff != "" {
		t.Errorf("status %d (-want +got):\n%s", w.Code, diff)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %s", got)
	}
}

// post returns a signed request with a body.
func post(path, body string) *http.Request {
	r := signed(path)
	r.Method, r.Body = http.MethodPost, io.NopCloser(strings.NewReader(body))
	return r
}

func TestRefusals(t *testing.T) {
	with := func(change func(*http.Request)) *http.Request {
		r := signed("/GetWorkflowExecution?workflowExecutionId=" + testID)
		change(r)
		return r
	}
	authorization := func(old, replacement string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, replacement, 1))
		}
	}
	for _, c := range []struct {
		name    string
		request *http.Request
		status  int
		code    string
		message string // a part of it
	}{
		{"unknown id", with(func(*http.Request) {}), 404, "ResourceNotFoundException", testID + " does not exist"},
		{"id that is none", signed("/GetWorkflowExecution?workflowExecutionId=1"), 400, "InvalidParameterValueException", `'workflowExecutionId' is not valid: "1" does not match ^wf-`},
		{"no id", signed("/GetWorkflowExecution"), 400, "InvalidParameterValueException", "'workflowExecutionId' is not valid: it is missing"},
		{"unknown operation", signed("/GetSomething"), 404, "UnknownOperationException", "the operation GET /GetSomething"},
		{"wrong method", with(func(r *http.Request) { r.Method = "POST" }), 404, "UnknownOperationException", "the operation POST /GetWorkflowExecution"},
		{"a body that cannot be read", post("/ListImages", "["), 400, "SerializationException", "unexpected end of JSON"},
		{"an unknown filter", post("/ListImages", `{"filters":[{"name":"colour","values":["red"]}]}`), 400, "InvalidParameterValueException", `there is no filter "colour"; ListImages has name, osVersion, platform`},
		{"a filter without values", post("/ListImages", `{"filters":[{"name":"name"}]}`), 400, "InvalidParameterValueException", `the filter "name" has no values`},
		{"an unknown owner", post("/ListImages", `{"owner":"Me"}`), 400, "InvalidParameterValueException", `"Me" is not one of Self, `},
		{"too many rows", post("/ListImages", `{"maxResults":26}`), 400, "InvalidParameterValueException", "it must be from 1 to 25"},
		{"a token that is none", post("/ListImages", `{"nextToken":"x"}`), 400, "InvalidPaginationTokenException", "it is not one of the emulator"},
		{"not signed", with(func(r *http.Request) { r.Header.Del("Authorization") }), 403, "MissingAuthenticationTokenException", "Missing"},
		{"no date", with(func(r *http.Request) { r.Header.Del("X-Amz-Date") }), 403, "IncompleteSignatureException", "does not conform"},
		{"another scheme", with(func(r *http.Request) { r.SetBasicAuth("a", "b") }), 403, "IncompleteSignatureException", "does not conform"},
		{"another service", with(authorization("/imagebuilder/", "/ec2/")), 403, "InvalidSignatureException", "correct service: 'imagebuilder'"},
		{"another day", with(authorization("/20260909/", "/20260908/")), 403, "InvalidSignatureException", "Date in Credential scope"},
		{"host not signed", with(authorization("host;", "")), 403, "IncompleteSignatureException", "must be signed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			(&API{Scenario: Runs()}).ServeHTTP(w, c.request)
			code, _, _ := strings.Cut(w.Header().Get("X-Amzn-ErrorType"), ":")
			if w.Code != c.status || code != c.code {
				t.Errorf("got %d %s, want %d %s", w.Code, code, c.status, c.code)
			}
			var body struct{ Message *string }
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Message == nil || !strings.Contains(*body.Message, c.message) {
				t.Errorf("the body is %q, want a message with %q", w.Body, c.message)
			}
		})
	}
}

func TestTheCourseOfARun(t *testing.T) {
	minute := func(ends ...Outcome) []Step {
		var steps []Step
		for _, e := range ends {
			steps = append(steps, Step{Name: "Step", Takes: time.Minute, Ends: e})
		}
		return steps
	}
	type state struct {
		Status                     string
		Succeeded, Failed, Skipped int
		Ended                      time.Duration // after the start, -1 for not
	}
	for _, c := range []struct {
		name string
		run  Run
		at   time.Duration
		want state
	}{
		{"before its start", Run{Start: start, Steps: minute(Succeeded)}, -1, state{"PENDING", 0, 0, 0, -1}},
		{"without a start", Run{Steps: minute(Succeeded)}, time.Hour, state{"PENDING", 0, 0, 0, -1}},
		{"in the first step", Run{Start: start, Steps: minute(Succeeded, Succeeded)}, 0, state{"RUNNING", 0, 0, 0, -1}},
		{"after the first step", Run{Start: start, Steps: minute(Succeeded, Succeeded)}, time.Minute, state{"RUNNING", 1, 0, 0, -1}},
		{"a skipped step takes no time", Run{Start: start, Steps: minute(SkippedStep, Succeeded)}, time.Minute, state{"COMPLETED", 1, 0, 1, time.Minute}},
		{"a step that fails and is ignored", Run{Start: start, Steps: minute(FailedIgnored, Succeeded)}, time.Hour, state{"COMPLETED", 1, 1, 0, 2 * time.Minute}},
		{"a step that fails", Run{Start: start, Steps: minute(Succeeded, Failed, Succeeded)}, time.Hour, state{"FAILED", 1, 1, 0, 2 * time.Minute}},
		{"in the rollback", Run{Start: start, Steps: minute(Failed), Rollback: time.Minute}, time.Minute, state{"ROLLBACK_IN_PROGRESS", 0, 1, 0, -1}},
		{"after the rollback", Run{Start: start, Steps: minute(Failed), Rollback: time.Minute}, time.Hour, state{"ROLLBACK_COMPLETED", 0, 1, 0, 2 * time.Minute}},
		{"before it is cancelled", Run{Start: start, Steps: minute(Succeeded, Succeeded), Cancelled: 90 * time.Second}, time.Minute, state{"RUNNING", 1, 0, 0, -1}},
		{"cancelled", Run{Start: start, Steps: minute(Succeeded, Succeeded), Cancelled: 90 * time.Second}, time.Hour, state{"CANCELLED", 1, 0, 0, 90 * time.Second}},
		{"cancelled after its end", Run{Start: start, Steps: minute(Succeeded), Cancelled: time.Hour}, 2 * time.Hour, state{"COMPLETED", 1, 0, 0, time.Minute}},
		{"skipped", Run{Start: start, Steps: minute(Succeeded, Succeeded), Skipped: true}, time.Hour, state{"SKIPPED", 0, 0, 2, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := c.run.At(start.Add(c.at))
			got := state{e.Status, e.TotalStepsSucceeded, e.TotalStepsFailed, e.TotalStepsSkipped, -1}
			if e.EndTime != "" {
				end, err := time.Parse(time.RFC3339, e.EndTime)
				if err != nil {
					t.Fatal(err)
				}
				got.Ended = end.Sub(start)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestOverHTTP has what only a client sees.
func TestOverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &API{
			Scenario: Runs(Run{ID: testID}),
			Latency:  2 * time.Second,
			Throttle: rate.NewLimiter(rate.Every(time.Minute), 2),
			Fault: func(_, id string) http.Handler {
				if id == testID {
					return nil
				}
				return Reset("{")
			},
		}
		client, end := Pipe(api)
		defer end()
		get := func(id string) (*http.Response, error) {
			r := signed("http://emulator/GetWorkflowExecution?workflowExecutionId=" + id)
			r.RequestURI = ""
			resp, err := client.Do(r)
			if err == nil {
				defer resp.Body.Close()
				_, err = io.ReadAll(resp.Body)
			}
			return resp, err
		}
		begin := time.Now()
		if resp, err := get(testID); err != nil || resp.StatusCode != 200 {
			t.Errorf("got %v, %v", resp, err)
		}
		if took := time.Since(begin); took != api.Latency {
			t.Errorf("an answer took %s, want %s", took, api.Latency)
		}
		if _, err := get("wf-00000000-0000-0000-0000-000000000000"); err == nil {
			t.Error("a connection that is reset gave no error")
		}
		if resp, err := get(testID); err != nil || resp.StatusCode != 429 {
			t.Errorf("beyond the rate: got %v, %v", resp, err)
		}
		if got := api.Requests("GetWorkflowExecution"); got != 3 {
			t.Errorf("%d requests were counted, want 3", got)
		}
	})
}
