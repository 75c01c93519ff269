package imagebuilder

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

const testID = "wf-165b1cb6-3a62-4618-a021-94ddcbe32908"

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
