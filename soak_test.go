package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

var soakTime = flag.Duration("soak", 5*time.Second, "how long TestSoak plays")

const (
	soakAccount  = "arn:aws:imagebuilder:eu-west-1:111122223333:"
	soakTimeout  = 5 * time.Second // that scrapers tell
	soakLookups  = 2 * time.Second // the time limit of a lookup
	soakScrapers = 8
)

// soak is the program under random faults, scrapes and reloads.
type soak struct {
	t       *testing.T
	account *emulator.Account
	ids     []string
	url     string // of the emulator
	nobody  string // the URL of nobody
	address string // of the program
	process *os.Process
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
	c := withAWS(command(ctx, binary(t), "--config.file="+s.file, "--web.listen-address=127.0.0.1:0",
		"--scrape.timeout-offset=2s", "--web.enable-pprof"))
	address, logs := start(t, c)
	s.address, s.process = address, c.Process
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

	load, end := context.WithCancel(ctx)
	var scrapers sync.WaitGroup
	for range soakScrapers {
		scrapers.Go(func() {
			for load.Err() == nil {
				if resp, err := http.Get("http://" + s.address + "/metrics"); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
		})
	}
	begun := time.Now()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	text := logs()
	err := c.Wait()
	end()
	scrapers.Wait()
	if took := time.Since(begun); err != nil || took > 20*time.Second || strings.Contains(text, "verysecret") || strings.Contains(text, "panic") {
		t.Errorf("SIGTERM under load: %v after %s\n%s", err, took, text)
	}
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	now := time.Now()
	s := &soak{t: t, account: &emulator.Account{}, file: filepath.Join(t.TempDir(), "config.yml")}
	steps := []emulator.Step{{Takes: time.Second}, {Takes: 2 * time.Second, Ends: emulator.FailedIgnored}, {Ends: emulator.SkippedStep}, {Takes: time.Second, Waits: true}, {Takes: time.Second}}
	for n := range 50 { // one ends each second, and then no more
		s.ids = append(s.ids, testID(n))
		s.account.Runs = append(s.account.Runs, emulator.Run{ID: testID(n), Start: now.Add(time.Duration(n) * *soakTime / 50), Steps: steps})
	}
	for p := range 3 {
		arn := fmt.Sprintf(soakAccount+"image-pipeline/p%d", p)
		s.account.Pipelines = append(s.account.Pipelines, emulator.Pipeline{
			ARN: arn, First: now.Add(-time.Minute), Every: time.Duration(3+p) * time.Second, Keep: 20,
			Build: func(n int, at time.Time) emulator.Image {
				return emulator.Image{
					ARN:      fmt.Sprintf(soakAccount+"image/p%d/1.0.0/%d", p, n+1),
					Attempts: []emulator.Attempt{{Runs: []emulator.Run{{ID: testID(1_000_000*(p+1) + n), Start: at, Steps: steps}}, Fails: n%3 == 0}},
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
	text := fmt.Sprintf("lookup: {timeout: %s, min_interval: 1s, discovery_interval: 2s, max_staleness: 20s, rate_limit: 0, concurrency: %d}\ntargets:\n", soakLookups, 5+ids%6)
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
	writeFile(s.t, s.file+"~", c.text)
	if err := os.Rename(s.file+"~", s.file); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = append(s.loaded, c.targets)
}

// play scrapes, reloads and breaks the API for a while.
func (s *soak) play(ctx context.Context, random *rand.Rand, length time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var all sync.WaitGroup
	for range soakScrapers {
		pause := time.Duration(100+random.IntN(200)) * time.Millisecond
		all.Go(func() {
			for every(ctx, pause) {
				s.scrape()
			}
		})
	}
	for n := 0; every(ctx, 500*time.Millisecond); n++ {
		s.breakAPI(random)
		names := []string{"ids", "web", "ids web", "web ids nobody", "nobody web"}[random.IntN(5)]
		s.reload(s.config(names, 1+random.IntN(40), 1+random.IntN(4)), random.IntN(2) == 0)
		if !every(ctx, 500*time.Millisecond) {
			break
		}
		if n%4 == 1 {
			s.reloadBad()
		}
	}
	all.Wait()
}

// every waits for d, and reports whether ctx goes on.
func every(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return ctx.Err() == nil
}

// reload loads c, first by a signal, if so.
func (s *soak) reload(c soakConfig, signal bool) {
	s.write(c)
	if signal {
		if err := s.process.Signal(syscall.SIGHUP); err != nil {
			s.t.Error(err)
		}
	}
	status, body := fetch(s.t, http.MethodPost, "http://"+s.address+"/-/reload")
	s.mu.Lock()
	defer s.mu.Unlock()
	if status != http.StatusOK {
		s.t.Errorf("a good file: %d %s", status, body)
		return
	}
	s.oldest = len(s.loaded) - 1
	s.good++
}

// reloadBad loads what cannot be loaded, and leaves the good file behind.
func (s *soak) reloadBad() {
	good, err := os.ReadFile(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	writeFile(s.t, s.file, string(good)+"nonsense: 1\n")
	status, body := fetch(s.t, http.MethodPost, "http://"+s.address+"/-/reload")
	if status != http.StatusInternalServerError || !strings.Contains(body, "nonsense") {
		s.t.Errorf("a bad file: %d %s", status, body)
	}
	writeFile(s.t, s.file, string(good))
	s.bad++
}

// breakAPI makes the emulator do something else than before.
func (s *soak) breakAPI(random *rand.Rand) {
	faults := []http.Handler{
		nil, nil,
		emulator.Error(429, "CallRateLimitExceededException", ""), emulator.Error(403, "AccessDeniedException", ""),
		emulator.Error(404, "ResourceNotFoundException", ""), emulator.Error(500, "ServiceException", ""),
		emulator.Body(200, "text/html", "<html>"), emulator.Body(200, "application/json", `{"status":"FAILED"}`),
		emulator.Body(200, "application/json", `{"message":"`+strings.Repeat("x", 6<<20)+`"}`),
		emulator.Hang(), emulator.Reset(""), emulator.Reset(`{"status":`), drip(200, `{"status":`),
	}
	fault, oneIn := faults[random.IntN(len(faults))], uint64(1+random.IntN(3))
	if fault == nil {
		s.fault.Store(nil)
		return
	}
	var n atomic.Uint64
	f := func(string, string) http.Handler {
		if n.Add(1)%oneIn == 0 {
			return fault
		}
		return nil
	}
	s.fault.Store(&f)
}

// scrape scrapes once, and holds that the answer is in time, whole and true.
func (s *soak) scrape() map[string]*dto.MetricFamily {
	s.mu.Lock()
	oldest := s.oldest
	s.mu.Unlock()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+s.address+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(soakTimeout.Seconds()))
	begun := time.Now()
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Error(err)
		return nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	took := time.Since(begun)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, parseErr := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	if err != nil || parseErr != nil || resp.StatusCode != http.StatusOK || took > soakTimeout {
		s.t.Errorf("a scrape: %d, %v, %v, after %s", resp.StatusCode, err, parseErr, took)
		return nil
	}
	if series := duplicate(families); series != "" {
		s.t.Errorf("%s is there twice", series)
	}
	n := s.compare(families)
	var targets []string
	for _, m := range families["imagebuilder_up"].GetMetric() {
		targets = append(targets, label(m, "target"))
	}
	if panics := families["imagebuilder_exporter_panics_total"].GetMetric()[0].GetCounter().GetValue(); panics > 0 {
		s.t.Errorf("%g panics", panics)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scrapes, s.values, s.slowest = s.scrapes+1, s.values+n, max(s.slowest, took)
	if inForce := s.loaded[oldest:]; !slices.ContainsFunc(inForce, func(names string) bool { return sameSet(strings.Fields(names), targets) }) {
		s.t.Errorf("the targets are %q; in force were %q", targets, inForce)
	}
	return families
}

func sameSet(a, b []string) bool {
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// told is what is published of an execution.
type told struct {
	status                            string
	steps, succeeded, failed, skipped int
	start, end                        string // as the API writes times; empty for none
}

// compare holds that every execution was, when it was read, what is told of it, and
// returns how many there are.
func (s *soak) compare(families map[string]*dto.MetricFamily) int {
	all := map[string]*told{}
	of := func(m *dto.Metric) *told {
		key := label(m, "target") + " " + label(m, "workflow_execution_id")
		if all[key] == nil {
			all[key] = &told{}
		}
		return all[key]
	}
	each := func(metric string, f func(m *dto.Metric, v int)) {
		for _, m := range families["imagebuilder_workflow_execution_"+metric].GetMetric() {
			f(m, int(m.GetGauge().GetValue()))
		}
	}
	each("info", func(m *dto.Metric, _ int) { of(m).status = label(m, "status") })
	each("steps", func(m *dto.Metric, v int) { of(m).steps = v })
	each("steps_succeeded", func(m *dto.Metric, v int) { of(m).succeeded = v })
	each("steps_failed", func(m *dto.Metric, v int) { of(m).failed = v })
	each("steps_skipped", func(m *dto.Metric, v int) { of(m).skipped = v })
	each("start_timestamp_seconds", func(m *dto.Metric, _ int) { of(m).start = timestamp(m) })
	each("end_timestamp_seconds", func(m *dto.Metric, _ int) { of(m).end = timestamp(m) })
	for _, m := range families["imagebuilder_workflow_execution_lookup_timestamp_seconds"].GetMetric() {
		read := time.UnixMicro(int64(m.GetGauge().GetValue() * 1e6))
		if id := label(m, "workflow_execution_id"); !s.was(id, read, *of(m)) {
			s.t.Errorf("%s is told to have been %+v at %s, which it was not", id, *of(m), read)
		}
	}
	return len(all)
}

// timestamp returns a time that is published, as the API writes it.
func timestamp(m *dto.Metric) string {
	return emulator.Timestamp(time.UnixMilli(int64(math.Round(m.GetGauge().GetValue() * 1000))))
}

// duplicate returns a series that is there twice, which the parser takes, or "".
func duplicate(families map[string]*dto.MetricFamily) string {
	seen := map[string]bool{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			series := name + fmt.Sprint(m.GetLabel())
			if seen[series] {
				return series
			}
			seen[series] = true
		}
	}
	return ""
}

// was reports whether an execution was so in the time that a lookup takes.
func (s *soak) was(id string, read time.Time, want told) bool {
	for ago := time.Duration(0); ago <= soakLookups+500*time.Millisecond; ago += 20 * time.Millisecond {
		at := read.Add(-ago)
		// A build that was dropped from the end of the list was there when it was read.
		if e, ok := s.account.WorkflowExecution(id, at); ok && want == (told{e.Status, e.TotalStepCount, e.TotalStepsSucceeded, e.TotalStepsFailed, e.TotalStepsSkipped, e.StartTime, e.EndTime}) {
			return true
		}
	}
	return false
}

// atRest is what the program takes when nothing goes on.
type atRest struct{ goroutines, fds, heap int }

// String says so.
func (a atRest) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d KiB of heap", a.goroutines, a.fds, a.heap>>10)
}

// rest ends all faults, loads what was loaded first, and waits until what the program
// takes no longer falls.
func (s *soak) rest(ctx context.Context) atRest {
	s.fault.Store(nil)
	s.reload(s.base(), false)
	var least atRest
	rounds := 3
	if *soakTime >= time.Minute {
		rounds = 10
	}
	for n := range rounds {
		http.DefaultClient.CloseIdleConnections()
		every(ctx, time.Second)
		if status, _ := fetch(s.t, http.MethodGet, "http://"+s.address+"/debug/pprof/heap?gc=1"); status != http.StatusOK {
			s.t.Errorf("no profile: %d", status)
		}
		families := s.scrape()
		value := func(name string) int {
			for _, m := range families[name].GetMetric() {
				return int(m.GetGauge().GetValue())
			}
			return 0
		}
		now := atRest{goroutines: value("go_goroutines"), fds: value("process_open_fds"), heap: value("go_memstats_heap_alloc_bytes")}
		for name, f := range families {
			for _, m := range f.GetMetric() {
				if target := label(m, "target"); target != "" && target != "ids" {
					s.t.Errorf("%s of target %q is left", name, target)
				}
			}
		}
		if n == 0 || now.goroutines+now.fds < least.goroutines+least.fds {
			least = now
		}
		least.heap = min(least.heap, now.heap)
	}
	return least
}
