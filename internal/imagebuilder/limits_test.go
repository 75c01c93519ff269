package imagebuilder

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// arrivals is an API that knows nothing, and notes when requests come.
func arrivals() (*emulator.API, func() []time.Duration) {
	var mu sync.Mutex
	var at []time.Duration
	begin := time.Now()
	api := &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, time.Since(begin).Round(time.Millisecond))
		return nil
	}}
	return api, func() []time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return at
	}
}

// TestLimitsChangeForWhatWaits asks four times at once with limits of before, which change
// after 10 s.
func TestLimitsChangeForWhatWaits(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name          string
		before, after Limits
		want          []time.Duration
	}{
		{"a higher rate", Limits{4, 0.001, 1, time.Minute}, Limits{4, 20, 1, time.Minute}, []time.Duration{0, 10050 * ms, 10100 * ms, 10150 * ms}},
		{"no rate", Limits{4, 0.001, 1, time.Minute}, Limits{4, 0, 1, time.Minute}, []time.Duration{0, 10000 * ms, 10000 * ms, 10000 * ms}},
		{"a slot more, with which the rate is the limit", Limits{1, 0.001, 1, time.Minute}, Limits{4, 1, 1, time.Minute}, []time.Duration{0, 11000 * ms, 12000 * ms, 13000 * ms}},
		{"a larger burst brings no tokens", Limits{4, 0.05, 1, time.Minute}, Limits{4, 0.05, 3, time.Minute}, []time.Duration{0, 30000 * ms, 50000 * ms, 70000 * ms}},
		{"no change", Limits{4, 0.05, 1, time.Minute}, Limits{4, 0.05, 1, time.Minute}, []time.Duration{0, 20000 * ms, 40000 * ms, 60000 * ms}},
		{"another time limit", Limits{4, 0.05, 1, time.Minute}, Limits{4, 0.05, 1, time.Second}, []time.Duration{0, 20000 * ms, 40000 * ms, 60000 * ms}},
	} {
		synctest.Test(t, func(t *testing.T) {
			api, at := arrivals()
			client, _ := newClientWith(t, api, ClientConfig{Limits: c.before})
			var running sync.WaitGroup
			for range 4 {
				running.Go(func() {
					if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); !errors.Is(err, NotFound) {
						t.Errorf("%s: %v", c.name, err)
					}
				})
			}
			<-time.After(10 * time.Second)
			client.SetLimits(c.after)
			running.Wait()
			if diff := cmp.Diff(c.want, at()); diff != "" {
				t.Errorf("%s: attempts at (-want +got):\n%s", c.name, diff)
			}
		})
	}
}

// TestTokensThatWereSavedUp are as many as the smaller of two bursts.
func TestTokensThatWereSavedUp(t *testing.T) {
	for _, c := range []struct{ before, after, atOnce int }{{40, 2, 2}, {2, 40, 2}, {3, 3, 3}} {
		synctest.Test(t, func(t *testing.T) {
			api, at := arrivals()
			limits := Limits{Concurrency: 10, RateLimit: 1, Burst: c.before, Timeout: time.Minute}
			client, _ := newClientWith(t, api, ClientConfig{Limits: limits})
			<-time.After(time.Hour)
			limits.Burst = c.after
			client.SetLimits(limits)
			for range c.atOnce + 1 {
				_, _ = client.GetWorkflowExecution(t.Context(), testID, nil)
			}
			all := at()
			if all[c.atOnce-1] != time.Hour || all[c.atOnce] != time.Hour+time.Second {
				t.Errorf("burst %d, then %d: attempts at %s", c.before, c.after, all)
			}
		})
	}
}

func TestASlotMoreAndOneLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second}
		client, _ := newClientWith(t, always(emulator.Hang()), ClientConfig{Limits: limits})
		begin := time.Now()
		var mu sync.Mutex
		var starts, ends []time.Duration
		note := func(list *[]time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			*list = append(*list, time.Since(begin))
		}
		var running sync.WaitGroup
		for range 4 {
			running.Go(func() {
				_, _ = client.GetWorkflowExecution(t.Context(), testID, func() { note(&starts) })
				note(&ends)
			})
		}
		<-time.After(time.Second)
		limits.Concurrency = 3
		client.SetLimits(limits)
		<-time.After(time.Second)
		limits.Concurrency = 1
		client.SetLimits(limits)
		running.Wait()
		const s = time.Second
		if diff := cmp.Diff([]time.Duration{0, 1 * s, 1 * s, 11 * s}, starts); diff != "" {
			t.Errorf("starts (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]time.Duration{10 * s, 11 * s, 11 * s, 21 * s}, ends); diff != "" {
			t.Errorf("ends (-want +got):\n%s", diff)
		}
	})
}

func TestDiscoveryFollowsTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, at := arrivals()
		client, _ := newClientWith(t, api, ClientConfig{Limits: Limits{Concurrency: 8, RateLimit: 0.004, Burst: 4, Timeout: time.Second}})
		var running sync.WaitGroup
		for range 3 {
			running.Go(func() { _, _ = client.GetImage(t.Context(), testImage, nil) })
		}
		<-time.After(time.Second)
		client.SetLimits(Limits{Concurrency: 8, RateLimit: 2, Burst: 4, Timeout: time.Second})
		running.Wait()
		if diff := cmp.Diff([]time.Duration{0, 3 * time.Second, 5 * time.Second}, at()); diff != "" {
			t.Errorf("attempts at (-want +got):\n%s", diff)
		}
	})
}

// TestTheTimeLimitChanges for what begins later, a lookup or the assuming of a role.
func TestTheTimeLimitChanges(t *testing.T) {
	for _, role := range []Role{{}, {ARN: testRole}} {
		synctest.Test(t, func(t *testing.T) {
			limits := Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second}
			client, _ := newClientWith(t, always(emulator.Hang()), ClientConfig{Limits: limits, Role: role, STSEndpointURL: "http://sts"})
			var took [2]time.Duration
			for i := range took {
				begin := time.Now()
				running := make(chan struct{})
				go func() {
					defer close(running)
					if _, err := client.GetWorkflowExecution(t.Context(), testID, nil); !errors.Is(err, Unavailable) {
						t.Error(err)
					}
				}()
				synctest.Wait()
				limits.Timeout = 2 * time.Second
				client.SetLimits(limits)
				<-running
				took[i] = time.Since(begin)
			}
			if want := [2]time.Duration{10 * time.Second, 2 * time.Second}; took != want {
				t.Errorf("with the role %q, lookups that hang took %s, want %s", role.ARN, took, want)
			}
		})
	}
}

// TestTheTransport holds that headers are bounded, and idle connections by time alone.
func TestTheTransport(t *testing.T) {
	transport := newHTTPClient(aws.Config{}).Transport.(*http.Transport)
	if transport.MaxResponseHeaderBytes != maxHeaderBytes || transport.MaxIdleConnsPerHost < 1000 || transport.MaxIdleConns != 0 || transport.IdleConnTimeout == 0 {
		t.Errorf("header bytes %d; idle connections: %d for a host, %d in all, for %s",
			transport.MaxResponseHeaderBytes, transport.MaxIdleConnsPerHost, transport.MaxIdleConns, transport.IdleConnTimeout)
	}
}

// TestAGateThatChangesAllTheTime holds that no slot is lost or added when callers give up
// while the limits change.
func TestAGateThatChangesAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 5
		g := newGate(Limits{Concurrency: most, Burst: 1})
		var inside, entered atomic.Int64
		var running sync.WaitGroup
		for n := range 200 {
			running.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(n)))
				for range 20 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(3*time.Second))))
					if g.enter(ctx) == nil {
						entered.Add(1)
						if in := inside.Add(1); in > most {
							t.Errorf("%d are inside", in)
						}
						<-time.After(time.Duration(random.Int64N(int64(100 * time.Millisecond))))
						inside.Add(-1)
						g.leave()
					}
					cancel()
				}
			})
		}
		random := rand.New(rand.NewPCG(2, 0))
		for range 1000 {
			<-time.After(time.Duration(random.Int64N(int64(100 * time.Millisecond))))
			g.set(Limits{Concurrency: 1 + random.IntN(most), RateLimit: float64(random.IntN(100)), Burst: 1 + random.IntN(10)})
		}
		running.Wait()
		if g.taken != 0 || len(g.waiting) != 0 || entered.Load() < 100 {
			t.Errorf("in the end %d slots are taken, %d wait; %d have entered", g.taken, len(g.waiting), entered.Load())
		}
	})
}

func TestTheShareOfDiscovery(t *testing.T) {
	for limits, want := range map[Limits]Limits{
		{Concurrency: 1, RateLimit: 0, Burst: 1, Timeout: time.Second}:   {Concurrency: 1, RateLimit: 0, Burst: 1, Timeout: time.Second},
		{Concurrency: 7, RateLimit: 2, Burst: 8, Timeout: time.Second}:   {Concurrency: 1, RateLimit: 0.5, Burst: 2, Timeout: time.Second},
		{Concurrency: 40, RateLimit: 20, Burst: 3, Timeout: time.Minute}: {Concurrency: 10, RateLimit: 5, Burst: 1, Timeout: time.Minute},
	} {
		if diff := cmp.Diff(want, limits.ForDiscovery()); diff != "" {
			t.Errorf("of %+v (-want +got):\n%s", limits, diff)
		}
	}
}
