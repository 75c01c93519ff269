package lookup

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an Image Builder whose answers a test decides, in the bubble's time.
type world struct {
	*emulator.API
	t      *testing.T
	begin  time.Time
	client imagebuilder.ClientConfig
	logs   bytes.Buffer
	last   *Target            // that a test is about, for what happens to it
	panics interface{ Inc() } // of the Targets; nil for not counted

	mu     sync.Mutex
	faults map[string]http.Handler // by id; "" for all others
	broken map[string]http.Handler // by operation
	calls  map[string][]time.Duration
	order  []string

	batches map[*Batch]Snapshot // that were told, and what was in them then
}

// newWorld returns a world with runs. A test may change client before it makes a Target.
func newWorld(t *testing.T, runs ...emulator.Run) *world {
	w := &world{
		t: t, begin: time.Now(),
		faults: map[string]http.Handler{}, broken: map[string]http.Handler{}, calls: map[string][]time.Duration{},
		batches: map[*Batch]Snapshot{},
		client:  imagebuilder.ClientConfig{Limits: imagebuilder.Limits{Concurrency: 100, Timeout: 10 * time.Second, Burst: 1}},
	}
	w.API = &emulator.API{Scenario: emulator.Runs(runs...), Fault: w.fault}
	return w
}

func (w *world) fault(operation, id string) http.Handler {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.broken[operation]; f != nil {
		return f
	}
	w.calls[id] = append(w.calls[id], w.now())
	w.order = append(w.order, id)
	if f, ok := w.faults[id]; ok {
		return f
	}
	return w.faults[""]
}

// callsFor returns when requests for id came in.
func (w *world) callsFor(id string) []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls[id])
}

// fail makes all requests for id end so from now on, those for all ids when it is
// empty. Nil ends it.
func (w *world) fail(id string, f http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults[id] = f
	if f == nil {
		delete(w.faults, id)
	}
}

// failOperation makes all requests of an operation end so from now on. Nil ends it.
func (w *world) failOperation(operation string, f http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken[operation] = f
}

// now returns the time since the world began.
func (w *world) now() time.Duration { return time.Since(w.begin).Round(time.Millisecond) }

// at waits until so much time has passed since the world began.
func (w *world) at(d time.Duration) { <-time.After(d - time.Since(w.begin)) }

// target returns a Target for ids, with an interval of 10 s and a staleness of 5 m.
func (w *world) target(ids ...string) *Target {
	w.t.Helper()
	return w.targetWith(Selection{WorkflowExecutions: ids})
}

// targetWith returns a Target that selects as s says, with an interval of 10 s, one of 5 m
// for discovery, and a staleness of 5 m.
func (w *world) targetWith(s Selection) *Target {
	w.t.Helper()
	httpClient, end := emulator.Pipe(w)
	w.t.Cleanup(end)
	httpClient.Transport = &oneFlight{RoundTripper: httpClient.Transport, t: w.t}
	c := w.client
	c.Target, c.EndpointURL, c.HTTPClient = "golden-images", "http://emulator", httpClient
	c.Region = cmp.Or(c.Region, "eu-west-1")
	c.Metrics = imagebuilder.NewMetrics(prometheus.NewRegistry())
	c.Static = &imagebuilder.StaticCredentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	client, err := imagebuilder.NewClient(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	s.MinInterval, s.DiscoveryInterval, s.MaxStaleness = 10*time.Second, 5*time.Minute, 5*time.Minute
	s.DiscoveryRate, s.DiscoverySlots = c.ForDiscovery().RateLimit, c.ForDiscovery().Concurrency
	target := New(Config{
		Name: c.Target, Region: c.Region, Selection: s,
		Client: client, Logger: log.NewLogfmtLogger(log.NewSyncWriter(&w.logs)), Panics: w.panics,
	})
	w.t.Cleanup(target.Close)
	return target
}

// selectIDs makes target look up other executions by their ids.
func selectIDs(target *Target, ids ...string) {
	s := target.c.Selection
	s.WorkflowExecutions = ids
	target.Select(s)
}

// sizes returns how much the schedule of target holds.
func sizes(target *Target) schedule.Sizes {
	target.mu.Lock()
	defer target.mu.Unlock()
	return target.schedule.Sizes()
}

// oneFlight holds that there is at most one request for an execution at a time.
type oneFlight struct {
	http.RoundTripper
	t  *testing.T
	on sync.Map // URLs on the wire
}

func (o *oneFlight) RoundTrip(r *http.Request) (*http.Response, error) {
	url := r.URL.String()
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		url += " " + string(body)
	}
	if _, twice := o.on.LoadOrStore(url, true); twice {
		o.t.Errorf("a second request on the wire: %s", url)
	}
	defer o.on.Delete(url)
	return o.RoundTripper.RoundTrip(r)
}

// scrape returns what target says to a scrape that waits 9.5 s.
func (w *world) scrape(target *Target) Snapshot {
	ctx, cancel := context.WithTimeout(w.t.Context(), 9500*time.Millisecond)
	defer cancel()
	s := target.Lookup(ctx)
	w.checkSettled(target)
	return whole(s)
}

// scrapeEvery scrapes at every multiple of interval until end.
func (w *world) scrapeEvery(target *Target, interval, end time.Duration) {
	for d := w.now().Truncate(interval) + interval; d <= end; d += interval {
		w.at(d)
		w.scrape(target)
	}
}

func id(n int) string { return fmt.Sprintf("wf-%08x-3a62-4618-a021-94ddcbe32908", n) }

// running is an execution that runs for a thousand hours, ended one that has ended.
func running(n int) emulator.Run {
	return emulator.Run{ID: id(n), Start: time.Now(), Steps: []emulator.Step{{Takes: 1000 * time.Hour}}}
}

func ended(n int) emulator.Run {
	return emulator.Run{ID: id(n), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: time.Minute}}}
}

// allRunning returns n executions that run, and their ids.
func allRunning(n int) (runs []emulator.Run, ids []string) {
	for i := range n {
		runs, ids = append(runs, running(i)), append(ids, id(i))
	}
	return runs, ids
}

// behindRole makes the world's Targets assume a role, which alone sees s.
func (w *world) behindRole(s emulator.Scenario) {
	const role = "arn:aws:iam::444455556666:role/reader"
	w.Roles = []emulator.Role{{ARN: role, Scenario: s}}
	w.client.Role, w.client.STSEndpointURL = imagebuilder.Role{ARN: role}, "http://emulator"
}

// test runs f in a bubble.
func test(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestASettledExecutionIsLookedUpOnce(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, ended(1))
		target := w.target(id(1))
		w.scrape(target)
		w.fail(id(1), emulator.Error(404, "ResourceNotFoundException", "forgotten"))
		w.scrapeEvery(target, 15*time.Second, time.Hour)
		s := w.scrape(target)
		if n := len(w.callsFor(id(1))); n != 1 {
			t.Errorf("%d calls in an hour, want 1", n)
		}
		if e := s.Executions[0]; e.Value == nil || e.Failure != "" || !e.LookedUp {
			t.Errorf("after AWS has forgotten it: %+v", e)
		}
	})
}

func TestAFinalStatusWithoutAnEndSettlesAfterFiveMinutes(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fail(id(1), emulator.Body(200, "application/json", `{"workflowExecutionId":"`+id(1)+`","status":"FAILED"}`))
		target := w.target(id(1))
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, time.Hour)
		calls := w.callsFor(id(1))
		if last := calls[len(calls)-1]; len(calls) != 31 || last != 300*time.Second {
			t.Errorf("%d calls, the last one after %s; want 31, 5m", len(calls), last)
		}
		if w.scrape(target).Executions[0].Value == nil {
			t.Error("its values are gone")
		}
	})
}

func TestAnExecutionSettlesByAnAnswerOnly(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		final := emulator.Body(200, "application/json", `{"workflowExecutionId":"`+id(1)+`","status":"FAILED"}`)
		w.fail(id(1), final)
		target := w.target(id(1))
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, 280*time.Second)
		w.fail(id(1), emulator.Error(403, "AccessDeniedException", ""))
		w.scrapeEvery(target, 10*time.Second, 310*time.Second)
		if s := w.scrape(target); s.Up || s.Executions[0].Failure == "" {
			t.Errorf("while it is denied: %+v", s)
		}
		w.fail(id(1), final)
		w.scrapeEvery(target, 10*time.Second, 320*time.Second)
		if s := w.scrape(target); !s.Up || s.Executions[0].Failure != "" || !target.configured[id(1)].Settled {
			t.Errorf("after the next answer: %+v", s)
		}
	})
}

func TestARunningExecutionIsLookedUpAtMostEveryInterval(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1))
		target := w.target(id(1))
		var scrapers sync.WaitGroup
		for i := range 4 {
			scrapers.Go(func() {
				for n := range 40 {
					w.at(time.Duration(n)*15*time.Second + time.Duration(i)*3750*time.Millisecond)
					if e := w.scrape(target).Executions[0]; e.Value == nil || time.Since(e.ReadAt) > 13*time.Second {
						t.Errorf("scraper %d at %s: read %s ago", i, w.now(), time.Since(e.ReadAt))
					}
				}
			})
		}
		scrapers.Wait()
		calls := w.callsFor(id(1))
		t.Logf("%d calls in 10 minutes", len(calls))
		if len(calls) > 61 {
			t.Errorf("%d calls in 10 minutes, want at most 61", len(calls))
		}
		for i := 1; i < len(calls); i++ {
			if calls[i]-calls[i-1] < 10*time.Second {
				t.Errorf("calls at %s and %s", calls[i-1], calls[i])
			}
		}
	})
}

func TestSixtyFourScrapersShareEveryLookup(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), running(2), ended(3))
		w.Latency = time.Second
		target := w.target(id(1), id(2), id(3))
		var scrapers sync.WaitGroup
		for range 64 {
			scrapers.Go(func() {
				for n := range 60 {
					w.at(time.Duration(n) * time.Second)
					if s := w.scrape(target); !s.Up || s.Executions[2].Value == nil {
						t.Errorf("at %s: %+v", w.now(), s)
					}
				}
			})
		}
		scrapers.Wait()
		want := []time.Duration{1 * time.Second, 11 * time.Second, 21 * time.Second, 31 * time.Second, 41 * time.Second, 51 * time.Second}
		for i, ids := range []string{id(1), id(2)} {
			if diff := gocmp.Diff(want, w.callsFor(ids)); diff != "" {
				t.Errorf("answers to %d (-want +got):\n%s", i+1, diff)
			}
		}
		if n := len(w.callsFor(id(3))); n != 1 {
			t.Errorf("%d calls for the one that has ended, want 1", n)
		}
	})
}

func TestAScrapeThatLeavesDoesNotEndTheLookup(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1))
		w.Latency = 5 * time.Second
		target := w.target(id(1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := whole(target.Lookup(ctx))
		if w.now() != time.Second || s.Executions[0].LookedUp || s.Up {
			t.Errorf("the first scrape left after %s with %+v", w.now(), s)
		}
		w.at(6 * time.Second)
		s = w.scrape(target)
		if w.now() != 6*time.Second || s.Executions[0].Value == nil || !s.Up {
			t.Errorf("the second one got %+v at %s", s, w.now())
		}
		if s.RefreshDuration != 0 || !s.LastSuccess.Equal(w.begin.Add(6*time.Second)) {
			t.Errorf("with nothing due: duration %s, last success %s", s.RefreshDuration, s.LastSuccess)
		}
	})
}

func TestAHangingLookupDelaysNoOther(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), running(2))
		w.fail(id(1), emulator.Hang())
		target := w.target(id(1), id(2))
		for n := range 20 {
			w.at(time.Duration(n) * 15 * time.Second)
			s := w.scrape(target)
			if e := s.Executions[1]; e.Value == nil || s.Time.Sub(e.ReadAt) > 10*time.Second {
				t.Fatalf("at %s the other one was read %s ago", w.now(), s.Time.Sub(e.ReadAt))
			}
		}
	})
}

func TestBackoff(t *testing.T) {
	for code, backsOff := range map[string]bool{
		"ResourceNotFoundException": true, "InvalidRequestException": true, "AccessDeniedException": false,
	} {
		t.Run(code, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t, running(1))
				w.fail(id(1), emulator.Error(400, code, ""))
				target := w.target(id(1))
				w.scrape(target)
				w.scrapeEvery(target, 10*time.Second, 20*time.Minute)
				var want []time.Duration
				for at, step := time.Duration(0), 10*time.Second; at <= 20*time.Minute; at += step {
					if want = append(want, at); backsOff && len(want) > 1 {
						step = min(2*step, 5*time.Minute)
					}
				}
				if diff := gocmp.Diff(want, w.callsFor(id(1))); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				w.fail(id(1), nil)
				w.scrapeEvery(target, 10*time.Second, 26*time.Minute)
				if e := w.scrape(target).Executions[0]; e.Failure != "" {
					t.Errorf("it did not recover: %+v", e)
				}
				calls := w.callsFor(id(1))
				if last := calls[len(calls)-1] - calls[len(calls)-2]; last != 10*time.Second {
					t.Errorf("after the recovery the interval is %s", last)
				}
				w.fail(id(1), emulator.Error(400, code, ""))
				before := len(calls)
				w.scrapeEvery(target, 10*time.Second, w.now()+20*time.Second)
				if got := len(w.callsFor(id(1))) - before; got != 2 {
					t.Errorf("%d calls in the first 20 s of the next outage, want 2", got)
				}
			})
		})
	}
}

func TestTheIntervalRunsFromTheFirstRequest(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), running(2))
		w.fail(id(1), emulator.Hang())
		w.client.Concurrency = 1
		target := w.target(id(1), id(2))
		w.scrape(target)
		w.fail(id(1), nil)
		w.at(12 * time.Second) // the second one got its turn after 10 s
		w.scrape(target)
		if diff := gocmp.Diff([]time.Duration{10 * time.Second}, w.callsFor(id(2))); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

func TestLastKnownValuesAreServedForALimitedTime(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1))
		target := w.target(id(1))
		w.scrape(target)
		w.fail("", emulator.Error(403, "AccessDeniedException", ""))
		for d := 10 * time.Second; d <= 20*time.Minute; d += 10 * time.Second {
			w.at(d)
			s := w.scrape(target)
			e := s.Executions[0]
			if e.Failure != imagebuilder.Denied || s.Up {
				t.Fatalf("at %s: failure %q, up %t", d, e.Failure, s.Up)
			}
			// Due again after 10 s, and 5 m from there on.
			if known := d <= 310*time.Second; (e.Value != nil) != known {
				t.Fatalf("at %s: values are served: %t, want %t", d, e.Value != nil, known)
			}
			if e.Value != nil && !e.ReadAt.Equal(w.begin) {
				t.Fatalf("at %s: read at %s", d, e.ReadAt)
			}
		}
	})
}

func TestValuesThatNobodyAskedForAreNotServedLate(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1))
		target := w.target(id(1))
		w.scrape(target)
		w.fail("", emulator.Hang())
		w.at(time.Hour) // without a scrape
		if e := w.scrape(target).Executions[0]; e.Value != nil || !e.LookedUp || e.Failure != "" {
			t.Errorf("after an hour without scrapes: %+v", e)
		}
		if n := len(w.callsFor(id(1))); n != 2 {
			t.Errorf("%d calls, want 2: nothing is asked without scrapes", n)
		}
	})
}

func TestNotFoundRemovesWhatHadNotSettled(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), ended(2))
		target := w.target(id(1), id(2))
		w.scrape(target)
		w.fail("", emulator.Error(404, "ResourceNotFoundException", ""))
		w.at(10 * time.Second)
		s := w.scrape(target)
		if e := s.Executions[0]; e.Value != nil || e.Failure != imagebuilder.NotFound {
			t.Errorf("the running one: %+v", e)
		}
		if e := s.Executions[1]; e.Value == nil || e.Failure != "" {
			t.Errorf("the settled one: %+v", e)
		}
		if !s.Up {
			t.Error("not found is no answer")
		}
	})
}

func TestUp(t *testing.T) {
	denied := emulator.Error(403, "AccessDeniedException", "")
	for _, c := range []struct {
		name   string
		faults map[string]http.Handler // of three running executions
		up     bool
		whole  bool // whether every lookup was answered
	}{
		{"all answered", nil, true, true},
		{"one denied", map[string]http.Handler{id(1): denied}, true, false},
		{"all denied", map[string]http.Handler{"": denied}, false, false},
		{"all unavailable", map[string]http.Handler{"": emulator.Error(500, "ServiceException", "")}, false, false},
		{"all unreachable", map[string]http.Handler{"": emulator.Reset("")}, false, false},
		{"all hang", map[string]http.Handler{"": emulator.Hang()}, false, false},
		{"denied and unavailable", map[string]http.Handler{"": denied, id(1): emulator.Hang()}, false, false},
		{"all throttled", map[string]http.Handler{"": emulator.Error(429, "CallRateLimitExceededException", "")}, true, true},
		{"all not found", map[string]http.Handler{"": emulator.Error(404, "ResourceNotFoundException", "")}, true, true},
		{"all bad requests", map[string]http.Handler{"": emulator.Error(400, "ClientException", "")}, true, true},
		{"all invalid", map[string]http.Handler{"": emulator.Body(200, "application/json", "{}")}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t, running(1), running(2), running(3))
				w.faults = c.faults
				target := w.target(id(1), id(2), id(3))
				if s := target.Known(); s.Up || s.RefreshEnded || !s.LastSuccess.IsZero() {
					t.Errorf("before the first scrape: %+v", s)
				}
				w.scrape(target)
				w.at(60 * time.Second) // throttled lookups have ended, too
				s := target.Known()
				if s.Up != c.up || s.LastSuccess.IsZero() == c.whole || !s.RefreshEnded {
					t.Errorf("up %t, last success %s, ended %t; want up %t, whole %t", s.Up, s.LastSuccess, s.RefreshEnded, c.up, c.whole)
				}
			})
		})
	}
}

func TestUpComesBackWithTheFirstAnswer(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), running(2))
		w.fail("", emulator.Error(403, "AccessDeniedException", ""))
		target := w.target(id(1), id(2))
		w.scrape(target)
		w.fail("", nil)
		w.fail(id(2), emulator.Hang()) // the refresh cannot end before its time limit
		w.at(10 * time.Second)
		if s := w.scrape(target); !s.Up {
			t.Errorf("one of two has answered: %+v", s)
		}
		w.at(30 * time.Second)
		settled := newWorld(t, ended(3)).target(id(3))
		settled.Lookup(t.Context())
		if s := settled.Lookup(t.Context()); !s.Up {
			t.Error("with nothing due it does not stay up")
		}
	})
}

func TestAScrapeThatSeesOnlyFailuresIsBlindAtOnce(t *testing.T) {
	test(t, func(t *testing.T) {
		runs, ids := allRunning(100)
		w := newWorld(t, runs...)
		w.client.Concurrency = 10
		target := w.target(ids...)
		if !w.scrape(target).Up {
			t.Fatal("not up at first")
		}
		w.fail("", emulator.Hang()) // ten at a time, 10 s each: a refresh takes 100 s
		for n, up := range []bool{true, false, false, false} {
			w.at(time.Duration(n+1) * 15 * time.Second)
			if s := w.scrape(target); s.Up != up {
				t.Errorf("scrape %d of an API that hangs: up %t, want %t", n+1, s.Up, up)
			}
		}
		w.fail("", nil)
		w.at(75 * time.Second)
		if !w.scrape(target).Up {
			t.Error("not up with the first answer")
		}
	})
}

func TestLongestUnseenGoesFirst(t *testing.T) {
	test(t, func(t *testing.T) {
		runs, ids := allRunning(30)
		w := newWorld(t, runs...)
		w.client.Concurrency, w.client.RateLimit = 1, 1
		target := w.target(ids...)
		w.scrape(target)
		w.scrapeEvery(target, 5*time.Second, 5*time.Minute)
		target.Close()
		w.mu.Lock()
		defer w.mu.Unlock()
		last := map[string]time.Duration{}
		for n, who := range w.order {
			at := w.calls[who][0]
			w.calls[who] = w.calls[who][1:]
			if before, seen := last[who]; seen && at-before > 32*time.Second {
				t.Errorf("call %d: %s was seen %s ago; 30 at one a second take 30s", n, who, at-before)
			}
			last[who] = at
		}
		if len(last) != 30 {
			t.Errorf("%d of 30 were looked up", len(last))
		}
	})
}

func TestTheLogSaysWhatIsNew(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), running(2))
		target := w.target(id(1), id(2))
		w.scrape(target)
		step := func(minutes int) string {
			w.logs.Reset()
			w.scrapeEvery(target, 10*time.Second, w.now()+time.Duration(minutes)*time.Minute)
			return w.logs.String()
		}
		if got := step(2); got != "" {
			t.Errorf("success is logged:\n%s", got)
		}
		w.fail("", emulator.Error(403, "AccessDeniedException", "no"))
		if got := step(4); strings.Count(got, "\n") != 1 || !strings.Contains(got, "class=denied") || !strings.Contains(got, "AccessDeniedException: no") {
			t.Errorf("four minutes without a permission are logged as\n%s", got)
		}
		w.fail("", nil)
		if got := step(1); strings.Count(got, "\n") != 1 || !strings.Contains(got, "msg=recovered class=denied after=4m0s failures=48") {
			t.Errorf("the recovery is logged as\n%s", got)
		}
		w.fail(id(1), emulator.Error(404, "ResourceNotFoundException", ""))
		w.fail(id(2), emulator.Error(404, "ResourceNotFoundException", ""))
		if got := step(2); strings.Count(got, "\n") != 2 || !strings.Contains(got, id(1)) || !strings.Contains(got, id(2)) {
			t.Errorf("two executions that are not found are logged as\n%s", got)
		}
		w.fail(id(1), emulator.Error(400, "ClientException", ""))
		if got := step(10); strings.Count(got, "\n") != 1 || !strings.Contains(got, "class=bad_request") {
			t.Errorf("another failure is logged as\n%s", got)
		}
		w.fail(id(1), nil)
		w.fail(id(2), nil)
		if got := step(10); strings.Count(got, "msg=recovered") != 2 || sizes(target).Outages != 0 {
			t.Errorf("the recovery of two is logged as\n%s, and %d outages are left", got, sizes(target).Outages)
		}
		w.fail("", emulator.Error(403, "AccessDeniedException", "no"))
		step(1)
		w.fail("", emulator.Error(403, "ExpiredTokenException", "old"))
		if got := step(1); strings.Count(got, "\n") != 1 || !strings.Contains(got, "ExpiredTokenException") {
			t.Errorf("another reason of the same class is logged as\n%s", got)
		}
		selectIDs(target)
		if sizes(target).Outages != 0 {
			t.Errorf("with nothing selected, %d outages are left", sizes(target).Outages)
		}
	})
}

func TestCutOffScrapesLeaveNothingBehind(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), running(2))
		w.fail("", emulator.Hang())
		target := w.target(id(1), id(2))
		for range 1000 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			target.Lookup(ctx)
			cancel()
		}
		if n := len(w.callsFor(id(1))); n > 11 {
			t.Errorf("%d calls in 100 s, want at most 11", n)
		}
		if waiting := sizes(target).Refreshes; waiting > 2 {
			t.Errorf("%d refreshes are kept", waiting)
		}
	}) // synctest fails when a goroutine is left
}

func TestTheSelectionCanChange(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), ended(2), running(3))
		target := w.target(id(1), id(2))
		w.scrape(target)
		w.fail(id(1), emulator.Hang())
		w.at(10 * time.Second)
		w.scrape(target)
		selectIDs(target, id(3), id(2)) // while the first one is looked up
		s := w.scrape(target)
		if len(s.Executions) != 2 || s.Executions[0].ID != id(2) || s.Executions[0].Value == nil || s.Executions[1].Value == nil {
			t.Errorf("after the change: %+v", s)
		}
		if n := len(w.callsFor(id(2))); n != 1 {
			t.Errorf("%d calls for what stayed and is settled, want 1", n)
		}
		w.at(time.Minute)
		w.scrape(target)
		if n := len(w.callsFor(id(1))); n != 2 || w.logs.Len() > 0 {
			t.Errorf("%d calls for what is gone, want 2; log:\n%s", n, &w.logs)
		}
		selectIDs(target)
		if s := w.scrape(target); len(s.Executions) != 0 || !s.Up {
			t.Errorf("with nothing selected: %+v", s)
		}
	})
}

func TestWhatIsNoLongerSelectedCountsForNothing(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), running(2), running(3))
		w.client.Concurrency = 2
		w.fail(id(1), emulator.Error(403, "AccessDeniedException", ""))
		w.fail(id(2), emulator.Hang())
		target := w.target(id(1), id(2))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		target.Lookup(ctx)
		selectIDs(target, id(1))
		if s := w.scrape(target); s.Up || w.now() != time.Second {
			t.Errorf("up %t at %s; the only one that is selected is denied", s.Up, w.now())
		}
		selectIDs(target, id(2), id(3)) // the second one again, while it hangs
		w.at(9 * time.Second)
		if s := w.scrape(target); s.Executions[0].Value != nil || s.Executions[0].LookedUp && s.Executions[0].Failure == "" {
			t.Errorf("it is known what was forgotten: %+v", s.Executions[0])
		}
		w.at(time.Minute)
		if left := sizes(target); left.Leaving != 0 || left.Refreshes != 0 {
			t.Errorf("left over: %+v", left)
		}
	})
}

func TestWithoutCredentialsEverythingFailsAtOnce(t *testing.T) {
	test(t, func(t *testing.T) {
		client := &noCredentials{}
		target := New(Config{
			Name: "a", Region: "eu-west-1", Selection: Selection{WorkflowExecutions: []string{id(1), id(2), id(3)}, MinInterval: 10 * time.Second},
			Client: client, Logger: log.NewNopLogger(),
		})
		defer target.Close()
		s := whole(target.Lookup(t.Context()))
		if s.Up || client.calls != 1 {
			t.Errorf("up %t after %d attempts to get credentials; want down, 1", s.Up, client.calls)
		}
		for _, e := range s.Executions {
			if e.Failure != imagebuilder.Denied {
				t.Errorf("%s: %s", e.ID, e.Failure)
			}
		}
	})
}

// noCredentials is a Client that must not be asked for more than credentials: all
// other methods panic.
type noCredentials struct {
	Client
	calls int
}

func (c *noCredentials) Authenticate(context.Context) error {
	c.calls++
	return &imagebuilder.Error{Operation: "Authenticate", Class: imagebuilder.Denied, Err: context.Canceled}
}
