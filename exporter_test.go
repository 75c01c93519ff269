package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/semaphore"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/golden"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/sd"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/server"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/targets"
)

// everything switches on all families.
var everything = promqltest.Everything()

// testExporter is an Exporter of targets that a test has made itself.
type testExporter struct {
	*Exporter
	sources []collector.Source
	names   [][2]string // the target and region of each source
	sd      *sd.Handler // of two replicas, one of which is ready

	rendering sync.Map // of each name that is scraped, the *atomic.Int64
}

// newTestExporter returns an Exporter of one target, golden-images, whose executions are
// those of api that have these ids. It belongs to the test's bubble.
func newTestExporter(t *testing.T, api http.Handler, ids ...string) *testExporter {
	t.Helper()
	e := newEmptyExporter(t)
	e.add(t, lookuptest.Config{
		Name: "golden-images", API: api, Selection: lookup.Selection{WorkflowExecutions: ids}, Metrics: imagebuilder.NewMetrics(e.own),
	})
	return e
}

// newEmptyExporter returns an Exporter without targets.
func newEmptyExporter(t *testing.T) *testExporter {
	t.Helper()
	own := prometheus.NewPedanticRegistry()
	e := &testExporter{Exporter: newExporter(own, everything, 4, log.NewNopLogger())}
	e.offset, e.targets = 500*time.Millisecond, e
	none := func() (*config.Config, error) { return &config.Config{}, nil }
	if err := targets.NewReloader(targets.New(targets.Options{}), "", none, own).Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	replicas, err := sd.ParsePeers("replica-1:10120,replica-2:10120")
	if err != nil {
		t.Fatal(err)
	}
	e.sd = sd.New(sd.Config{Peers: replicas, Keys: e.keys, Client: &http.Client{Transport: oneReplica{}}, Logger: log.NewNopLogger()})
	own.MustRegister(e.sd)
	return e
}

// oneReplica answers for replica-1 alone.
type oneReplica struct{}

// RoundTrip implements http.RoundTripper.
func (oneReplica) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Hostname() != "replica-1" {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// keys returns the target and region of each source.
func (e *testExporter) keys() []sd.Key {
	var keys []sd.Key
	for _, name := range e.names {
		keys = append(keys, sd.Key{Target: name[0], Region: name[1]})
	}
	return keys
}

// Acquire implements Targets.
func (e *testExporter) Acquire() *targets.Scrape { return e.scrapeOf(e.sources, "") }

// AcquireOne implements Targets.
func (e *testExporter) AcquireOne(target, region string) (*targets.Scrape, bool) {
	i := slices.Index(e.names, [2]string{target, region})
	if i < 0 {
		return nil, false
	}
	return e.scrapeOf(e.sources[i:i+1], target+"/"+region), true
}

// scrapeOf returns a scrape of sources, whose Rendering is that of a name.
func (e *testExporter) scrapeOf(sources []collector.Source, name string) *targets.Scrape {
	rendering, _ := e.rendering.LoadOrStore(name, new(atomic.Int64))
	return &targets.Scrape{Sources: sources, Rendering: rendering.(*atomic.Int64), Release: func() {}}
}

// add adds a target to e.
func (e *testExporter) add(t *testing.T, c lookuptest.Config) {
	t.Helper()
	c.Panics, c.Logger = e.panics, e.logger
	if c.Region == "" {
		c.Region = lookuptest.Region
	}
	e.sources = append(e.sources, lookuptest.New(t, c))
	e.names = append(e.names, [2]string{c.Name, c.Region})
}

// scrape returns what e answers.
func scrape(e http.Handler, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

// samples returns the values of one metric by its label values that are named.
func samples(t *testing.T, w *httptest.ResponseRecorder, metric string, labels ...string) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, m := range families[metric].GetMetric() {
		got[strings.Join(labelValues(m, labels), " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return got
}

func labelValues(m *dto.Metric, names []string) []string {
	var values []string
	for _, name := range names {
		for _, l := range m.GetLabel() {
			if l.GetName() == name {
				values = append(values, l.GetValue())
			}
		}
	}
	return values
}

// gathered returns the text of everything that a scrape has, in the order of a registry.
func (e *testExporter) gathered(t *testing.T) string {
	t.Helper()
	w := httptest.NewRecorder()
	e.collect(t.Context(), e.Acquire(), scrapeTime(defaultScrapeTimeout, e.offset), time.Now().Add(defaultScrapeTimeout), func(c *collector.Collector) {
		all := promhttp.HandlerFor(e.scrapes.Gatherer(c), promhttp.HandlerOpts{})
		all.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	})
	return w.Body.String()
}

// TestGolden holds everything that /metrics has, at a fixed time, against testdata/metrics.txt.
func TestGolden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEmptyExporter(t)
		limits := lookuptest.Limits()
		limits.Concurrency, limits.RateLimit = 1000, 0 // so that the order of requests decides nothing
		api, ids := lookuptest.Executions(time.Now())
		platform, selection := lookuptest.Pipelines(time.Now())
		for _, c := range []lookuptest.Config{
			{Name: "golden-images", API: api, Selection: lookup.Selection{WorkflowExecutions: ids}, Metrics: imagebuilder.NewMetrics(e.own)},
			{Name: "healthy", API: api, Selection: lookup.Selection{WorkflowExecutions: ids[:1]}},
			{Name: "platform", API: platform, Selection: selection},
		} {
			c.Limits = limits
			e.add(t, c)
		}
		scrape(e)
		<-time.After(time.Second) // the lookup that hangs has ended
		e.sd.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/sd", nil))
		got := e.gathered(t)
		golden.Compare(t, "testdata/metrics.txt", got)
		problems, err := promlint.New(strings.NewReader(got)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("Prometheus' lint: %v, %v", problems, err)
		}
	})
}

// TestTheGoldenIsComplete holds that no metric escapes the golden, and so promtool, the
// documents, the alerts and the dashboards.
func TestTheGoldenIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newTestExporter(t, &emulator.API{Scenario: emulator.Runs()})
		descs := make(chan *prometheus.Desc, 100)
		collector.New(t.Context(), e.sources, e.options, nil).Describe(descs)
		e.own.Describe(descs)
		close(descs)
		described := map[string]bool{}
		for d := range descs {
			_, rest, _ := strings.Cut(d.String(), `fqName: "`)
			name, _, _ := strings.Cut(rest, `"`)
			if strings.HasPrefix(name, "imagebuilder_") { // promhttp has one of its own
				described[name] = true
			}
		}
		if diff := cmp.Diff(described, golden.Metrics(t, "testdata/metrics.txt")); diff != "" {
			t.Errorf("metrics in the code and in testdata/metrics.txt (-code +golden):\n%s", diff)
		}
	})
}

func TestTheScrapesDeadline(t *testing.T) {
	for _, c := range []struct {
		header string
		offset time.Duration
		want   time.Duration
	}{
		{"15", 500 * time.Millisecond, 14500 * time.Millisecond},
		{"0.8", 500 * time.Millisecond, 400 * time.Millisecond},
		{"10", 0, 10 * time.Second},
		{"", 500 * time.Millisecond, 9500 * time.Millisecond},
		{"ten", 500 * time.Millisecond, 9500 * time.Millisecond},
		{"NaN", 500 * time.Millisecond, 9500 * time.Millisecond},
		{"+Inf", 500 * time.Millisecond, 9500 * time.Millisecond},
		{"-5", 500 * time.Millisecond, 9500 * time.Millisecond},
		{"0", 500 * time.Millisecond, 9500 * time.Millisecond},
		{fmt.Sprint(math.MaxFloat64), 500 * time.Millisecond, 9500 * time.Millisecond},
	} {
		header := http.Header{}
		header.Set("X-Prometheus-Scrape-Timeout-Seconds", c.header)
		if got := scrapeTime(scrapeTimeout(header), c.offset); got != c.want {
			t.Errorf("scrapeTime(%q, %s) = %s, want %s", c.header, c.offset, got, c.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		api := &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler { return emulator.Hang() }}
		e := newTestExporter(t, api, lookuptest.ID(1))
		begin := time.Now()
		w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "3")
		if took := time.Since(begin); took != 2500*time.Millisecond || w.Code != 200 {
			t.Errorf("a scrape of an API that hangs took %s, status %d; want 2.5s, 200", took, w.Code)
		}
		if up := samples(t, w, "imagebuilder_up", "target"); up["golden-images"] != 0 {
			t.Errorf("imagebuilder_up %v, want 0", up)
		}
		if n := len(samples(t, w, "imagebuilder_workflow_execution_lookup_success")); n != 0 {
			t.Errorf("a lookup that has not ended is published")
		}
	})
}

// slow is a Collector that takes three seconds, as rendering very many series does.
type slow struct{}

func (slow) Describe(ch chan<- *prometheus.Desc) {
	ch <- prometheus.NewDesc("slow", "Slow.", nil, nil)
}

func (slow) Collect(chan<- prometheus.Metric) { <-time.After(3 * time.Second) }

func TestTheDeadlineLeavesTimeForRendering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fault atomic.Pointer[http.Handler]
		none, hang := http.Handler(nil), emulator.Hang()
		fault.Store(&none)
		api, ids := lookuptest.Executions(time.Now())
		api.Fault = func(string, string) http.Handler { return *fault.Load() }
		e := newTestExporter(t, api, ids[1])
		e.own.MustRegister(slow{})
		begin := time.Now()
		scrape(e)
		if took := time.Since(begin); took != 3*time.Second {
			t.Fatalf("rendering took %s, want 3s", took)
		}
		fault.Store(&hang)
		for n := range 3 {
			<-time.After(time.Until(begin.Add(time.Duration(n+1) * 15 * time.Second)))
			from := time.Now()
			scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "10")
			if took := time.Since(from); took != 9500*time.Millisecond {
				t.Errorf("scrape %d of an API that hangs took %s, want 9.5s", n, took)
			}
		}
		// A probe, which renders nothing that is slow, need not leave time for it.
		<-time.After(time.Minute)
		from := time.Now()
		probe(e, probeGolden, "X-Prometheus-Scrape-Timeout-Seconds", "3")
		if took := time.Since(from); took != 2500*time.Millisecond {
			t.Errorf("a probe took %s, want 2.5s", took)
		}
	})
}

// TestScrapesAtATime renders one scrape at a time, three seconds each.
func TestScrapesAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		e := newTestExporter(t, api, ids[1])
		e.own.MustRegister(slow{})
		e.turns = semaphore.NewWeighted(1)
		begin := time.Now()
		var mu sync.Mutex
		got := map[string]int{}
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "10")
				mu.Lock()
				defer mu.Unlock()
				got[fmt.Sprintf("%d after %s", w.Code, time.Since(begin))]++
			})
		}
		all.Wait()
		want := map[string]int{"200 after 3s": 1, "200 after 6s": 1, "200 after 9s": 1, "503 after 10s": 1, "200 after 12s": 1}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestAScrapeAloneHasItsTurn has one that waits for the API until its timeout.
func TestAScrapeAloneHasItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler { return emulator.Hang() }}
		e := newTestExporter(t, api, lookuptest.ID(1))
		e.offset = 0
		begin := time.Now()
		w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "3")
		if took := time.Since(begin); w.Code != http.StatusOK || took != 3*time.Second {
			t.Errorf("%d after %s, want 200 after 3s:\n%s", w.Code, took, w.Body)
		}
	})
}

// TestWhyNoTurnCame has a scrape whose turn does not come because of another one.
func TestWhyNoTurnCame(t *testing.T) {
	for name, c := range map[string]struct {
		gone func(cancel context.CancelCauseFunc) // what the client of the other one does
		want string
	}{
		"its client waits":        {func(context.CancelCauseFunc) {}, "other scrapes were being rendered; see --web.max-requests\n"},
		"its client has given up": {func(cancel context.CancelCauseFunc) { cancel(nil) }, "although their clients have given up; raise scrape_timeout or publish fewer series\n"},
		"the program is to end":   {func(cancel context.CancelCauseFunc) { cancel(server.ErrShutdown) }, "other scrapes were being rendered; see --web.max-requests\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, ids := lookuptest.Executions(time.Now())
				e := newTestExporter(t, api, ids[1])
				e.own.MustRegister(slow{})
				e.turns = semaphore.NewWeighted(1)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				go e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
				<-time.After(time.Second)
				c.gone(cancel)
				w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "1")
				if w.Code != http.StatusServiceUnavailable || !strings.HasSuffix(w.Body.String(), c.want) {
					t.Errorf("%d %s, want 503 … %s", w.Code, w.Body, c.want)
				}
				<-time.After(time.Minute)
				if n := e.abandoned.Load(); n != 0 {
					t.Errorf("%d scrapes are abandoned when nothing is rendered", n)
				}
			})
		})
	}
}

// stuck is a client that reads nothing.
type stuck struct {
	*httptest.ResponseRecorder
	goOn chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.goOn
	return len(p), nil
}

// TestASlowClient holds that nobody waits for one that does not read, or for an API that
// does not answer, before it is rendered.
func TestASlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		api.Fault = func(_, id string) http.Handler {
			if id == ids[2] {
				return emulator.Hang()
			}
			return nil
		}
		e := newTestExporter(t, api, ids[1])
		e.turns = semaphore.NewWeighted(1)
		w := &stuck{ResponseRecorder: httptest.NewRecorder(), goOn: make(chan struct{})}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		}()
		synctest.Wait()
		waiting := newTestExporter(t, api, ids[2])
		waiting.turns = e.turns
		go scrape(waiting)
		synctest.Wait()
		begin := time.Now()
		if got := scrape(e); got.Code != http.StatusOK || time.Since(begin) > 0 {
			t.Errorf("another scrape: %d after %s", got.Code, time.Since(begin))
		}
		close(w.goOn)
		<-ended
		<-time.After(time.Minute)
	})
}

// TestAClientThatGoesAway is not rendered for, but one that a shutdown ends is.
func TestAClientThatGoesAway(t *testing.T) {
	for cause, want := range map[error]int{context.Canceled: http.StatusServiceUnavailable, server.ErrShutdown: http.StatusOK} {
		synctest.Test(t, func(t *testing.T) {
			api, ids := lookuptest.Executions(time.Now())
			api.Fault = func(string, string) http.Handler { return emulator.Hang() }
			e := newTestExporter(t, api, ids[1])
			e.turns = semaphore.NewWeighted(1)
			if err := e.turns.Acquire(t.Context(), 1); err != nil { // somebody else's
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			w := httptest.NewRecorder()
			begin, ended := time.Now(), make(chan struct{})
			go func() {
				defer close(ended)
				e.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil))
			}()
			<-time.After(time.Second)
			cancel(cause)
			synctest.Wait()
			e.turns.Release(1)
			<-ended
			if took := time.Since(begin); w.Code != want || took != time.Second {
				t.Errorf("%v: %d after %s, want %d after 1s", cause, w.Code, took, want)
			}
		})
	}
}

func TestContentNegotiation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		e := newTestExporter(t, api, ids[:3]...)
		w := scrape(e, "Accept", "application/openmetrics-text; version=1.0.0", "Accept-Encoding", "gzip")
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text; version=1.0.0") {
			t.Errorf("Content-Type %s", got)
		}
		reader, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil || !strings.HasSuffix(string(text), "# EOF\n") {
			t.Errorf("the text ends in %q, %v", text[max(0, len(text)-20):], err)
		}
	})
}

// TestWhatASpreadExporterHas has targets that are probed.
func TestWhatASpreadExporterHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		e := newTestExporter(t, api, ids[1])
		e.spread = true
		w := scrape(e)
		for _, m := range []string{"imagebuilder_up", "imagebuilder_workflow_executions"} {
			if got := samples(t, w, m, "target"); len(got) != 0 {
				t.Errorf("/metrics has %s %v", m, got)
			}
		}
		if got := samples(t, w, "imagebuilder_exporter_api_requests_total", "target"); len(got) != 1 || got["golden-images"] != 0 {
			t.Errorf("imagebuilder_exporter_api_requests_total %v, want one of 0", got)
		}
		if up := samples(t, probe(e, probeGolden), "imagebuilder_up", "target"); up["golden-images"] != 1 {
			t.Errorf("/probe has imagebuilder_up %v, want 1", up)
		}
	})
}

func TestADuplicateSeriesLosesNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		e := newTestExporter(t, api, ids[:1]...)
		e.sources = append(e.sources, e.sources[0])
		w := scrape(e)
		if w.Code != 200 || len(samples(t, w, "imagebuilder_workflow_execution_steps")) != 1 {
			t.Errorf("status %d:\n%s", w.Code, w.Body)
		}
		if got := testutil.ToFloat64(counter(t, e.own, "promhttp_metric_handler_errors_total", "gathering")); got != 1 {
			t.Errorf("%g errors were counted, want 1", got)
		}
	})
}

// counter returns the series of a counter that has this label value.
func counter(t *testing.T, g prometheus.Gatherer, name, value string) prometheus.Collector {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name})
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == value {
				c.Add(m.GetCounter().GetValue())
			}
		}
	}
	return c
}

// brokenSource is a target whose every lookup panics.
type brokenSource struct{}

func (brokenSource) Lookup(context.Context) lookup.Snapshot { panic("no luck") }

// TestAPanicIsCountedAndLoggedOnce scrapes twice.
func TestAPanicIsCountedAndLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		e := newTestExporter(t, api, ids[:1]...)
		var logs bytes.Buffer
		e.Exporter = newExporter(prometheus.NewPedanticRegistry(), everything, 4, log.NewLogfmtLogger(log.NewSyncWriter(&logs)))
		e.targets = e
		e.sources = append([]collector.Source{brokenSource{}}, e.sources...)
		scrape(e)
		w := scrape(e)
		if up := samples(t, w, "imagebuilder_up", "target"); len(up) != 1 || up["golden-images"] != 1 {
			t.Errorf("imagebuilder_up %v", up)
		}
		if n := samples(t, w, "imagebuilder_exporter_panics_total")[""]; n != 2 {
			t.Errorf("%g panics are counted, want 2", n)
		}
		if n := strings.Count(logs.String(), "panic: no luck"); n != 1 || !strings.Contains(logs.String(), "brokenSource") {
			t.Errorf("the panic is logged %d times:\n%s", n, logs.String())
		}
	})
}

const probeGolden = "/probe?target=golden-images&region=eu-west-1"

// probe returns what e answers at a path of /probe.
func probe(e *testExporter, path string, header ...string) *httptest.ResponseRecorder {
	probes := http.HandlerFunc(e.Probe)
	return scrape(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := httptest.NewRequestWithContext(r.Context(), http.MethodGet, path, nil)
		asked.Header = r.Header
		probes.ServeHTTP(w, asked)
	}), header...)
}

// lines returns the lines of an answer that satisfy all of these.
func lines(w *httptest.ResponseRecorder, all ...func(line string) bool) []string {
	var got []string
	for line := range strings.Lines(w.Body.String()) {
		wanted := true
		for _, f := range all {
			wanted = wanted && f(line)
		}
		if wanted {
			got = append(got, line)
		}
	}
	return got
}

// TestAProbeIsAPartOfTheMetrics has three targets. A probe has what /metrics has of its target
// and region, and nothing else: nothing of the exporter itself, no request for another target.
func TestAProbeIsAPartOfTheMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		platform, selection := lookuptest.Pipelines(time.Now())
		e := newEmptyExporter(t)
		metrics := imagebuilder.NewMetrics(e.own)
		e.add(t, lookuptest.Config{Name: "golden-images", API: api, Selection: lookup.Selection{WorkflowExecutions: ids[:3]}, Metrics: metrics})
		e.add(t, lookuptest.Config{Name: "golden-images", Region: "us-east-1", API: api, Selection: lookup.Selection{WorkflowExecutions: ids[:1]}, Metrics: metrics})
		e.add(t, lookuptest.Config{Name: "platform", API: platform, Selection: selection, Metrics: metrics})

		w := probe(e, probeGolden)
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if e.scrapes.Bytes() == 0 {
			t.Error("nothing is kept of what has settled")
		}
		asked := samples(t, scrapeOwn(e), "imagebuilder_exporter_api_requests_total", "target", "region")
		if diff := cmp.Diff(map[string]float64{"golden-images eu-west-1": 3, "golden-images us-east-1": 0, "platform eu-west-1": 0}, asked); diff != "" {
			t.Errorf("requests of a probe (-want +got):\n%s", diff)
		}
		scrape(e)
		all := scrape(e) // at the moment of the next probe, for nothing is due
		kept := e.scrapes.Bytes()
		w = probe(e, probeGolden)
		if got := e.scrapes.Bytes(); got != kept {
			t.Errorf("%d bytes are kept of what has settled, want the %d of /metrics", got, kept)
		}
		sample := func(line string) bool { return !strings.HasPrefix(line, "#") }
		ofTarget := func(line string) bool {
			return strings.Contains(line, `target="golden-images"`) && strings.Contains(line, `region="eu-west-1"`) && !strings.HasPrefix(line, "imagebuilder_exporter_")
		}
		if diff := cmp.Diff(lines(all, sample, ofTarget), lines(w, sample)); diff != "" {
			t.Errorf("samples of a probe (-/metrics +/probe):\n%s", diff)
		}
		own := func(line string) bool {
			return strings.Contains(line, "imagebuilder_exporter_") || strings.Contains(line, "go_") || strings.Contains(line, "promhttp_")
		}
		if got := lines(w, own); len(got) > 0 {
			t.Errorf("a probe has the exporter's own metrics: %q", got)
		}
	})
}

// scrapeOwn returns the exporter's own metrics.
func scrapeOwn(e *testExporter) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	e.answer(w, httptest.NewRequest(http.MethodGet, "/metrics", nil), e.scrapes, &targets.Scrape{Rendering: new(atomic.Int64)})
	return w
}

func TestWhatAProbeRefuses(t *testing.T) {
	const needs = ": /probe requires target and region, each exactly once, and accepts name[]\n"
	long := strings.Repeat("x", 1000)
	for name, c := range map[string]struct {
		path   string
		status int
		want   string
	}{
		"nothing is named":           {"/probe", 400, "target is missing" + needs},
		"no region":                  {"/probe?target=golden-images", 400, "region is missing" + needs},
		"no target":                  {"/probe?region=eu-west-1", 400, "target is missing" + needs},
		"an empty target":            {"/probe?target=&region=eu-west-1", 400, "target is missing" + needs},
		"two targets":                {probeGolden + "&target=golden-images", 400, "target is given 2 times" + needs},
		"three regions":              {probeGolden + "&region=a&region=b", 400, "region is given 3 times" + needs},
		"another parameter":          {probeGolden + "&module=all", 400, `unknown parameter "module"` + needs},
		"a parameter that is hidden": {probeGolden + "&%1b[31m=1", 400, `unknown parameter "\x1b[31m"` + needs},
		"a query that is none":       {probeGolden + "&%zz", 400, "the query string is malformed" + needs},
		"another target":             {"/probe?target=silver&region=eu-west-1", 404, `this exporter has no target "silver" in region "eu-west-1"` + "\n"},
		"another region":             {"/probe?target=golden-images&region=eu-north-1", 404, `this exporter has no target "golden-images" in region "eu-north-1"` + "\n"},
		"a target in other letters":  {"/probe?target=Golden-Images&region=eu-west-1", 404, `this exporter has no target "Golden-Images" in region "eu-west-1"` + "\n"},
		"a target of two lines":      {"/probe?target=a%0Ab&region=eu-west-1", 404, `this exporter has no target "a\nb" in region "eu-west-1"` + "\n"},
		"a long target":              {"/probe?target=" + long + "&region=eu-west-1", 404, `this exporter has no target "` + long[:200] + `…" in region "eu-west-1"` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newTestExporter(t, &emulator.API{Scenario: emulator.Runs()}, lookuptest.ID(1))
			w := probe(e, c.path)
			if diff := cmp.Diff(c.want, w.Body.String()); diff != "" || w.Code != c.status {
				t.Errorf("status %d, want %d (-want +got):\n%s", w.Code, c.status, diff)
			}
			if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
}

// TestAProbeKeepsTheScrapesDeadline probes an API that hangs, and then while somebody else's
// scrape is rendered.
func TestAProbeKeepsTheScrapesDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler { return emulator.Hang() }}
		e := newTestExporter(t, api, lookuptest.ID(1))
		begin := time.Now()
		w := probe(e, probeGolden, "X-Prometheus-Scrape-Timeout-Seconds", "3")
		if took := time.Since(begin); took != 2500*time.Millisecond || w.Code != http.StatusOK {
			t.Errorf("it took %s, status %d; want 2.5s, 200", took, w.Code)
		}
		if up := samples(t, w, "imagebuilder_up", "target"); len(up) != 1 || up["golden-images"] != 0 {
			t.Errorf("imagebuilder_up %v, want 0", up)
		}
		if err := e.turns.Acquire(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		begin = time.Now()
		w = probe(e, probeGolden, "X-Prometheus-Scrape-Timeout-Seconds", "3")
		if took := time.Since(begin); took != 3*time.Second || w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "--web.max-requests") {
			t.Errorf("without a turn: %d after %s, want 503 after 3s: %s", w.Code, took, w.Body)
		}
		<-time.After(time.Minute)
	})
}

// TestAProbeOfSomeFamilies asks as promtool and Prometheus can: compressed, by names.
func TestAProbeOfSomeFamilies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := lookuptest.Executions(time.Now())
		e := newTestExporter(t, api, ids[1])
		w := probe(e, probeGolden+"&name[]=imagebuilder_up&name[]=imagebuilder_workflow_execution_steps", "Accept-Encoding", "gzip")
		reader, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if n := strings.Count(string(text), "# TYPE "); err != nil || n != 2 {
			t.Errorf("%d families, want 2, %v:\n%s", n, err, text)
		}
	})
}
