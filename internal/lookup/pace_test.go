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

// thousands returns an account with so many pipelines, each of which has built once.
func (w *world) thousands(pipelines int) *emulator.Account {
	a := &emulator.Account{}
	for p := range pipelines {
		name := fmt.Sprintf("p-%d", p)
		a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN(name)})
		a.Images = append(a.Images, w.run(p, 1, w.begin.Add(-time.Hour), time.Minute))
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

// TestANewRunOfThousandsOfPipelines is seen within twice the interval of discovery, at the
// default rate, whoever started it, while nothing else is asked less often.
func TestANewRunOfThousandsOfPipelines(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client.Limits = imagebuilder.Limits{Concurrency: 10, RateLimit: 20, Burst: 40, Timeout: 10 * time.Second}
		const pipelines, settled = 5000, 30 * time.Minute
		a := w.thousands(pipelines)
		a.Images[7] = w.run(7, 1, w.begin.Add(-time.Hour), 1000*time.Hour)
		started := map[string]time.Duration{}
		random := rand.New(rand.NewPCG(1, 2))
		for i, p := range random.Perm(pipelines)[:60] {
			at := settled + time.Duration(random.Int64N(int64(40*time.Minute)))
			if i%2 == 0 { // by schedule
				a.Pipelines[p].First, a.Pipelines[p].Every = w.begin.Add(at), 24*time.Hour
				a.Pipelines[p].Build = func(int, time.Time) emulator.Image { return w.run(p, 2, w.begin.Add(at), time.Hour) }
			} else {
				a.Images = append(a.Images, w.run(p, 2, w.begin.Add(at), time.Hour))
			}
			started[id(p*16+2)] = at
		}
		target := w.discovering(a, Selection{Pipelines: all(2), MaxExecutions: 2 * pipelines})
		w.scrapeEvery(target, 15*time.Second, settled-time.Second)
		begun, before := w.now(), w.operations()
		var latest time.Duration
		for at := settled; at < settled+time.Hour; at += 15 * time.Second {
			w.at(at)
			last := w.operations()
			s := w.scrape(target)
			if n := discoveryRequests(w.since(last)); n > 5*15+10 {
				t.Fatalf("%d requests of discovery in 15s at %s", n, at)
			}
			if len(s.Pipelines) != pipelines || len(s.Images) < pipelines || s.DiscoveryInterval < 1000*time.Second {
				t.Fatalf("%d pipelines and %d images at %s, interval %s", len(s.Pipelines), len(s.Images), at, s.DiscoveryInterval)
			}
			for _, e := range s.Executions {
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
		if n := float64(discoveryRequests(w.since(before))); n > 5*took.Seconds()+10 {
			t.Errorf("%.0f requests of discovery in %s", n, took)
		}
		if n := strings.Count(w.logs.String(), "\n"); n != 1 || !strings.Contains(w.logs.String(), "its interval grows") {
			t.Errorf("%d lines:\n%s", n, &w.logs)
		}
	})
}
