package imagebuilder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// checks has, for every operation, a call and what must be true of what it returns.
var checks = map[string]func(t *testing.T, c *Client) error{
	"AssumeRole": func(t *testing.T, c *Client) error { return c.Authenticate(t.Context()) },
	"GetWorkflowExecution": func(t *testing.T, c *Client) error {
		e, err := c.GetWorkflowExecution(t.Context(), testID, nil)
		if err == nil && e.ID != testID {
			t.Errorf("it is about %q", e.ID)
		}
		return each(t, []Execution{e}, err, checkExecution)
	},
	"ListWorkflowExecutions": func(t *testing.T, c *Client) error {
		all, err := c.ListWorkflowExecutions(t.Context(), testImage, nil)
		return each(t, all, err, checkExecution)
	},
	"ListWorkflowStepExecutions": func(t *testing.T, c *Client) error {
		all, err := c.ListWorkflowStepExecutions(t.Context(), testID, nil)
		return each(t, all, err, func(s Step) (string, bool) { return s.ID, possibleTimes(s.Start, s.End) })
	},
	"ListWaitingWorkflowSteps": func(t *testing.T, c *Client) error {
		all, err := c.ListWaitingWorkflowSteps(t.Context(), nil)
		return each(t, all, err, func(s WaitingStep) (string, bool) {
			return s.ExecutionID + " " + s.ID, isExecutionID(s.ExecutionID) && s.ID != "" && !s.Since.IsZero()
		})
	},
	"ListImagePipelines": func(t *testing.T, c *Client) error {
		all, err := c.ListImagePipelines(t.Context(), nil)
		return each(t, all, err, func(p Pipeline) (string, bool) {
			return p.ARN, p.Name != "" && (p.ConsecutiveFailures == nil || *p.ConsecutiveFailures >= 0)
		})
	},
	"ListImagePipelineImages": func(t *testing.T, c *Client) error {
		all, err := c.ListImagePipelineImages(t.Context(), testPipeline, nil)
		return each(t, all, err, checkImage)
	},
	"ListImageBuildVersions": func(t *testing.T, c *Client) error {
		all, err := c.ListImageBuildVersions(t.Context(), testImage[:len(testImage)-2], nil)
		return each(t, all, err, func(i Image) (string, bool) {
			key, ok := checkImage(i)
			return key, ok && strings.HasPrefix(i.ARN, testImage[:len(testImage)-len("1.0.0/1")])
		})
	},
	"ListImages": func(t *testing.T, c *Client) error {
		all, err := c.ListImages(t.Context(), nil)
		return each(t, all, err, func(v ImageVersion) (string, bool) {
			arn, err := ParseImageARN(v.ARN)
			return v.ARN, err == nil && !arn.Build && v.Name != ""
		})
	},
	"GetWorkflowStepExecution": func(t *testing.T, c *Client) error {
		at, err := c.GetWorkflowStepExecution(t.Context(), testStep, nil)
		return each(t, []time.Time{at}, err, func(at time.Time) (string, bool) { return "step", possibleTimes(at, at) })
	},
	"GetImage": func(t *testing.T, c *Client) error {
		i, err := c.GetImage(t.Context(), testImage, nil)
		if err == nil && i.ARN != testImage {
			t.Errorf("it is about %q", i.ARN)
		}
		return each(t, []Image{i}, err, checkImage)
	},
}

const testStep = "step-165b1cb6-3a62-4618-a021-94ddcbe32908"

// TestEveryOperationIsChecked holds that every operation has a check, and every list a call.
func TestEveryOperationIsChecked(t *testing.T) {
	want := append(texts(Operations()), "AssumeRole")
	if diff := cmp.Diff(sorted(want), slices.Sorted(maps.Keys(checks))); diff != "" {
		t.Errorf("checks of operations (-want +got):\n%s", diff)
	}
	for _, operation := range want {
		if strings.HasPrefix(operation, "List") && calls[operation] == nil {
			t.Errorf("lists_test.go has no call of %s", operation)
		}
	}
}

// each checks every one of all, unless there is an error, which it returns. The check tells
// by what a thing is known, which is never empty, and that of no other.
func each[T any](t *testing.T, all []T, err error, check func(T) (key string, ok bool)) error {
	t.Helper()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, it := range all {
		key, ok := check(it)
		if !ok || key == "" || known[key] {
			t.Errorf("%+v is returned; a second time: %t", it, known[key])
		}
		known[key] = true
	}
	return nil
}

func checkExecution(e Execution) (key string, ok bool) {
	ok = isExecutionID(e.ID) && e.Status != "" && possibleTimes(e.Start, e.End)
	if s := e.Steps; s != nil {
		ok = ok && min(s.Total, s.Succeeded, s.Failed, s.Skipped) >= 0 && s.Succeeded+s.Failed+s.Skipped <= s.Total
	}
	d, known := e.Duration(time.Now())
	return e.ID, ok && (!known || d >= 0)
}

func checkImage(i Image) (key string, ok bool) {
	arn, err := ParseImageARN(i.ARN)
	outputs := map[Output]bool{}
	for _, o := range i.Outputs {
		outputs[o] = true
	}
	regions := map[RegionFailure]bool{}
	if i.Failure != nil && i.Failure.Distribution != nil {
		for _, r := range i.Failure.Distribution.Regions {
			r.Message = ""
			if regions[r] {
				return "", false
			}
			regions[r] = true
		}
	}
	return i.ARN, err == nil && arn.Build && arn.Region == "eu-west-1" && i.Build != ImageBuildVersion{} &&
		i.Build == ParseImageBuildVersionARN(i.ARN) && i.Status != "" && len(outputs) == len(i.Outputs)
}

func isExecutionID(id string) bool {
	parsed, err := ParseExecutionID(id)
	return err == nil && parsed == id
}

func possibleTimes(start, end time.Time) bool { return end.IsZero() || !end.Before(start) }

// roundTrip is an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newAnswersClient returns a Client of what answers. When the operation is AssumeRole it has
// a role.
func newAnswersClient(t testing.TB, operation string, answers http.RoundTripper) *Client {
	t.Helper()
	c := ClientConfig{
		Target: "a", Region: "eu-west-1", EndpointURL: "http://emulator", STSEndpointURL: "http://sts",
		Static:  &StaticCredentials{AccessKeyID: "AKID", SecretAccessKey: "secret"},
		Limits:  Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second},
		Metrics: NewMetrics(prometheus.NewRegistry()), HTTPClient: &http.Client{Transport: answers},
	}
	if operation == "AssumeRole" {
		c.Role = Role{ARN: testRole, ExternalID: "external-secret"}
	}
	client, err := NewClient(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// FuzzAnswers holds that the Client makes something true of every answer, or an error of a
// class, and soon.
func FuzzAnswers(f *testing.F) {
	operations := slices.Sorted(maps.Keys(checks))
	classes := []Class{NotFound, BadRequest, Denied, Throttled, Unavailable, Invalid}
	for i, operation := range operations {
		f.Add(uint8(i), 200, "", "application/json", emulated(f, operation))
		for _, body := range nastyBodies {
			f.Add(uint8(i), 200, "", "application/json", []byte(body))
		}
		f.Add(uint8(i), 429, "CallRateLimitExceededException:http://internal.amazon.com/", "application/json", []byte(`{"message":"x"}`))
		f.Add(uint8(i), 400, "", "text/xml", []byte(`<ErrorResponse><Error><Code>ValidationError</Code><Message>external-secret</Message></Error></ErrorResponse>`))
		f.Add(uint8(i), 403, "ExpiredTokenException", "", []byte(nil))
		f.Add(uint8(i), 503, "", "text/html", []byte("<html>"))
		f.Add(uint8(i), 301, "", "", []byte(nil))
	}
	f.Fuzz(func(t *testing.T, n uint8, status int, errorType, contentType string, body []byte) {
		operation := operations[int(n)%len(operations)]
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			client := newAnswersClient(t, operation, roundTrip(func(r *http.Request) (*http.Response, error) {
				attempts++
				h := http.Header{"Content-Type": {contentType}}
				if errorType != "" {
					h.Set("X-Amzn-ErrorType", errorType)
				}
				return &http.Response{
					StatusCode: 100 + int(uint(status-100)%500), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
					Header: h, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
				}, nil
			}))
			begin := time.Now()
			err := checks[operation](t, client)
			// A second page is the first one again, so there is no third; each is tried up to three times.
			if took := time.Since(begin); took > 21*time.Second || attempts < 1 || attempts > 6 {
				t.Errorf("%s: %d attempts in %s", operation, attempts, took)
			}
			if err == nil {
				return
			}
			var e *Error
			if !errors.As(err, &e) || !slices.Contains(classes, e.Class) || e.Err == nil {
				t.Fatalf("%s: %#v", operation, err)
			}
			if text := err.Error(); len(text) > maxErrorText+100 || strings.ContainsAny(text, "\n\r") || strings.Contains(text, "external-secret") {
				t.Errorf("%s: the error reads %q", operation, text)
			}
		})
	})
}

// nastyBodies are answers that look like those of the API.
var nastyBodies = []string{
	``, `null`, `{}`, `[]`, `""`, `{"requestId":"x"`, `<html>`, strings.Repeat("[", 10001), strings.Repeat(`{"image":`, 100),
	`{"workflowExecutionId":"` + testID + `","status":"COMPLETED","totalStepCount":2147483647,"totalStepsSucceeded":2147483647,"totalStepsFailed":2147483647,"startTime":"2026-09-09T19:12:23.175Z","endTime":"2026-09-09T19:12:23.174Z"}`,
	`{"workflowExecutionId":"WF-` + testID[3:] + `","status":" ","totalStepCount":1e9,"startTime":"0001-01-01T00:00:00Z"}`,
	`{"requestId":"x","nextToken":"again","workflowExecutions":[{"workflowExecutionId":"` + testID + `","status":"X","totalStepsFailed":-1},null,{}],"imagePipelineList":[{"arn":"` + testPipeline + `","consecutiveFailures":-7},null],"imageSummaryList":[{"arn":"` + testImage + `","state":{"status":"X"}},null]}`,
	`{"requestId":"x","steps":[{"stepExecutionId":"step-1","workflowExecutionId":"` + testID + `","startTime":"2026-09-09T19:12:23.175Z","endTime":"1999-09-09T19:12:23.175Z"},{"stepExecutionId":"step-1"},null]}`,
	`{"image":{"arn":"` + testImage + `","state":{"status":"X"},"outputResources":{"amis":[{"region":"r","image":"i"},{"region":"r","image":"i"},null],"containers":[{"region":"r","imageUris":["i",null]}]}}}`,
	`{"image":{"arn":"` + testImage + `","state":{"status":"FAILED","failureContext":{"failedStep":{},"distributionFailure":{"regionFailures":[{"region":"r"},{"region":"r"},null]}}}}}`,
	`<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId></AccessKeyId><Expiration>2026-09-09T19:12:23Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
	`<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>`, `<!DOCTYPE a [<!ENTITY a "&a;&a;">]><a>&a;</a>`,
}

// emulated returns what the emulator answers.
func emulated(f *testing.F, operation string) []byte {
	f.Helper()
	begun := time.Now().Add(-time.Minute)
	run := emulator.Run{
		ID: testID, Type: "BUILD", ImageBuildVersionARN: testImage, Start: begun,
		Steps: []emulator.Step{{Name: "Launch", Takes: time.Second}, {Name: "Approve", Action: "WaitForAction", Takes: time.Hour, Waits: true}},
	}
	account := &emulator.Account{
		Pipelines: []emulator.Pipeline{{ARN: testPipeline, Name: "Web"}},
		Images:    []emulator.Image{{ARN: testImage, PipelineARN: testPipeline, Created: begun, Attempts: []emulator.Attempt{{Runs: []emulator.Run{run}}}}},
	}
	api := roleAPI()
	api.Scenario = account
	httpClient, end := emulator.Pipe(api)
	defer end()
	var body []byte
	client := newAnswersClient(f, operation, roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := httpClient.Transport.RoundTrip(r)
		if err == nil {
			body, err = io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(bytes.NewReader(body))
		}
		return resp, err
	}))
	if operation == "AssumeRole" {
		if err := client.Authenticate(f.Context()); err != nil {
			f.Fatal(err)
		}
		return body
	}
	call := calls[operation]
	if operation == "GetWorkflowExecution" {
		call = func(c *Client, ctx context.Context) (int, error) {
			_, err := c.GetWorkflowExecution(ctx, testID, nil)
			return 1, err
		}
	}
	if operation == "GetWorkflowStepExecution" {
		call = func(c *Client, ctx context.Context) (int, error) {
			_, err := c.GetWorkflowStepExecution(ctx, run.StepID(1), nil)
			return 1, err
		}
	}
	if rows, err := call(client, f.Context()); rows != 1 && operation != "ListWorkflowStepExecutions" || err != nil {
		f.Fatal(operation, rows, err)
	}
	return body
}
