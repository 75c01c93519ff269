package soak

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

var soakTime = flag.Duration("soak", 5*time.Second, "how long TestSoak plays")

const (
	account       = "arn:aws:imagebuilder:eu-west-1:111122223333:"
	timeout       = 5 * time.Second // that scrapers tell
	lookupTimeout = 2 * time.Second // the time limit of a lookup
	scrapers      = 8
)

// soak is the program under random faults, scrapes and reloads.
type soak struct {
	t       *testing.T
	account *emulator.Account
	ids     []string
	url     string // of the emulator
	nobody  string // the URL of nobody
	program *binarytest.Program
	file    string
	fault   atomic.Pointer[func(operation, id string) http.Handler]

	mu      sync.Mutex
	loaded  []string // the targets of all configurations, joined, in their order
	oldest  int      // the first of loaded that may be in force
	slowest time.Duration
	scrapes int
	values  int // that were compared with the truth
	good    int // reloads
	bad     int
}

// TestSoak plays for a while with everything that can go wrong at once: faults of the API,
// eight scrapers, a reload every second. No scrape may be late, no value wrong, and nothing
// may leak. `make soak` plays for ten minutes.
func TestSoak(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // not for secrets
	ctx, cancel := context.WithTimeout(t.Context(), 2**soakTime+3*time.Minute)
	defer cancel()
	s := newSoak(t)
	c := binarytest.Command(ctx, t, "--config.file="+s.file, "--web.listen-address=127.0.0.1:0", "--scrape.timeout-offset=2s", "--web.enable-pprof")
	s.program = binarytest.Start(t, binarytest.WithCredentials(c))
	defer http.DefaultClient.CloseIdleConnections()

	s.play(ctx, random, *soakTime/3)
	before := s.rest(ctx)
	s.play(ctx, random, *soakTime*2/3)
	after := s.rest(ctx)
	t.Logf("%d scrapes, the slowest took %s; %d values compared; reloads: %d good, %d bad; %v at rest before, %v after",
		s.scrapes, s.slowest, s.values, s.good, s.bad, before, after)
	// Up to ten idle connections to the API are kept for a while, each with two goroutines.
	if after.goroutines > before.goroutines+30 || after.fds > before.fds+15 || after.heap > before.heap*3/2+10<<20 {
		t.Errorf("there is a leak: %v at rest before, %v after", before, after)
	}
	if s.values == 0 || s.good == 0 || s.bad == 0 && *soakTime > 30*time.Second {
		t.Error("nothing was tried")
	}
	s.stopsUnderLoad(ctx)
}

// stopsUnderLoad ends the program while it is scraped.
func (s *soak) stopsUnderLoad(ctx context.Context) {
	load, end := context.WithCancel(ctx)
	var running sync.WaitGroup
	for range scrapers {
		running.Go(func() {
			for load.Err() == nil {
				if resp, err := http.Get(s.program.URL("/metrics")); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		})
	}
	begun := time.Now()
	log := s.program.Stop(s.t)
	took := time.Since(begun)
	end()
	running.Wait()
	if took > 20*time.Second || strings.Contains(log, "panic") {
		s.t.Errorf("SIGTERM under load took %s:\n%s", took, log)
	}
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	now := time.Now()
	s := &soak{t: t, account: &emulator.Account{}, file: filepath.Join(t.TempDir(), "config.yml")}
	steps := []emulator.Step{{Takes: time.Second}, {Takes: 2 * time.Second, Ends: emulator.FailedIgnored}, {Ends: emulator.SkippedStep}, {Takes: time.Second, Waits: true}, {Takes: time.Second}}
	for n := range 50 { // one ends each second, and then no more
		s.ids = append(s.ids, lookuptest.ID(n))
		s.account.Runs = append(s.account.Runs, emulator.Run{ID: lookuptest.ID(n), Start: now.Add(time.Duration(n) * *soakTime / 50), Steps: steps})
	}
	for p := range 3 {
		arn := fmt.Sprintf(account+"image-pipeline/p%d", p)
		s.account.Pipelines = append(s.account.Pipelines, emulator.Pipeline{
			ARN: arn, First: now.Add(-time.Minute), Every: time.Duration(3+p) * time.Second, Keep: 20,
			Build: func(n int, at time.Time) emulator.Image {
				return emulator.Image{
					ARN:      fmt.Sprintf(account+"image/p%d/1.0.0/%d", p, n+1),
					Attempts: []emulator.Attempt{{Runs: []emulator.Run{{ID: lookuptest.ID(1_000_000*(p+1) + n), Start: at, Steps: steps}}, Fails: n%3 == 0}},
				}
			},
		})
	}
	api := &emulator.API{Scenario: s.account, Unruly: 1, Fault: func(operation, id string) http.Handler {
		if f := s.fault.Load(); f != nil {
			return (*f)(operation, id)
		}
		return nil
	}}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	s.url = server.URL
	none := httptest.NewServer(nil)
	s.nobody = none.URL
	none.Close()
	s.write(s.base())
	return s
}

// soakConfig is a configuration, and the names of its targets.
type soakConfig struct{ text, targets string }

// base is what is loaded at rest.
func (s *soak) base() soakConfig { return s.config("ids", 10, 2) }

func (s *soak) config(names string, ids, builds int) soakConfig {
	text := fmt.Sprintf("lookup: {timeout: %s, min_interval: 1s, discovery_interval: 2s, max_staleness: 20s, rate_limit: 0, concurrency: %d}\ntargets:\n", lookupTimeout, 5+ids%6)
	for _, name := range strings.Fields(names) {
		url := s.url
		if name == "nobody" {
			url = s.nobody
		}
		text += fmt.Sprintf("  - name: %s\n    regions: [eu-west-1]\n    endpoint_url: %s\n    workflow_executions: [%s]\n    steps: all\n",
			name, url, strings.Join(s.ids[:ids], ", "))
		if name == "web" {
			text += fmt.Sprintf("    pipelines: [{name: .*, builds: %d}]\n", builds)
		}
	}
	return soakConfig{text, names}
}

// write writes the file, and returns what its targets are.
func (s *soak) write(c soakConfig) {
	s.t.Helper()
	binarytest.WriteFile(s.t, s.file+"~", c.text)
	if err := os.Rename(s.file+"~", s.file); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = append(s.loaded, c.targets)
}
