package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// seen is what a scrape tells of one execution, in one line: whether its lookup
// succeeded or why not, its status or nothing, and whether the target is up.
func seen(t *testing.T, e *testExporter) string {
	t.Helper()
	w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "10")
	result := "not looked up"
	for _, success := range samples(t, w, "imagebuilder_workflow_execution_lookup_success", "target") {
		if result = "success"; success == 0 {
			for class := range samples(t, w, "imagebuilder_workflow_execution_lookup_error", "class") {
				result = class
			}
		}
	}
	status := "-"
	for s, current := range samples(t, w, "imagebuilder_workflow_execution_status", "status") {
		if current == 1 {
			status = s
		}
	}
	return fmt.Sprintf("%s, %s, up %g", result, status, samples(t, w, "imagebuilder_up", "target")["golden-images"])
}

// TestWhatPrometheusSeesOfAFault has every row of the service's errors. The execution
// runs; of five scrapes, 15 s apart, the fault lasts from the second to the fourth.
func TestWhatPrometheusSeesOfAFault(t *testing.T) {
	const good = "success, RUNNING, up 1"
	refused := func(status int, code string) http.Handler { return emulator.Error(status, code, "") }
	body := func(status int, text string) http.Handler { return emulator.Body(status, "text/html", text) }
	for _, c := range []struct {
		name  string
		fault http.Handler
		want  [3]string // of the second, third and fourth scrape
	}{
		{"not found", refused(404, "ResourceNotFoundException"), same("not_found, -, up 1")},
		{"bad request", refused(400, "InvalidRequestException"), same("bad_request, RUNNING, up 1")},
		{"code that is not modelled", refused(400, "InvalidParameterValueException"), same("bad_request, RUNNING, up 1")},
		{"access denied", refused(403, "AccessDeniedException"), same("denied, RUNNING, up 0")},
		{"forbidden", refused(403, "ForbiddenException"), same("denied, RUNNING, up 0")},
		{"expired token", refused(400, "ExpiredTokenException"), same("denied, RUNNING, up 0")},
		{"401 of a proxy", body(401, "<html>"), same("denied, RUNNING, up 0")},
		{"throttled", refused(429, "CallRateLimitExceededException"), same("throttled, RUNNING, up 1")},
		{"too many requests", refused(429, "TooManyRequestsException"), same("throttled, RUNNING, up 1")},
		{"service exception", refused(500, "ServiceException"), same("unavailable, RUNNING, up 0")},
		{"service unavailable", refused(503, "ServiceUnavailableException"), same("unavailable, RUNNING, up 0")},
		{"502 of a proxy", body(502, "<html>"), same("unavailable, RUNNING, up 0")},
		{"reset", emulator.Reset(""), same("unavailable, RUNNING, up 0")},
		{"HTML", body(200, "<html>"), same("unavailable, RUNNING, up 0")},
		{"empty", body(200, ""), same("invalid, RUNNING, up 1")},
		{"wrong type", body(200, `{"status":1}`), same("invalid, RUNNING, up 1")},
		{"foreign id", body(200, `{"workflowExecutionId":"`+testID(2)+`","status":"FAILED"}`), same("invalid, RUNNING, up 1")},
		// The lookup of the second scrape goes on for half a second longer than it waits.
		{"hangs", emulator.Hang(), [3]string{good, "unavailable, RUNNING, up 0", "unavailable, RUNNING, up 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var fault atomic.Pointer[http.Handler]
				none := http.Handler(nil)
				fault.Store(&none)
				api := &emulator.API{
					Scenario: emulator.Runs(emulator.Run{ID: testID(1), Start: time.Now(), Steps: []emulator.Step{{Takes: time.Hour}}}),
					Fault:    func(string, string) http.Handler { return *fault.Load() },
				}
				e := newTestExporter(t, api, defaultLimits(), testID(1))
				begin := time.Now()
				var got [5]string
				for i := range got {
					<-time.After(time.Until(begin.Add(time.Duration(i) * 15 * time.Second)))
					if fault.Store(&c.fault); i == 0 || i == 4 {
						fault.Store(&none)
					}
					got[i] = seen(t, e)
				}
				want := [5]string{good, c.want[0], c.want[1], c.want[2], good}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestOneThrottleAtTheStartSlowsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := emulator.Synthetic(1, 1000, time.Now().Add(-time.Hour))
		ids := []string{testID(0)}
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		api := &emulator.API{Scenario: emulator.Runs(runs...), Fault: func(_, id string) http.Handler {
			if id == testID(0) {
				return emulator.Error(429, "CallRateLimitExceededException", "")
			}
			return nil
		}}
		limits := defaultLimits()
		limits.Concurrency, limits.RateLimit = 64, 0
		w := scrape(newTestExporter(t, api, limits, ids...))
		if n := len(samples(t, w, "imagebuilder_workflow_execution_steps", "workflow_execution_id")); n != 1000 {
			t.Errorf("%d of 1000 are known after the first scrape", n)
		}
	})
}

func same(s string) [3]string { return [3]string{s, s, s} }

// TestAThrottleStorm is 500 running executions behind an API that takes five requests
// a second, scraped by three Prometheus servers: the exporter sends not much more than
// that, and everything stays as fresh as the API allows.
func TestAThrottleStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs []emulator.Run
		var ids []string
		for i := range 500 {
			runs = append(runs, emulator.Run{ID: testID(i), Start: time.Now(), Steps: []emulator.Step{{Takes: 1000 * time.Hour}}})
			ids = append(ids, testID(i))
		}
		api := &emulator.API{Scenario: emulator.Runs(runs...)}
		api.Throttle = rate.NewLimiter(5, 5)
		e := newTestExporter(t, api, defaultLimits(), ids...)
		begin := time.Now()
		const length = 20 * time.Minute
		var scrapers sync.WaitGroup
		for i := range 3 {
			scrapers.Go(func() {
				for at := time.Duration(i) * 5 * time.Second; at < length; at += 15 * time.Second {
					<-time.After(time.Until(begin.Add(at)))
					ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
					e.sources[0].Lookup(ctx)
					cancel()
				}
			})
		}
		scrapers.Wait()
		requests := api.Requests("GetWorkflowExecution")
		throttled := 0
		w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "10")
		for class, n := range samples(t, w, "imagebuilder_exporter_api_errors_total", "class") {
			if !strings.HasPrefix(class, "throttled") {
				t.Errorf("%g failures of class %s", n, class)
			}
			throttled += int(n)
		}
		oldest, ages := 0.0, samples(t, w, "imagebuilder_workflow_execution_lookup_timestamp_seconds", "workflow_execution_id")
		for _, at := range ages {
			oldest = max(oldest, float64(time.Now().UnixMicro())/1e6-at)
		}
		t.Logf("%d requests in %s, %d of them throttled; %d of 500 known, the oldest read %.0f s ago", requests, length, throttled, len(ages), oldest)
		if limit := int(length.Seconds()) * 5; requests > limit*5/4 || throttled > requests/4 {
			t.Errorf("%d requests, %d throttled; the API took at most %d", requests, throttled, limit)
		}
		// 500 at five a second take 100 s; a share is lost to throttling and caution.
		if len(ages) != 500 || oldest > 300 {
			t.Errorf("%d of 500 are known, the oldest read %.0f s ago", len(ages), oldest)
		}
		api.Throttle.SetLimit(rate.Inf) // the storm is over
		for range 12 {
			<-time.After(15 * time.Second)
			w = scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "10")
		}
		oldest = 0
		for _, at := range samples(t, w, "imagebuilder_workflow_execution_lookup_timestamp_seconds", "workflow_execution_id") {
			oldest = max(oldest, float64(time.Now().UnixMicro())/1e6-at)
		}
		// At the default rate of 20 a second a round takes 25 s.
		if oldest > 45 {
			t.Errorf("three minutes after the storm the oldest was read %.0f s ago", oldest)
		}
	})
}
