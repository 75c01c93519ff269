package imagebuilder

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// TestAThrottleSlowsDownWhatFollows makes calls at 10 a second, of which one is throttled,
// and then 20 as fast as they are let through.
func TestAThrottleSlowsDownWhatFollows(t *testing.T) {
	for _, c := range []struct {
		name   string
		before int // calls before the throttle
		slower bool
	}{
		{"within the first second, when no rate is measured yet", 5, false},
		{"after three seconds", 30, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			throttle := false
			client, _ := newTestClient(t, &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler {
				if throttle {
					throttle = false
					return emulator.Error(429, "CallRateLimitExceededException", "x")
				}
				return nil
			}})
			call := func() {
				if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); !errors.Is(err, NotFound) {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			for range c.before {
				call()
				<-time.After(100 * time.Millisecond)
			}
			throttle = true
			call()
			begin := time.Now()
			for range 20 {
				call()
			}
			if took := time.Since(begin); (took > time.Second) != c.slower {
				t.Errorf("a throttle %s: 20 calls take %s, slower: %t is wanted", c.name, took, c.slower)
			}
		})
	}
}

// TestACallerThatWaitsForATokenMayLeave asks for more tokens than there are after a throttle.
func TestACallerThatWaitsForATokenMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRetryer()
		release, err := r.GetAttemptToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = release(nil)
		<-time.After(2 * learning)
		if release, err = r.GetAttemptToken(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = release(&failure{class: Throttled, error: errors.New("throttled")})
		left := 0
		for range 5 {
			begin := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 4*tokenPoll)
			if _, err := r.GetAttemptToken(ctx); err != nil {
				left++
			}
			cancel()
			if took := time.Since(begin); took > 4*tokenPoll {
				t.Errorf("it waits for %s, longer than its context allows", took)
			}
		}
		if left == 0 {
			t.Error("there are tokens for everyone")
		}
	})
}
