package main

import (
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"
	"golang.org/x/sync/semaphore"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/server"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/targets"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	if os.Getenv(emulatorProcess) != "" {
		serveEmulator()
		return
	}
	goleak.VerifyTestMain(m)
}

// newTestExporter returns an Exporter of one target, golden-images, that asks api
// over connections in memory. It belongs to the test's bubble.
func newTestExporter(t *testing.T, api http.Handler, limits config.Lookup, ids ...string) *testExporter {
	t.Helper()
	own := prometheus.NewPedanticRegistry()
	e := &testExporter{Exporter: newExporter(own, everything, 4, log.NewNopLogger())}
	e.offset, e.targets = 500*time.Millisecond, e
	none := func() (*config.Config, error) { return &config.Config{}, nil }
	if err := targets.NewReloader(targets.New(targets.Options{}), "", none, own).Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	addTarget(t, e, imagebuilder.NewMetrics(own), "golden-images", api, limits, ids...)
	return e
}

// testExporter is an Exporter of targets that a test has made itself.
type testExporter struct {
	*Exporter
	sources []collector.Source
}

// Acquire implements Targets.
func (e *testExporter) Acquire() ([]collector.Source, func()) { return e.sources, func() {} }

// everything switches on all families.
var everything = collector.Options{Status: true, Images: true, Pipelines: true, Steps: true, Waiting: true}

// addTarget adds a target of ids in eu-west-1 to e.
func addTarget(t *testing.T, e *testExporter, metrics *imagebuilder.Metrics, name string, api http.Handler, limits config.Lookup, ids ...string) {
	t.Helper()
	addSelection(t, e, api, limits, imagebuilder.ClientConfig{Target: name, Metrics: metrics}, lookup.Selection{WorkflowExecutions: ids})
}

// addSelection adds a target in eu-west-1 to e that selects as s says.
func addSelection(t *testing.T, e *testExporter, api http.Handler, limits config.Lookup, c imagebuilder.ClientConfig, s lookup.Selection) {
	t.Helper()
	httpClient, end := emulator.Pipe(api)
	t.Cleanup(end)
	c.Region, c.EndpointURL, c.STSEndpointURL, c.HTTPClient = "eu-west-1", "http://emulator", "http://sts", httpClient
	c.Static = &imagebuilder.StaticCredentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}
	c.Limits = imagebuilder.Limits{Concurrency: limits.Concurrency, RateLimit: limits.RateLimit, Burst: limits.Burst, Timeout: limits.Timeout}
	if c.Metrics == nil {
		c.Metrics = imagebuilder.NewMetrics(prometheus.NewRegistry())
	}
	client, err := imagebuilder.NewClient(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.MinInterval, s.DiscoveryInterval, s.MaxStaleness = limits.MinInterval, limits.DiscoveryInterval, limits.MaxStaleness
	s.MaxExecutions = 1000
	target := lookup.New(lookup.Config{Name: c.Target, Region: c.Region, Selection: s, Client: client, Panics: e.panics, Logger: e.logger})
	t.Cleanup(target.Close)
	e.sources = append(e.sources, target)
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

// testID returns the nth of the ids that the tests use.
func testID(n int) string { return fmt.Sprintf("wf-%08x-3a62-4618-a021-94ddcbe32908", n) }

// goldenScenario has executions of every kind, at the bubble's start of time.
func goldenScenario(now time.Time) (api *emulator.API, ids []string) {
	steps := func(ends ...emulator.Outcome) []emulator.Step {
		var s []emulator.Step
		for _, e := range ends {
			s = append(s, emulator.Step{Name: "Step", Takes: time.Minute, Ends: e})
		}
		return s
	}
	const image = "arn:aws:imagebuilder:eu-west-1:111122223333:image/web-server/1.0.0/1"
	const build = "arn:aws:imagebuilder:eu-west-1:aws:workflow/build/build-image/1.0.3/1"
	const test = "arn:aws-cn:imagebuilder:cn-north-1:111122223333:workflow/test/mine/1.0.0/3"
	three := steps(emulator.Succeeded, emulator.SkippedStep, emulator.Succeeded)
	runs := []emulator.Run{
		{Type: "BUILD", ImageBuildVersionARN: image, WorkflowBuildVersionARN: build, Start: now.Add(-time.Hour), Steps: three},
		{Type: "BUILD", ImageBuildVersionARN: image, WorkflowBuildVersionARN: build, Start: now.Add(-90 * time.Second), Steps: three},
		{Type: "TEST", ParallelGroup: "smoke", ImageBuildVersionARN: image, WorkflowBuildVersionARN: test, Start: now.Add(-time.Hour), Steps: steps(emulator.Succeeded, emulator.Failed)},
		{WorkflowBuildVersionARN: test, Start: now.Add(-time.Hour), Steps: steps(emulator.FailedIgnored, emulator.Succeeded)},
		{Steps: three},
		{Type: "BUILD", Start: now.Add(-5 * time.Minute), Steps: steps(emulator.Failed), Rollback: time.Hour},
		{Type: "BUILD", Start: now.Add(-5 * time.Minute), Steps: steps(emulator.Failed), Rollback: time.Minute},
		{Type: "BUILD", Start: now.Add(-5 * time.Minute), Steps: three, Cancelled: time.Minute},
		{Type: "TEST", Start: now.Add(-5 * time.Minute), Steps: three, Skipped: true},
	}
	for i := range runs {
		runs[i].ID = testID(i)
		ids = append(ids, testID(i))
	}
	faults := map[string]http.Handler{
		testID(20): emulator.Body(200, "application/json", `{"workflowExecutionId":"`+testID(20)+`","status":"PAUSED","totalStepCount":-1,"startTime":"soon","parallelGroup":"a \"quoted\"\nline"}`),
		testID(21): emulator.Body(200, "application/json", ``),
		testID(22): emulator.Body(200, "text/html", `<html>`),
		testID(23): emulator.Error(403, "AccessDeniedException", "x"),
		testID(24): emulator.Error(400, "InvalidRequestException", "x"),
		testID(25): emulator.Hang(),
	}
	for i := 20; i <= 26; i++ { // the last one is not known
		ids = append(ids, testID(i))
	}
	return &emulator.API{
		Scenario: emulator.Runs(runs...),
		Fault:    func(_, id string) http.Handler { return faults[id] },
	}, ids
}

// platformScenario has pipelines and images of every kind, and selects them all.
func platformScenario(now time.Time) (*emulator.API, lookup.Selection) {
	const account = "arn:aws:imagebuilder:eu-west-1:444455556666:"
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	step := func(name, action string, takes time.Duration, ends emulator.Outcome) emulator.Step {
		return emulator.Step{Name: name, Action: action, Takes: takes, Ends: ends}
	}
	launch := step("LaunchBuildInstance", "LaunchInstance", time.Minute, emulator.Succeeded)
	apply := step("ApplyBuildComponents", "ExecuteComponents", 2*time.Minute, emulator.Succeeded)
	broken := step("ApplyBuildComponents", "ExecuteComponents", 2*time.Minute, emulator.Failed)
	approve := emulator.Step{Name: "Approve", Action: "WaitForAction", Takes: 100 * time.Hour, Waits: true}
	image := func(pipeline, name string, build int, created time.Time, steps ...emulator.Step) emulator.Image {
		i := emulator.Image{
			ARN: fmt.Sprintf("%simage/%s/1.2.0/%d", account, name, build), Name: "A Name With Spaces", Created: created,
			Attempts: []emulator.Attempt{{Runs: []emulator.Run{{
				ID: testID(0xa0 + build), Type: "BUILD", Start: created, Steps: steps,
				WorkflowBuildVersionARN: "arn:aws:imagebuilder:eu-west-1:aws:workflow/build/build-image/1.0.3/1",
			}}}},
		}
		if pipeline != "" {
			i.PipelineARN = account + "image-pipeline/" + pipeline
		}
		return i
	}
	made := image("web-server", "web", 1, ago(21*24*time.Hour), launch, apply)
	made.Outputs = []emulator.Output{{Region: "eu-west-1", AMI: "ami-0123456789abcdef0"}, {Region: "us-east-1", AMI: "ami-0fedcba9876543210"}}
	lost := image("", "lost", 4, ago(time.Hour), launch, apply)
	lost.Type, lost.Attempts[0].Fails, lost.Attempts[0].Distributes = "DOCKER", true, time.Minute
	api := &emulator.API{Unruly: 7, Scenario: &emulator.Account{
		Pipelines: []emulator.Pipeline{
			{ARN: account + "image-pipeline/web-server", Name: "Web Server", Platform: "Linux", NextRun: now.Add(time.Hour)},
			{ARN: account + "image-pipeline/nightly", Name: "nightly", Platform: "Windows", Disabled: true},
		},
		Images: []emulator.Image{
			made, image("web-server", "web", 2, ago(2*time.Hour), launch, broken),
			image("web-server", "web", 3, ago(time.Hour), launch, approve), lost,
		},
	}}
	return api, lookup.Selection{
		Pipelines: []lookup.Selector{{Name: regexp.MustCompile(`.`), Builds: 2}},
		Images:    []string{account + "image/lost/x.x.x"},
		Steps:     lookup.StepsAll, Waiting: true,
	}
}

func defaultLimits() config.Lookup { return config.Default().Lookup }

// TestGolden holds the whole of /metrics, at a fixed time, against
// testdata/metrics.txt. Write it anew with -update and read the difference.
func TestGolden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		limits := defaultLimits()
		limits.Concurrency = 1000
		e := newTestExporter(t, api, limits, ids...)
		addTarget(t, e, imagebuilder.NewMetrics(prometheus.NewRegistry()), "healthy", api, limits, testID(0))
		platform, selection := platformScenario(time.Now())
		addSelection(t, e, platform, limits, imagebuilder.ClientConfig{Target: "platform"}, selection)
		scrape(e)
		<-time.After(time.Second) // the lookup that hangs has ended
		got := scrape(e).Body.String()
		const golden = "testdata/metrics.txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		problems, err := promlint.New(strings.NewReader(got)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("Prometheus' lint: %v, %v", problems, err)
		}
	})
}

func TestTheCollectorIsConsistent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		e := newTestExporter(t, api, defaultLimits(), ids...)
		pedantic := prometheus.NewPedanticRegistry()
		pedantic.MustRegister(collector.New(t.Context(), e.sources, e.options, nil))
		if _, err := pedantic.Gather(); err != nil {
			t.Error(err)
		}
	})
}

func TestEveryStatusIsOneOfTheStateSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		w := scrape(newTestExporter(t, api, defaultLimits(), ids...))
		sums, current := map[string]float64{}, map[string]float64{}
		for key, value := range samples(t, w, "imagebuilder_workflow_execution_status", "workflow_execution_id", "status") {
			id, status, _ := strings.Cut(key, " ")
			sums[id] += value
			current[status] += value
		}
		for id, sum := range sums {
			if sum != 1 {
				t.Errorf("%s has %g statuses, want 1", id, sum)
			}
		}
		want := map[string]float64{
			"CANCELLED": 1, "COMPLETED": 2, "FAILED": 1, "PENDING": 1, "ROLLBACK_COMPLETED": 1,
			"ROLLBACK_IN_PROGRESS": 1, "RUNNING": 1, "SKIPPED": 1, "UNKNOWN": 1,
		}
		if diff := cmp.Diff(want, current); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestFamiliesCanBeLeftOut(t *testing.T) {
	families := map[string]struct {
		off   func(*collector.Options)
		names *regexp.Regexp
	}{
		"status":    {func(o *collector.Options) { o.Status = false }, regexp.MustCompile(`(?m)^imagebuilder_workflow_execution_status\{`)},
		"images":    {func(o *collector.Options) { o.Images = false }, regexp.MustCompile(`(?m)^imagebuilder_image_`)},
		"pipelines": {func(o *collector.Options) { o.Pipelines = false }, regexp.MustCompile(`(?m)^imagebuilder_pipeline_`)},
		"steps":     {func(o *collector.Options) { o.Steps = false }, regexp.MustCompile(`(?m)^imagebuilder_workflow_step_(info|duration|start|end)`)},
		"waiting":   {func(o *collector.Options) { o.Waiting = false }, regexp.MustCompile(`(?m)^imagebuilder_workflow_step_waiting`)},
	}
	for off, c := range families {
		synctest.Test(t, func(t *testing.T) {
			api, selection := platformScenario(time.Now())
			e := newTestExporter(t, api, defaultLimits())
			addSelection(t, e, api, defaultLimits(), imagebuilder.ClientConfig{Target: "platform"}, selection)
			c.off(&e.options)
			text := scrape(e).Body.String()
			for name, other := range families {
				if there := other.names.MatchString(text); there == (name == off) {
					t.Errorf("without %s: there is %s: %t", off, name, there)
				}
			}
		})
	}
}

// TestBadExecutionsSpoilNothing is a thousand executions of which a fifth fails in
// four ways: the others are right, and the scrape is in time.
func TestBadExecutionsSpoilNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := emulator.Synthetic(1, 800, time.Now().Add(-time.Hour))
		faults, ids := map[string]http.Handler{}, []string(nil)
		for i := range 200 {
			id := testID(i)
			switch i % 4 {
			case 0:
				faults[id] = emulator.Hang()
			case 1:
				faults[id] = emulator.Reset("")
			case 2:
				faults[id] = emulator.Body(200, "text/html", "<html>garbage")
			}
			ids = append(ids, id)
		}
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		api := &emulator.API{Scenario: emulator.Runs(runs...), Fault: func(_, id string) http.Handler { return faults[id] }}
		limits := defaultLimits()
		limits.Concurrency, limits.RateLimit = 64, 0
		e := newTestExporter(t, api, limits, ids...)
		begin := time.Now()
		w := scrape(e, "X-Prometheus-Scrape-Timeout-Seconds", "10")
		if took := time.Since(begin); w.Code != 200 || took > 9500*time.Millisecond {
			t.Errorf("status %d after %s", w.Code, took)
		}
		success := samples(t, w, "imagebuilder_workflow_execution_lookup_success", "workflow_execution_id")
		for _, r := range runs {
			if success[r.ID] != 1 {
				t.Errorf("%s was not looked up", r.ID)
			}
		}
		classes := map[string]int{}
		for key := range samples(t, w, "imagebuilder_workflow_execution_lookup_error", "workflow_execution_id", "class") {
			classes[strings.Fields(key)[1]]++
		}
		want := map[string]int{"unavailable": 100, "not_found": 50}
		if diff := cmp.Diff(want, classes); diff != "" {
			t.Errorf("failures by class; those that hang have not failed yet (-want +got):\n%s", diff)
		}
		if up := samples(t, w, "imagebuilder_up", "target"); up["golden-images"] != 1 {
			t.Errorf("imagebuilder_up %v", up)
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
		e := newTestExporter(t, api, defaultLimits(), testID(1))
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
		api, ids := goldenScenario(time.Now())
		api.Fault = func(string, string) http.Handler { return *fault.Load() }
		e := newTestExporter(t, api, defaultLimits(), ids[1])
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
	})
}

// TestScrapesAtATime renders one scrape at a time, three seconds each.
func TestScrapesAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		e := newTestExporter(t, api, defaultLimits(), ids[1])
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
		api, ids := goldenScenario(time.Now())
		api.Fault = func(_, id string) http.Handler {
			if id == ids[2] {
				return emulator.Hang()
			}
			return nil
		}
		e := newTestExporter(t, api, defaultLimits(), ids[1])
		e.turns = semaphore.NewWeighted(1)
		w := &stuck{ResponseRecorder: httptest.NewRecorder(), goOn: make(chan struct{})}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		}()
		synctest.Wait()
		waiting := newTestExporter(t, api, defaultLimits(), ids[2])
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

// TestAClientThatGoesAway is not rendered for, but one that is to be quick is.
func TestAClientThatGoesAway(t *testing.T) {
	for cause, want := range map[error]int{context.Canceled: http.StatusServiceUnavailable, server.ErrHurry: http.StatusOK} {
		synctest.Test(t, func(t *testing.T) {
			api, ids := goldenScenario(time.Now())
			api.Fault = func(string, string) http.Handler { return emulator.Hang() }
			e := newTestExporter(t, api, defaultLimits(), ids[1])
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
		api, ids := goldenScenario(time.Now())
		e := newTestExporter(t, api, defaultLimits(), ids[:3]...)
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

func TestADuplicateSeriesLosesNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		e := newTestExporter(t, api, defaultLimits(), ids[:1]...)
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
