package lookup

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

func TestIntervalsFitTheRate(t *testing.T) {
	const configured = 5 * time.Minute
	for _, c := range []struct {
		name string
		rate float64
		n    requests
		want pace
	}{
		{"nothing to ask", 5, requests{}, pace{configured, configured, configured}},
		{"no limit", 0, requests{200, 5000, 5000}, pace{configured, configured, configured}},
		{"all that fits", 5, requests{60, 100, 1340}, pace{configured, configured, configured}},
		{"the rest takes what is left", 5, requests{200, 0, 5000}, pace{configured, configured, 1153 * time.Second}},
		{"builds are asked about as often as before", 5, requests{200, 500, 4500}, pace{configured, configured, 1687 * time.Second}},
		{"many builds leave a quarter to the rest", 5, requests{200, 2500, 2500}, pace{configured, 769 * time.Second, 2307 * time.Second}},
		{"long lists leave a quarter to what they list", 5, requests{2250, 0, 375}, pace{10 * time.Minute, configured, configured}},
		{"a rate of next to nothing", 1e-12, requests{1, 1, 1}, pace{maxInterval, maxInterval, maxInterval}},
	} {
		got := newPace(configured, c.rate, c.n)
		got = pace{got.lists.Truncate(time.Second), got.building.Truncate(time.Second), got.rest.Truncate(time.Second)}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(pace{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// thousands returns an account with so many pipelines, every tenth of which has built once.
func (w *world) thousands(pipelines int) *emulator.Account {
	a := &emulator.Account{}
	for p := range pipelines {
		name := fmt.Sprintf("p-%d", p)
		a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN(name)})
		if p%10 == 0 {
			a.Images = append(a.Images, w.run(p, 1, w.begin.Add(-time.Hour), time.Minute))
		}
	}
	return a
}

// run returns build n of pipeline p, whose execution takes so long. Its id is p and n.
func (w *world) run(p, n int, created time.Time, takes time.Duration) emulator.Image {
	image := made(fmt.Sprintf("p-%d", p), n, created, []emulator.Step{{Name: "Step", Takes: takes}})
	image.Attempts[0].Runs[0].ID = id(p*16 + n)
	return image
}

// discoveryRequests returns how many requests of discovery there were.
func discoveryRequests(operations map[string]int) int {
	sum := 0
	for operation, n := range operations {
		if imagebuilder.Operation(operation).Discovery() {
			sum += n
		}
	}
	return sum
}

// TestANewRunOfThousandsOfPipelines is seen within twice the interval of discovery, though this
// has grown to what the rate allows, whoever started it, while running executions are polled.
func TestANewRunOfThousandsOfPipelines(t *testing.T) {
	t.Parallel()
	test(t, func(t *testing.T) {
		w := newWorld(t)
		// As 5,000 pipelines at the default rate, of which discovery gets a quarter.
		w.client.Limits = imagebuilder.Limits{Concurrency: 10, RateLimit: 6, Burst: 12, Timeout: 10 * time.Second}
		const pipelines, rate, settled, window = 1500, 1.5, 25 * time.Minute, 20 * time.Minute
		a := w.thousands(pipelines)
		started := map[string]time.Duration{}
		random := rand.New(rand.NewPCG(1, 2))
		for i, p := range random.Perm(pipelines)[:60] {
			at := settled + time.Duration(random.Int64N(int64(window)))
			if i%2 == 0 { // by schedule
				a.Pipelines[p].First, a.Pipelines[p].Every = w.begin.Add(at), 24*time.Hour
				a.Pipelines[p].Build = func(int, time.Time) emulator.Image { return w.run(p, 2, w.begin.Add(at), time.Hour) }
			} else {
				a.Images = append(a.Images, w.run(p, 2, w.begin.Add(at), time.Hour))
			}
			started[id(p*16+2)] = at
		}
		target := w.discovering(a, Selection{Pipelines: all(2), MaxExecutions: 2 * pipelines})
		w.scrapeEvery(target, 30*time.Second, settled-time.Second)
		begun, before := w.now(), w.operations()
		var latest time.Duration
		for at := settled; at < settled+window+10*time.Minute; at += 15 * time.Second {
			w.at(at)
			last := w.operations()
			s := w.scrape(target)
			if n := discoveryRequests(w.since(last)); float64(n) > rate*15+3 {
				t.Fatalf("%d requests of discovery in 15s at %s", n, at)
			}
			if len(s.Pipelines) != pipelines || len(s.Images) < pipelines/10 || s.DiscoveryInterval < 1000*time.Second {
				t.Fatalf("%d pipelines and %d images at %s, interval %s", len(s.Pipelines), len(s.Images), at, s.DiscoveryInterval)
			}
			for _, e := range s.Executions {
				if e.Value != nil && !e.Value.Status.Final() && s.Time.Sub(e.ReadAt) > 20*time.Second {
					t.Errorf("at %s, %s is as it was at %s", s.Time, e.ID, e.ReadAt)
				}
				if begun, ok := started[e.ID]; ok && e.Value != nil {
					latest = max(latest, w.now()-begun)
					delete(started, e.ID)
				}
			}
		}
		took := w.now() - begun
		t.Logf("the latest run was seen after %s; %d requests of discovery in %s", latest, discoveryRequests(w.since(before)), took)
		if len(started) > 0 || latest > 10*time.Minute {
			t.Errorf("%d runs were not seen, the last of the others after %s", len(started), latest)
		}
		if n := float64(discoveryRequests(w.since(before))); n > rate*took.Seconds()+3 {
			t.Errorf("%.0f requests of discovery in %s", n, took)
		}
		if n := strings.Count(w.logs.String(), "\n"); n != 1 || !strings.Contains(w.logs.String(), "its interval grows") {
			t.Errorf("%d lines:\n%s", n, &w.logs)
		}
	})
}

// outpaced returns a Target of 400 pipelines and a discovery of one request in two seconds: 16
// of 150 requests in 5 minutes are pages of the list, so that the rest is asked every 896 s.
func (w *world) outpaced(a *emulator.Account) *Target {
	w.client.Limits = imagebuilder.Limits{Concurrency: 10, RateLimit: 2, Burst: 4, Timeout: 10 * time.Second}
	return w.discovering(a, Selection{Pipelines: all(2), MaxExecutions: 1000})
}

// TestWhatComesFirst counts when pipelines are asked for their builds within 40 minutes.
func TestWhatComesFirst(t *testing.T) {
	t.Parallel()
	const settled = 20 * time.Minute
	for _, c := range []struct {
		name    string
		change  func(w *world, a *emulator.Account)
		longest time.Duration // between two requests
		most    int           // requests within the hour
		within  time.Duration // of settled plus 5 minutes there is a request; 0 for whenever its turn comes
	}{
		{"in turn", func(*world, *emulator.Account) {}, 1000 * time.Second, 5, 0},
		{"a build has not ended", func(w *world, a *emulator.Account) {
			a.Images = append(a.Images, w.run(3, 1, w.begin.Add(-time.Minute), 1000*time.Hour))
		}, 330 * time.Second, 12, 0},
		{"the next run has come", func(w *world, a *emulator.Account) {
			a.Pipelines[3].NextRun = w.begin.Add(settled + 5*time.Minute)
		}, 1000 * time.Second, 6, 20 * time.Second},
		{"the last run was started by hand", func(w *world, a *emulator.Account) {
			a.Images = append(a.Images, w.run(3, 1, w.begin.Add(settled+5*time.Minute), 10*time.Minute))
		}, 1000 * time.Second, 8, 6 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				a := w.thousands(400)
				c.change(w, a)
				target := w.outpaced(a)
				w.scrapeEvery(target, 15*time.Second, settled+40*time.Minute)
				if n := sizes(target).Pending; n > 40 {
					t.Errorf("%d questions are queued or in flight", n)
				}
				calls := w.callsFor(pipelineARN("p-3"))
				soonest := time.Duration(0)
				for i, at := range calls {
					if i > 0 && at > settled && at-calls[i-1] > c.longest {
						t.Errorf("%s between two requests, at %s", at-calls[i-1], at)
					}
					if after := at - settled - 5*time.Minute; after > 0 && soonest == 0 {
						soonest = after
					}
				}
				if c.within > 0 && soonest > c.within {
					t.Errorf("asked after %s", soonest)
				}
				if n := len(calls); n > c.most {
					t.Errorf("%d requests in an hour: %s", n, calls)
				}
			})
		})
	}
}

// builtBefore counts the pipelines of thousands whose first build is known.
func builtBefore(s Snapshot) int {
	n := 0
	for _, p := range s.Pipelines {
		if strings.HasSuffix(p.Name, "0") && !p.LastSuccess.IsZero() {
			n++
		}
	}
	return n
}

// TestManyRunsAtOnce begin in most pipelines. What is known of the others stays while
// they wait for their turn.
func TestManyRunsAtOnce(t *testing.T) {
	t.Parallel()
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.thousands(400)
		for p := range 400 {
			if p%10 > 2 {
				a.Images = append(a.Images, w.run(p, 2, w.begin.Add(30*time.Minute), time.Minute))
			}
		}
		target := w.outpaced(a)
		w.scrapeEvery(target, 15*time.Second, 25*time.Minute)
		for at := 25 * time.Minute; at < 2*time.Hour; at += 15 * time.Second {
			w.at(at)
			if n := builtBefore(w.scrape(target)); n != 40 {
				t.Fatalf("at %s, the builds of %d pipelines are known, want 40", at, n)
			}
		}
	})
}

// TestAPipelineThatFails in a grown interval is no longer waited for: what is known of it is gone
// after max_staleness, as in a short one.
func TestAPipelineThatFails(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.outpaced(w.thousands(400))
		w.scrapeEvery(target, 15*time.Second, 20*time.Minute)
		w.fail(pipelineARN("p-10"), emulator.Error(403, "AccessDeniedException", ""))
		var failing, gone time.Duration
		for at := 20 * time.Minute; gone == 0 && at < 2*time.Hour; at += 15 * time.Second {
			w.at(at)
			s := w.scrape(target)
			if failing == 0 && len(s.Errors) > 0 {
				failing = at
			}
			if builtBefore(s) < 40 {
				gone = at
			}
		}
		if after := gone - failing; failing == 0 || after < 4*time.Minute || after > 6*time.Minute {
			t.Errorf("it fails at %s, and what is known of it is gone at %s", failing, gone)
		}
	})
}

// TestDiscoveryThatFitsAgain is logged once, whatever the scrapes find.
func TestDiscoveryThatFitsAgain(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.outpaced(w.thousands(400))
		w.scrapeEvery(target, 15*time.Second, 20*time.Minute)
		select20 := func(rate float64) {
			s := target.c.Selection
			s.DiscoveryRate = rate
			target.Select(s)
		}
		for _, c := range []struct {
			rate     float64
			interval time.Duration
			log      string
		}{
			{0.5, 895 * time.Second, `level=warn target=golden-images region=eu-west-1 discovery_interval=5m0s msg="discovery needs more than a quarter of rate_limit and concurrency; its interval grows" interval=14m56s`},
			{1.3, 320 * time.Second, ""}, // better, and not yet good
			{1.4, 5 * time.Minute, `level=info target=golden-images region=eu-west-1 discovery_interval=5m0s msg="discovery fits into a quarter of rate_limit and concurrency again"`},
			{1.3, 320 * time.Second, ""}, // too little to tell of
			{0, 5 * time.Minute, ""},
		} {
			select20(c.rate)
			s := w.scrape(target)
			if got := s.DiscoveryInterval.Truncate(time.Second); got != c.interval {
				t.Errorf("at %g requests a second, the interval is %s, want %s", c.rate, got, c.interval)
			}
			if n := builtBefore(s); n != 40 {
				t.Errorf("at %g requests a second, the builds of %d pipelines are known, want 40", c.rate, n)
			}
			if diff := cmp.Diff(c.log, strings.TrimSpace(w.logs.String())); diff != "" {
				t.Errorf("at %g requests a second, the log (-want +got):\n%s", c.rate, diff)
			}
			w.logs.Reset()
		}
	})
}
