package imagebuilder

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

const testID = "wf-165b1cb6-3a62-4618-a021-94ddcbe32908"

// referenceAnswer is the example of the API reference.
const referenceAnswer = `{"requestId": "cd69c813-51c3-4261-8e59-382a1af96f73",
 "workflowBuildVersionArn": "arn:aws:imagebuilder:us-west-2:aws:workflow/build/build-image/1.0.3/1",
 "workflowExecutionId": "wf-165b1cb6-3a62-4618-a021-94ddcbe32908",
 "imageBuildVersionArn": "arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0/1",
 "type": "BUILD", "status": "COMPLETED",
 "totalStepCount": 7, "totalStepsSucceeded": 5, "totalStepsFailed": 0, "totalStepsSkipped": 2,
 "startTime": "2026-09-09T19:12:23.175Z", "endTime": "2026-09-09T19:19:06.158Z"}`

// newTestClient returns a client of h over connections in memory, and the registry
// of its metrics.
func newTestClient(t *testing.T, h http.Handler) (*Client, *prometheus.Registry) {
	t.Helper()
	return newClientWith(t, h, ClientConfig{Limits: Limits{Concurrency: 10, Burst: 1, Timeout: 10 * time.Second}})
}

func newClientWith(t *testing.T, h http.Handler, c ClientConfig) (*Client, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	httpClient, end := emulator.Pipe(h)
	t.Cleanup(end)
	c.Target, c.Region, c.Metrics, c.HTTPClient = "golden-images", "eu-west-1", NewMetrics(reg), httpClient
	c.EndpointURL = "http://emulator"
	c.Static = &StaticCredentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	client, err := NewClient(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return client, reg
}

// always is an API with this fault in the place of every answer.
func always(fault http.Handler) *emulator.API {
	return &emulator.API{
		Scenario: emulator.Runs(),
		Fault:    func(string, string) http.Handler { return fault },
	}
}

// refusal is an error of the service with nothing but the parts that are named.
func refusal(status int, header, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set("X-Amzn-ErrorType", header)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	})
}

func TestAnAnswerBecomesAnExecution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, always(emulator.Body(200, "application/json", referenceAnswer)))
		got, err := client.GetWorkflowExecution(t.Context(), testID, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := Execution{
			ID:                      testID,
			Status:                  StatusCompleted,
			WorkflowType:            "BUILD",
			WorkflowBuildVersionARN: "arn:aws:imagebuilder:us-west-2:aws:workflow/build/build-image/1.0.3/1",
			ImageBuildVersionARN:    "arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0/1",
			Image:                   ImageBuildVersion{AccountID: "111122223333", Name: "my-example-recipe", Version: "1.0.0/1"},
			Steps:                   &StepCounts{Total: 7, Succeeded: 5, Skipped: 2},
			Start:                   time.Date(2026, 9, 9, 19, 12, 23, 175e6, time.UTC),
			End:                     time.Date(2026, 9, 9, 19, 19, 6, 158e6, time.UTC),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestErrorsOnTheWire has a case for every row of the service's errors, for what
// stands in front of a service, and for answers that are none.
func TestErrorsOnTheWire(t *testing.T) {
	const html = "<html><body>oops</body></html>"
	answer := func(body string) http.Handler { return emulator.Body(200, "application/json", body) }
	for _, c := range []struct {
		name     string
		fault    http.Handler
		class    Class
		code     string // the label of the last attempt; empty where no attempt failed
		attempts int
	}{
		{"unknown id", emulator.Error(404, "ResourceNotFoundException", "x"), NotFound, "ResourceNotFoundException", 1},
		{"not found by its code, at status 400", emulator.Error(400, "ResourceNotFoundException", "x"), NotFound, "ResourceNotFoundException", 1},
		{"404 without a code", refusal(404, "", `{"message":"x"}`), NotFound, "UnknownError", 1},
		{"invalid request", emulator.Error(400, "InvalidRequestException", "x"), BadRequest, "InvalidRequestException", 1},
		{"client exception", emulator.Error(400, "ClientException", "x"), BadRequest, "ClientException", 1},
		{"code that the operation does not model", emulator.Error(400, "InvalidParameterValueException", "x"), BadRequest, "InvalidParameterValueException", 1},
		{"another 4xx", refusal(418, "", `{}`), BadRequest, "UnknownError", 1},
		{"forbidden", emulator.Error(403, "ForbiddenException", "x"), Denied, "ForbiddenException", 1},
		{"access denied", emulator.Error(403, "AccessDeniedException", "x"), Denied, "AccessDeniedException", 1},
		{"access denied at status 400", emulator.Error(400, "AccessDeniedException", "x"), Denied, "AccessDeniedException", 1},
		{"expired token at status 400", emulator.Error(400, "ExpiredTokenException", "x"), Denied, "ExpiredTokenException", 1},
		{"request expired", emulator.Error(400, "RequestExpired", "x"), Denied, "RequestExpired", 1},
		{"unrecognized client", emulator.Error(403, "UnrecognizedClientException", "x"), Denied, "UnrecognizedClientException", 1},
		{"incomplete signature", emulator.Error(400, "IncompleteSignature", "x"), Denied, "IncompleteSignature", 1},
		{"not authorized", emulator.Error(400, "NotAuthorized", "x"), Denied, "NotAuthorized", 1},
		{"opt in required", emulator.Error(403, "OptInRequired", "x"), Denied, "OptInRequired", 1},
		{"401 that is not JSON", emulator.Body(401, "text/html", html), Denied, "Decode", 1},
		{"403 that is not JSON", emulator.Body(403, "text/html", html), Denied, "Decode", 1},
		{"throttled", emulator.Error(429, "CallRateLimitExceededException", "x"), Throttled, "CallRateLimitExceededException", 3},
		{"too many requests", emulator.Error(429, "TooManyRequestsException", "x"), Throttled, "TooManyRequestsException", 3},
		{"throttled at status 400", emulator.Error(400, "ThrottlingException", "x"), Throttled, "ThrottlingException", 3},
		{"429 without a code", refusal(429, "", `{}`), Throttled, "UnknownError", 3},
		{"429 that is not JSON", emulator.Body(429, "text/html", html), Throttled, "Decode", 3},
		{"service exception", emulator.Error(500, "ServiceException", "x"), Unavailable, "ServiceException", 3},
		{"service unavailable", emulator.Error(503, "ServiceUnavailableException", "x"), Unavailable, "ServiceUnavailableException", 3},
		{"502 of a proxy", emulator.Body(502, "text/html", html), Unavailable, "Decode", 3},
		{"404 of a proxy", emulator.Body(404, "text/html", html), Unavailable, "Decode", 1},
		{"redirect", refusal(301, "", `{}`), Unavailable, "UnknownError", 1},
		{"code in the header, body not JSON", refusal(404, "ResourceNotFoundException:http://x/", html), NotFound, "ResourceNotFoundException", 1},
		{"code in the body", refusal(400, "", `{"code":"ResourceNotFoundException"}`), NotFound, "ResourceNotFoundException", 1},
		{"type in the body", refusal(400, "", `{"__type":"com.amazon#ResourceNotFoundException"}`), NotFound, "ResourceNotFoundException", 1},
		{"code that is none", emulator.Error(400, "a b/c", "x"), BadRequest, "Other", 1},
		{"connection reset", emulator.Reset(""), Unavailable, "Network", 3},
		{"connection lost in the answer", emulator.Reset(`{"workflow`), Unavailable, "Decode", 1},
		{"hangs", emulator.Hang(), Unavailable, "Timeout", 1},
		{"200 with HTML", emulator.Body(200, "text/html", html), Unavailable, "Decode", 1},
		{"200 with truncated JSON", answer(referenceAnswer[:100]), Unavailable, "Decode", 1},
		{"200 with a number for a string", answer(`{"workflowExecutionId":7}`), Invalid, "Decode", 1},
		{"200 with a string for a number", answer(`{"totalStepCount":"7"}`), Invalid, "Decode", 1},
		{"200 with a list", answer(`[]`), Invalid, "Decode", 1},
		{"200 that is too large", answer(`{"message":"` + strings.Repeat("x", maxResponseBytes) + `"}`), Invalid, "Decode", 1},
		{"200 with nothing", answer(""), Invalid, "", 1},
		{"200 with null", answer("null"), Invalid, "", 1},
		{"200 with an empty object", answer("{}"), Invalid, "", 1},
		{"200 without a status", answer(`{"workflowExecutionId":"` + testID + `"}`), Invalid, "", 1},
		{"200 about another execution", answer(strings.Replace(referenceAnswer, "wf-1", "wf-2", 1)), Invalid, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, reg := newTestClient(t, always(c.fault))
				_, err := client.GetWorkflowExecution(t.Context(), testID, nil)
				if !errors.Is(err, c.class) || ClassOf(err) != c.class {
					t.Errorf("got %v, want class %s", err, c.class)
				}
				if got := total(t, reg, "imagebuilder_exporter_api_requests_total", ""); got != c.attempts {
					t.Errorf("%d attempts were counted, want %d", got, c.attempts)
				}
				failed := 0
				if c.code != "" {
					failed = c.attempts
				}
				if got := total(t, reg, "imagebuilder_exporter_api_errors_total", c.code); got != failed {
					t.Errorf("%d failed attempts with code %q were counted, want %d", got, c.code, failed)
				}
			})
		})
	}
}

// total sums the series of a counter that have the label value, or all of them when
// it is empty.
func total(t *testing.T, g prometheus.Gatherer, name, value string) int {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && (l.GetValue() == value || value == "" && l.GetName() == "target") {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return int(sum)
}

func TestPartsOfAnAnswerThatCannotBeTrue(t *testing.T) {
	replace := func(old, replacement string) string {
		if !strings.Contains(referenceAnswer, old) {
			t.Fatalf("the answer has no %s", old)
		}
		return strings.Replace(referenceAnswer, old, replacement, 1)
	}
	noType := replace(`"type": "BUILD",`, "")
	for _, c := range []struct {
		name, answer, reason string
		check                func(Execution) bool
	}{
		{"start that cannot be read", replace("2026-09-09T19:12:23.175Z", "yesterday"), reasonTimestamp, func(e Execution) bool { return e.Start.IsZero() && !e.End.IsZero() }},
		{"end that cannot be read", replace("2026-09-09T19:19:06.158Z", "1757445546"), reasonTimestamp, func(e Execution) bool { return e.End.IsZero() && !e.Start.IsZero() }},
		{"end before start", replace("2026-09-09T19:19:06.158Z", "2026-09-09T19:12:23.174Z"), reasonTimestamp, func(e Execution) bool { return e.End.IsZero() && !e.Start.IsZero() }},
		{"negative count", replace(`"totalStepsFailed": 0`, `"totalStepsFailed": -1`), reasonStepCounts, func(e Execution) bool { return e.Steps == nil && e.Status == "COMPLETED" }},
		{"more steps than there are", replace(`"totalStepCount": 7`, `"totalStepCount": 6`), reasonStepCounts, func(e Execution) bool { return e.Steps == nil }},
		{"fewer steps than there are", replace(`"totalStepsSucceeded": 5`, `"totalStepsSucceeded": 1`), "", func(e Execution) bool { return e.Steps.Succeeded == 1 }},
		{"no type", noType, "", func(e Execution) bool { return e.WorkflowType == "BUILD" }},
		{"no type and no workflow ARN", strings.Replace(noType, "workflowBuildVersionArn", "x", 1), "", func(e Execution) bool { return e.WorkflowType == "" }},
		{"type of the future", replace(`"BUILD"`, `"SCAN"`), "", func(e Execution) bool { return e.WorkflowType == "SCAN" }},
		{"status of the future", replace("COMPLETED", "PAUSED"), "", func(e Execution) bool { return e.Status == "PAUSED" && !e.Status.Final() }},
		{"no times", replace(`"startTime": "2026-09-09T19:12:23.175Z", "endTime": "2026-09-09T19:19:06.158Z"`, `"x": 1`), "", func(e Execution) bool { return e.Start.IsZero() && e.End.IsZero() }},
		{"empty times", replace("2026-09-09T19:12:23.175Z", ""), "", func(e Execution) bool { return e.Start.IsZero() }},
		{"time with an offset", replace("2026-09-09T19:12:23.175Z", "2026-09-09T21:12:23+02:00"), "", func(e Execution) bool { return e.Start.Equal(time.Date(2026, 9, 9, 19, 12, 23, 0, time.UTC)) }},
		{"ARN that is none", replace("arn:aws:imagebuilder:us-west-2:111122223333:image", "image"), "", func(e Execution) bool { return e.Image == ImageBuildVersion{} && e.ImageBuildVersionARN != "" }},
		{"id in upper case", replace("wf-165b1cb6", "wf-165B1CB6"), "", func(e Execution) bool { return e.ID == testID }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, reg := newTestClient(t, always(emulator.Body(200, "application/json", c.answer)))
				e, err := client.GetWorkflowExecution(t.Context(), testID, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !c.check(e) {
					t.Errorf("got %+v, steps %+v", e, e.Steps)
				}
				want := 0
				if c.reason != "" {
					want = 1
				}
				if got := total(t, reg, "imagebuilder_exporter_invalid_responses_total", ""); got != want {
					t.Errorf("%d invalid answers were counted, want %d", got, want)
				}
				if got := total(t, reg, "imagebuilder_exporter_invalid_responses_total", c.reason); got != want {
					t.Errorf("%d answers were counted as %s, want %d", got, c.reason, want)
				}
			})
		})
	}
}

// queued answers one after the other, and from then on the last one.
func queued(faults ...http.Handler) *emulator.API {
	next := 0
	return &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler {
		f := faults[min(next, len(faults)-1)]
		next++
		return f
	}}
}

func TestAThrottledAttemptIsRetried(t *testing.T) {
	for name, fault := range map[string]http.Handler{
		"the code":       emulator.Error(429, "CallRateLimitExceededException", "x"),
		"the status":     refusal(429, "", `{}`),
		"an outage":      emulator.Error(503, "ServiceUnavailableException", "x"),
		"a proxy's page": emulator.Body(504, "text/html", "<html>"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, reg := newTestClient(t, queued(fault, emulator.Body(200, "application/json", referenceAnswer)))
				if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); err != nil {
					t.Fatal(err)
				}
				if got := total(t, reg, "imagebuilder_exporter_api_requests_total", ""); got != 2 {
					t.Errorf("%d attempts, want 2", got)
				}
			})
		})
	}
}

func TestTheTimeLimitRunsFromTheFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newClientWith(t, always(emulator.Hang()), ClientConfig{Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second}})
		begin := time.Now()
		var took [2]time.Duration
		done := make(chan struct{})
		for i := range took {
			go func() {
				defer func() { done <- struct{}{} }()
				if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); !errors.Is(err, Unavailable) {
					t.Errorf("got %v, want %s", err, Unavailable)
				}
				took[i] = time.Since(begin)
			}()
		}
		<-done
		<-done
		first, second := min(took[0], took[1]), max(took[0], took[1])
		if first != 10*time.Second || second != 20*time.Second {
			t.Errorf("with one slot, two lookups that hang took %s and %s, want 10s and 20s", first, second)
		}
	})
}

func TestTheTimeLimitKeepsTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := always(emulator.Error(429, "CallRateLimitExceededException", "x"))
		client, _ := newClientWith(t, api, ClientConfig{Limits: Limits{Concurrency: 1, Burst: 1, Timeout: time.Millisecond}})
		_, err := client.GetWorkflowExecution(t.Context(), testID, nil)
		if !errors.Is(err, Throttled) || !errors.Is(err, errTimeLimit) {
			t.Errorf("a limit that ends while a retry waits: got %v, want %s", err, Throttled)
		}
	})
}

func TestACallerMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, always(emulator.Hang()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err := client.GetWorkflowExecution(ctx, testID, nil)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("got %v after %s, want %v after 1s", err, time.Since(begin), context.DeadlineExceeded)
		}
	})
}

func TestARetryGivesItsSlotBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		good := "wf-00000000-0000-0000-0000-000000000000"
		api := &emulator.API{
			Scenario: emulator.Runs(emulator.Run{ID: good}),
			Fault: func(_, id string) http.Handler {
				order = append(order, id)
				if id == testID {
					return emulator.Error(500, "ServiceException", "x")
				}
				return nil
			},
		}
		client, _ := newClientWith(t, api, ClientConfig{Limits: Limits{Concurrency: 1, Burst: 1, Timeout: time.Minute}})
		began, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			_, _ = client.GetWorkflowExecution(t.Context(), testID, func() { close(began) })
		}()
		<-began
		if _, err := client.GetWorkflowExecution(t.Context(), good, nil); err != nil {
			t.Error(err)
		}
		<-done
		if diff := cmp.Diff([]string{testID, good, testID, testID}, order); diff != "" {
			t.Errorf("order on the wire, with one slot (-want +got):\n%s", diff)
		}
	})
}

func TestTheRateHoldsForEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		begin := time.Now()
		api := &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler {
			at = append(at, time.Since(begin).Round(time.Millisecond))
			return nil
		}}
		client, _ := newClientWith(t, api, ClientConfig{Limits: Limits{Concurrency: 10, RateLimit: 0.5, Burst: 2, Timeout: time.Second}})
		for range 4 {
			if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); !errors.Is(err, NotFound) {
				t.Error(err)
			}
		}
		want := []time.Duration{0, 0, 2 * time.Second, 4 * time.Second}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Errorf("attempts at (-want +got):\n%s", diff)
		}
	})
}

func TestWithoutCredentialsNothingIsSent(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	reg := prometheus.NewRegistry()
	client, err := NewClient(t.Context(), ClientConfig{
		Target: "a", Region: "eu-west-1", Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second}, Metrics: NewMetrics(reg),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Authenticate(t.Context()); !errors.Is(err, Denied) {
		t.Errorf("Authenticate: got %v, want %s", err, Denied)
	}
	if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); !errors.Is(err, Denied) {
		t.Errorf("GetWorkflowExecution: got %v, want %s", err, Denied)
	}
	if got := total(t, reg, "imagebuilder_exporter_api_requests_total", ""); got != 0 {
		t.Errorf("%d attempts were counted, want 0", got)
	}
}

func TestCredentialsMayComeLater(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	client, err := NewClient(t.Context(), ClientConfig{
		Target: "a", Region: "eu-west-1", Limits: Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second},
		Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Authenticate(t.Context()); !errors.Is(err, Denied) || !strings.Contains(err.Error(), errNoCredentials.Error()) {
		t.Fatalf("without a file: got %v", err)
	}
	if err := os.WriteFile(file, []byte("[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := client.Authenticate(t.Context()); err != nil {
		t.Errorf("with the file: %v", err)
	}
}

func TestTheEnvironmentChoosesTheEndpoint(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	c := ClientConfig{Target: "a", Region: "eu-west-1", Limits: Limits{Concurrency: 1, Burst: 1, Timeout: time.Second}}
	endpoint := func() (string, error) {
		c.Metrics = NewMetrics(prometheus.NewRegistry())
		client, err := NewClient(t.Context(), c)
		if err != nil {
			return "", err
		}
		o := client.sdk.Options()
		if o.BaseEndpoint == nil {
			return "", nil
		}
		return *o.BaseEndpoint, nil
	}
	if got, err := endpoint(); got != "" || err != nil {
		t.Errorf("by itself: got %q, %v", got, err)
	}
	t.Setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", "http://127.0.0.1:1")
	if got, err := endpoint(); got != "http://127.0.0.1:1" || err != nil {
		t.Errorf("with AWS_ENDPOINT_URL_IMAGEBUILDER: got %q, %v", got, err)
	}
	c.EndpointURL = "http://127.0.0.1:2"
	if got, err := endpoint(); got != "http://127.0.0.1:2" || err != nil {
		t.Errorf("with endpoint_url too: got %q, %v", got, err)
	}
	t.Setenv("AWS_USE_FIPS_ENDPOINT", "true")
	if _, err := endpoint(); err == nil || !strings.Contains(err.Error(), "AWS_USE_FIPS_ENDPOINT") {
		t.Errorf("with FIPS too: got %v, want an error that names AWS_USE_FIPS_ENDPOINT", err)
	}
}

func TestErrorCodesAreBounded(t *testing.T) {
	m := NewMetrics(prometheus.NewRegistry())
	for i := range maxCodes {
		code := "Code" + strings.Repeat("x", i)
		if got := m.code(code); got != code {
			t.Errorf("code %d: got %s", i, got)
		}
	}
	for _, code := range []string{"OneMore", "", "a b", "Übel", strings.Repeat("x", 65)} {
		if got := m.code(code); got != "Other" {
			t.Errorf("code %q: got %s, want Other", code, got)
		}
	}
	if got := m.code("Code"); got != "Code" {
		t.Errorf("a code that is known: got %s", got)
	}
}

func TestMetricsAreDeclared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, reg := newTestClient(t, always(nil))
		if n, err := testutil.GatherAndCount(reg, "imagebuilder_exporter_api_requests_total", "imagebuilder_exporter_invalid_responses_total"); n != 6 || err != nil {
			t.Errorf("%d series exist before the first request, want 6 (%v)", n, err)
		}
		problems, err := testutil.GatherAndLint(reg)
		if err != nil || len(problems) > 0 {
			t.Error(problems, err)
		}
	})
}
