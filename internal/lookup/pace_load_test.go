package lookup

import (
	"fmt"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// TestManyRunsLeaveTheRestTheirTurn has 300 pipelines at a discovery of a request in four seconds.
// Half of them build every hour, and come first so often that this takes more than the rate. What
// is known of the others stays all the same.
func TestManyRunsLeaveTheRestTheirTurn(t *testing.T) {
	t.Parallel()
	const pipelines, hourly = 300, 150
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client.Limits = imagebuilder.Limits{Concurrency: 10, RateLimit: 1, Burst: 4, Timeout: 10 * time.Second}
		a := &emulator.Account{}
		for p := range pipelines {
			row := emulator.Pipeline{ARN: pipelineARN(fmt.Sprintf("p-%d", p))}
			if p < hourly {
				row.First, row.Every = w.begin.Add(time.Hour+time.Duration(p)*time.Hour/hourly), time.Hour
				row.Build = func(k int, at time.Time) emulator.Image { return w.run(p, k+2, at, 20*time.Minute) }
			} else {
				a.Images = append(a.Images, w.run(p, 1, w.begin.Add(-time.Hour), time.Minute))
			}
			a.Pipelines = append(a.Pipelines, row)
		}
		target := w.discovering(a, Selection{Pipelines: all(1), MaxExecutions: 2000})
		for at := time.Minute; at < 6*time.Hour; at += time.Minute {
			w.at(at)
			s := w.scrape(target)
			n := 0
			for _, p := range s.Pipelines {
				if p.NextRun.IsZero() && !p.LastSuccess.IsZero() {
					n++
				}
			}
			if at > 2*time.Hour && n != pipelines-hourly {
				t.Fatalf("at %s, the builds of %d pipelines that do not run are known, want %d", at, n, pipelines-hourly)
			}
		}
	})
}

// TestSlowAnswersArePaced has a discovery of one request at a time, each of which takes 250 ms: no
// more than four in a second, whatever the rate is.
func TestSlowAnswersArePaced(t *testing.T) {
	t.Parallel()
	for _, limit := range []float64{8, 40, 0} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			w.client.Limits = imagebuilder.Limits{Concurrency: 4, RateLimit: limit, Burst: 4, Timeout: 10 * time.Second}
			w.Latency = 250 * time.Millisecond
			a := &emulator.Account{}
			for p := range 300 {
				a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN(fmt.Sprintf("p-%d", p))})
				a.Images = append(a.Images, w.run(p, 1, w.begin.Add(-time.Hour), time.Minute))
			}
			target := w.discovering(a, Selection{Pipelines: all(1), MaxExecutions: 2000})
			s := target.c.Selection
			s.DiscoveryInterval, s.MaxStaleness = 30*time.Second, 30*time.Second
			target.Select(s)
			for at := 10 * time.Second; at < 10*time.Minute; at += 10 * time.Second {
				w.at(at)
				s := w.scrape(target)
				if at > 4*time.Minute && (len(s.Images) != 300 || s.DiscoveryInterval < 75*time.Second) {
					t.Fatalf("rate_limit %g, at %s: %d images are known, interval %s", limit, at, len(s.Images), s.DiscoveryInterval)
				}
			}
		})
	}
}
