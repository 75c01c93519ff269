package collector_test

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// TestTwoAccounts are reached through roles; one of them is denied half-way, and comes
// back.
func TestTwoAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const role = "arn:aws:iam::444455556666:role/imagebuilder-exporter"
		var logs bytes.Buffer
		s := newScraped()
		var deny atomic.Bool
		apis := map[string]*emulator.API{}
		for _, name := range []string{"first", "second"} {
			account, selection := lookuptest.Pipelines(time.Now())
			api := &emulator.API{Scenario: emulator.Runs(), Roles: []emulator.Role{{ARN: role, ExternalID: "external-secret", Scenario: account.Scenario}}}
			if name == "second" {
				api.Fault = func(string, string) http.Handler {
					if deny.Load() {
						return emulator.Error(403, "AccessDenied", "external-secret is not for logs, but this text is")
					}
					return nil
				}
			}
			apis[name] = api
			s.add(t, lookuptest.Config{
				Name: name, API: api, Role: imagebuilder.Role{ARN: role, ExternalID: "external-secret"}, Selection: selection,
				Logger: log.NewLogfmtLogger(log.NewSyncWriter(&logs)),
			})
		}
		begin := time.Now()
		published := ""
		// told is how many executions there are of a target, how many of them were looked up
		// with success, and whether it is up.
		told := func(at time.Duration) map[string][3]int {
			<-time.After(time.Until(begin.Add(at)))
			w := s.scrape(t)
			for _, f := range w {
				published += f.String()
			}
			all := map[string][3]int{"first": {}, "second": {}}
			add := func(target string, i int) {
				n := all[target]
				n[i]++
				all[target] = n
			}
			for key := range w.samples("imagebuilder_workflow_execution_info", "target", "workflow_execution_id") {
				add(strings.Fields(key)[0], 0)
			}
			for key, value := range w.samples("imagebuilder_workflow_execution_lookup_success", "target", "workflow_execution_id") {
				if value == 1 {
					add(strings.Fields(key)[0], 1)
				}
			}
			for target, up := range w.samples("imagebuilder_up", "target") {
				if up == 1 {
					add(target, 2)
				}
			}
			return all
		}
		healthy := [3]int{4, 4, 1}
		for at, second := 15*time.Second, healthy; at <= 20*time.Minute; at += 15 * time.Second {
			switch at {
			case time.Minute:
				deny.Store(true)
				second = [3]int{4, 3, 1} // the one that runs; the last discovery still counts
			case 5*time.Minute + 15*time.Second:
				second = [3]int{4, 3, 0} // and now discovery is denied, too
			case 6 * time.Minute:
				second = [3]int{3, 3, 0} // it is too old
			case 10*time.Minute + 30*time.Second:
				second = [3]int{0, 0, 0} // and so is the selection
			case 12 * time.Minute:
				deny.Store(false)
			}
			got := told(at)
			if at >= 12*time.Minute && at < 13*time.Minute {
				continue // it comes back within the minute
			} else if at >= 13*time.Minute {
				second = healthy
			}
			if diff := cmp.Diff(map[string][3]int{"first": healthy, "second": second}, got); diff != "" {
				t.Errorf("after %s (-want +got):\n%s", at, diff)
			}
		}
		for name, api := range apis {
			if n := api.Requests("AssumeRole"); n != 1 {
				t.Errorf("%s: the role was assumed %d times in 20 minutes, want 1", name, n)
			}
		}
		for _, secret := range []string{"input-secret", "output-secret", "SecretAccessKey", "emulator-secret", "emulator-session"} {
			if strings.Contains(published+logs.String(), secret) {
				t.Errorf("%s is told", secret)
			}
		}
		if strings.Contains(published, "external-secret") || strings.Count(logs.String(), "external-secret") != strings.Count(logs.String(), "is not for logs") {
			t.Errorf("the external id is told:\n%s", &logs)
		}
	})
}

// TestARoleIsTriedAgain is one that cannot be assumed at first.
func TestARoleIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const role = "arn:aws:iam::444455556666:role/imagebuilder-exporter"
		account, selection := lookuptest.Pipelines(time.Now())
		var allowed atomic.Bool
		api := &emulator.API{
			Scenario: emulator.Runs(), Roles: []emulator.Role{{ARN: role, Scenario: account.Scenario}},
			Fault: func(operation, _ string) http.Handler {
				if operation == "AssumeRole" && !allowed.Load() {
					return emulator.Error(403, "AccessDenied", "")
				}
				return nil
			},
		}
		s := newScraped()
		s.add(t, lookuptest.Config{Name: "role", API: api, Role: imagebuilder.Role{ARN: role}, Selection: selection})
		begin := time.Now()
		up := map[time.Duration]float64{}
		for at := time.Duration(0); at < 12*time.Minute; at += 15 * time.Second {
			<-time.After(time.Until(begin.Add(at)))
			allowed.Store(at >= 10*time.Minute)
			up[at] = s.scrape(t).samples("imagebuilder_up", "target")["role"]
		}
		if up[0] != 0 || up[9*time.Minute] != 0 || up[11*time.Minute+15*time.Second] != 1 {
			t.Errorf("imagebuilder_up %v", up)
		}
		if n := api.Requests("AssumeRole"); n > 2*48 {
			t.Errorf("the role was tried %d times in 12 minutes", n)
		}
	})
}
