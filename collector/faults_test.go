package collector_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// seen is what a scrape tells of one execution, in one line: whether its lookup
// succeeded or why not, its status or nothing, and whether the target is up.
func seen(t *testing.T, s *scraped) string {
	t.Helper()
	w := s.scrape(t)
	result := "not looked up"
	for _, success := range w.samples("imagebuilder_workflow_execution_lookup_success", "target") {
		if result = "success"; success == 0 {
			for class := range w.samples("imagebuilder_workflow_execution_lookup_error", "class") {
				result = class
			}
		}
	}
	status := "-"
	for name, current := range w.samples("imagebuilder_workflow_execution_status", "status") {
		if current == 1 {
			status = name
		}
	}
	return fmt.Sprintf("%s, %s, up %g", result, status, w.samples("imagebuilder_up", "target")["golden-images"])
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
		{"foreign id", body(200, `{"workflowExecutionId":"`+lookuptest.ID(2)+`","status":"FAILED"}`), same("invalid, RUNNING, up 1")},
		// The lookup of the second scrape goes on for half a second longer than it waits.
		{"hangs", emulator.Hang(), [3]string{good, "unavailable, RUNNING, up 0", "unavailable, RUNNING, up 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var fault atomic.Pointer[http.Handler]
				none := http.Handler(nil)
				fault.Store(&none)
				api := &emulator.API{
					Scenario: emulator.Runs(emulator.Run{ID: lookuptest.ID(1), Start: time.Now(), Steps: []emulator.Step{{Takes: time.Hour}}}),
					Fault:    func(string, string) http.Handler { return *fault.Load() },
				}
				s := newScraped()
				s.addIDs(t, lookuptest.Config{API: api}, lookuptest.ID(1))
				begin := time.Now()
				var got [5]string
				for i := range got {
					<-time.After(time.Until(begin.Add(time.Duration(i) * 15 * time.Second)))
					if fault.Store(&c.fault); i == 0 || i == 4 {
						fault.Store(&none)
					}
					got[i] = seen(t, s)
				}
				want := [5]string{good, c.want[0], c.want[1], c.want[2], good}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestBadExecutionsSpoilNothing is a thousand executions of which a fifth fails in
// four ways: the others are right, and the scrape is in time.
func TestBadExecutionsSpoilNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := emulator.Synthetic(1, 800, time.Now().Add(-time.Hour))
		faults, ids := map[string]http.Handler{}, []string(nil)
		for i := range 200 {
			id := lookuptest.ID(i)
			switch i % 4 {
			case 0:
				faults[id] = emulator.Hang()
			case 1:
				faults[id] = emulator.Reset("")
			case 2:
				faults[id] = emulator.Body(200, "text/html", "<html>garbage")
			}
			ids = append(ids, id)
		}
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		api := &emulator.API{Scenario: emulator.Runs(runs...), Fault: func(_, id string) http.Handler { return faults[id] }}
		limits := lookuptest.Limits()
		limits.Concurrency, limits.RateLimit = 64, 0
		s := newScraped()
		s.addIDs(t, lookuptest.Config{API: api, Limits: limits}, ids...)
		w := s.scrape(t)
		success := w.samples("imagebuilder_workflow_execution_lookup_success", "workflow_execution_id")
		for _, r := range runs {
			if success[r.ID] != 1 {
				t.Errorf("%s was not looked up", r.ID)
			}
		}
		classes := map[string]int{}
		for key := range w.samples("imagebuilder_workflow_execution_lookup_error", "workflow_execution_id", "class") {
			classes[strings.Fields(key)[1]]++
		}
		want := map[string]int{"unavailable": 100, "not_found": 50}
		if diff := cmp.Diff(want, classes); diff != "" {
			t.Errorf("failures by class; those that hang have not failed yet (-want +got):\n%s", diff)
		}
		if up := w.samples("imagebuilder_up", "target"); up["golden-images"] != 1 {
			t.Errorf("imagebuilder_up %v", up)
		}
	})
}

func TestOneThrottleAtTheStartSlowsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := emulator.Synthetic(1, 1000, time.Now().Add(-time.Hour))
		ids := []string{lookuptest.ID(0)}
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		api := &emulator.API{Scenario: emulator.Runs(runs...), Fault: func(_, id string) http.Handler {
			if id == lookuptest.ID(0) {
				return emulator.Error(429, "CallRateLimitExceededException", "")
			}
			return nil
		}}
		limits := lookuptest.Limits()
		limits.Concurrency, limits.RateLimit = 64, 0
		s := newScraped()
		s.addIDs(t, lookuptest.Config{API: api, Limits: limits}, ids...)
		w := s.scrape(t)
		if n := len(w.samples("imagebuilder_workflow_execution_steps", "workflow_execution_id")); n != 1000 {
			t.Errorf("%d of 1000 are known after the first scrape", n)
		}
	})
}

func same(s string) [3]string { return [3]string{s, s, s} }
