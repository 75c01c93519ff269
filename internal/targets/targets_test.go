package targets

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

// world is a Set that asks an emulator, in the bubble's time.
type world struct {
	*Set
	t    *testing.T
	api  *emulator.API
	own  *prometheus.Registry
	logs logs
}

// logs is what was logged. It may be read at any time.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newWorld(t *testing.T, api *emulator.API, o collector.Options) *world {
	t.Helper()
	client, end := emulator.Pipe(api)
	t.Cleanup(end)
	w := &world{t: t, api: api, own: prometheus.NewPedanticRegistry()}
	panics := prometheus.NewCounter(prometheus.CounterOpts{Name: "panics"})
	w.Set = New(Options{
		Collectors: o, Static: &imagebuilder.StaticCredentials{AccessKeyID: "AKID", SecretAccessKey: "verysecret"}, STSEndpointURL: "http://sts",
		Metrics: imagebuilder.NewMetrics(w.own), Panics: panics, Logger: log.NewLogfmtLogger(&w.logs), HTTPClient: client,
	})
	t.Cleanup(w.Close)
	return w
}

// apply makes these targets what is looked up.
func (w *world) apply(all ...config.Target) {
	w.t.Helper()
	c := config.Default()
	c.Targets = all
	if err := w.Apply(w.t.Context(), &c); err != nil {
		w.t.Fatal(err)
	}
}

// scrape looks everything up, for 10 s at most. The snapshots have all executions among those
// that are live.
func (w *world) scrape() map[string]lookup.Snapshot {
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	scrape := w.Acquire()
	defer scrape.Release()
	all := map[string]lookup.Snapshot{}
	var mu sync.Mutex
	var running sync.WaitGroup
	for _, source := range scrape.Sources {
		running.Go(func() {
			s := source.Lookup(ctx)
			var executions []lookup.Execution
			for _, x := range s.AllExecutions() {
				executions = append(executions, *x)
			}
			s.Executions, s.Settled = executions, nil
			mu.Lock()
			defer mu.Unlock()
			all[s.Name+" "+s.Region] = s
		})
	}
	running.Wait()
	return all
}

// requests returns what is counted for each target, region and operation.
func (w *world) requests() map[string]float64 {
	w.t.Helper()
	families, err := w.own.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "imagebuilder_exporter_api_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			l := m.GetLabel() // operation, region, target
			all[l[2].GetValue()+" "+l[1].GetValue()+" "+l[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return all
}

func id(n int) string { return fmt.Sprintf("wf-%08x-3a62-4618-a021-94ddcbe32908", n) }

// target returns a target of executions in eu-west-1.
func target(name string, ids ...string) config.Target {
	t := config.DefaultTarget()
	t.Name, t.Regions, t.WorkflowExecutions, t.Steps = name, []string{"eu-west-1"}, ids, config.StepsNone
	t.EndpointURL = "http://emulator"
	return t
}

// ended returns executions that have ended.
func ended(n int) []emulator.Run {
	var runs []emulator.Run
	for i := range n {
		runs = append(runs, emulator.Run{ID: id(i), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: time.Minute}}})
	}
	return runs
}

func TestWhatDoesNotChangeSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const role = "arn:aws:iam::444455556666:role/imagebuilder-exporter"
		runs := ended(4)
		w := newWorld(t, &emulator.API{
			Scenario: emulator.Runs(runs...), Roles: []emulator.Role{{ARN: role, ExternalID: "very-external", Scenario: emulator.Runs(runs...)}},
		}, collector.Options{})
		behind := target("role", id(0), id(1))
		behind.RoleARN, behind.ExternalID = role, "very-external"
		w.apply(behind, target("gone", id(2)))
		w.scrape()
		want := map[string]float64{"role eu-west-1 AssumeRole": 1, "role eu-west-1 GetWorkflowExecution": 2, "gone eu-west-1 GetWorkflowExecution": 1}
		if diff := cmp.Diff(want, w.requests()); diff != "" {
			t.Errorf("before (-want +got):\n%s", diff)
		}

		behind.WorkflowExecutions, behind.MaxExecutions = []string{id(1), id(3)}, 7
		w.apply(target("new", id(2)), behind)
		s := w.scrape()
		if len(s) != 2 || len(s["role eu-west-1"].Executions) != 2 || s["role eu-west-1"].Executions[1].Value == nil {
			t.Errorf("after the change: %+v", s)
		}
		delete(want, "gone eu-west-1 GetWorkflowExecution")
		want["role eu-west-1 GetWorkflowExecution"], want["new eu-west-1 GetWorkflowExecution"] = 3, 1
		if diff := cmp.Diff(want, w.requests()); diff != "" {
			t.Errorf("after the change (-want +got):\n%s", diff)
		}
		before := w.logs.String()
		w.apply(target("new", id(2)), behind)
		w.scrape()
		if diff := cmp.Diff(want, w.requests()); diff != "" || w.logs.String() != before {
			t.Errorf("after no change (-want +got):\n%s\nlog:\n%s", diff, strings.TrimPrefix(w.logs.String(), before))
		}
		for _, line := range []string{
			`msg=target target=gone region=eu-west-1`, `msg=target target=new region=eu-west-1`,
			`msg="target changed" target=role region=eu-west-1`, `msg="target removed" target=gone region=eu-west-1`, "role_arn=" + role,
		} {
			if strings.Count(before, line) != 1 && !strings.HasPrefix(line, "role_arn") || !strings.Contains(before, line) {
				t.Errorf("the log does not have %q once:\n%s", line, before)
			}
		}
		if strings.Contains(before, "very") {
			t.Errorf("a secret is logged:\n%s", before)
		}
	})
}

func TestAnotherRoleIsAnotherClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := ended(1)
		api := &emulator.API{Scenario: emulator.Runs()}
		a := target("a", id(0))
		for _, role := range []string{"first", "second"} {
			arn := "arn:aws:iam::444455556666:role/" + role
			api.Roles = append(api.Roles, emulator.Role{ARN: arn, Scenario: emulator.Runs(runs...)})
		}
		w := newWorld(t, api, collector.Options{})
		for _, role := range api.Roles {
			a.RoleARN = role.ARN
			w.apply(a)
			if w.Known()[0].Up {
				t.Errorf("%s: up before its first answer", role.ARN)
			}
			if s := w.scrape()["a eu-west-1"]; s.Executions[0].Value == nil || !s.Up {
				t.Errorf("%s: %+v", role.ARN, s)
			}
		}
		want := map[string]float64{"a eu-west-1 AssumeRole": 2, "a eu-west-1 GetWorkflowExecution": 2}
		if diff := cmp.Diff(want, w.requests()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := w.logs.String(); strings.Contains(got, "target removed") || strings.Count(got, "msg=target target=a") != 2 {
			t.Errorf("the log is\n%s", got)
		}
	})
}

// TestScrapesInFlightEndUndisturbed removes a target while a scrape waits for it.
func TestScrapesInFlightEndUndisturbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{})
		api := &emulator.API{Scenario: emulator.Runs(ended(2)...)}
		api.Fault = func(string, string) http.Handler {
			<-slow
			return nil
		}
		w := newWorld(t, api, collector.Options{})
		w.apply(target("a", id(0)), target("b", id(1)))
		scraped := make(chan map[string]lookup.Snapshot)
		go func() { scraped <- w.scrape() }()
		synctest.Wait()
		w.apply(target("b", id(1)))
		if w.requests()["a eu-west-1 GetWorkflowExecution"] != 0 || len(w.open) != 2 {
			t.Errorf("%v, and %d targets are open", w.requests(), len(w.open))
		}
		close(slow)
		if s := <-scraped; len(s) != 2 || s["a eu-west-1"].Executions[0].Value == nil || !s["a eu-west-1"].Up {
			t.Errorf("the scrape in flight got %+v", s)
		}
		synctest.Wait()
		if _, there := w.requests()["a eu-west-1 GetWorkflowExecution"]; there || len(w.open) != 1 {
			t.Errorf("%v, and %d targets are open", w.requests(), len(w.open))
		}
	})
}

// TestAcquireOne acquires one of several targets by its name, and looks only that up. It can be looked up
// although it leaves the configuration meanwhile.
func TestAcquireOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &emulator.API{Scenario: emulator.Runs(ended(2)...)}, collector.Options{})
		b := target("b", id(1))
		b.Regions = []string{"eu-west-1", "us-east-1"}
		w.apply(target("a", id(0)), b)
		var names []string
		for target, region := range w.Names() {
			names = append(names, target+" "+region)
		}
		if diff := cmp.Diff([]string{"a eu-west-1", "b eu-west-1", "b us-east-1"}, names); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
		for _, unknown := range []key{{"b", "eu-north-1"}, {"c", "eu-west-1"}, {"B", "us-east-1"}, {"", ""}} {
			if scrape, ok := w.AcquireOne(unknown.name, unknown.region); ok || scrape != nil {
				t.Errorf("%v is acquired", unknown)
			}
		}
		scrape, ok := w.AcquireOne("b", "us-east-1")
		if !ok || len(scrape.Sources) != 1 {
			t.Fatalf("%+v, %t", scrape, ok)
		}
		w.apply(target("a", id(0)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if s := scrape.Sources[0].Lookup(ctx); s.Name != "b" || s.Region != "us-east-1" || !s.Up {
			t.Errorf("the snapshot is of %s in %s, up %t", s.Name, s.Region, s.Up)
		}
		want := map[string]float64{"a eu-west-1 GetWorkflowExecution": 0, "b us-east-1 GetWorkflowExecution": 1}
		if diff := cmp.Diff(want, w.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		scrape.Release()
		synctest.Wait()
		delete(want, "b us-east-1 GetWorkflowExecution")
		if diff := cmp.Diff(want, w.requests()); diff != "" {
			t.Errorf("after the target has gone (-want +got):\n%s", diff)
		}
	})
}

// TestATargetThatComesBack probes one of two targets, then only the other one: somebody else has the
// first one meanwhile. When it comes back, nothing is published of it that is older than it may be.
func TestATargetThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hangs atomic.Bool
		fault := func(string, string) http.Handler {
			if hangs.Load() {
				return emulator.Hang()
			}
			return nil
		}
		w := newWorld(t, &emulator.API{Scenario: emulator.Runs(ended(2)...), Fault: fault}, collector.Options{})
		w.apply(target("a", id(0)), target("b", id(1)))
		probe := func(name string) lookup.Snapshot {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			scrape, _ := w.AcquireOne(name, "eu-west-1")
			defer scrape.Release()
			return scrape.Sources[0].Lookup(ctx)
		}
		l := config.Default().Lookup
		stale := l.DiscoveryInterval + l.MaxStaleness
		if s := probe("a"); !s.Up || len(s.AllExecutions()) != 1 {
			t.Fatalf("up %t, %d executions", s.Up, len(s.AllExecutions()))
		}
		hangs.Store(true)
		<-time.After(stale)
		if s := probe("a"); !s.Up || len(s.Settled) != 1 {
			t.Errorf("after %s: up %t, %d settled", stale, s.Up, len(s.Settled))
		}
		<-time.After(stale + time.Second)
		probe("b")
		if s := w.Known()[0]; s.Name != "a" || s.Up || len(s.Settled) != 0 {
			t.Errorf("known of %s %s after its last probe: up %t, %d settled", s.Name, stale+time.Second, s.Up, len(s.Settled))
		}
		if s := probe("a"); s.Up || s.RefreshEnded || len(s.Settled) != 0 || s.Executions[0].Value != nil {
			t.Errorf("back again: %+v", s)
		}
		hangs.Store(false)
		<-time.After(time.Minute)
		if s := probe("a"); !s.Up || len(s.Settled) != 1 {
			t.Errorf("after it has answered again: up %t, %d settled", s.Up, len(s.Settled))
		}
	})
}

// TestATargetThatIsProbedRarely has answers that are stale at once, and is looked up once all the same.
func TestATargetThatIsProbedRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &emulator.API{Scenario: emulator.Runs(ended(1)...)}, collector.Options{})
		c := config.Default()
		c.Lookup.MaxStaleness, c.Lookup.DiscoveryInterval = 0, time.Second
		c.Targets = []config.Target{target("a", id(0))}
		if err := w.Apply(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			scrape, _ := w.AcquireOne("a", "eu-west-1")
			scrape.Sources[0].Lookup(t.Context())
			scrape.Release()
			<-time.After(5 * time.Minute)
		}
		if diff := cmp.Diff(map[string]float64{"a eu-west-1 GetWorkflowExecution": 1}, w.requests()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

// TestATargetThatIsProbedForLong is in use all the time, so that nothing of it is forgotten.
func TestATargetThatIsProbedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &emulator.API{Scenario: emulator.Runs(ended(1)...)}, collector.Options{})
		w.apply(target("a", id(0)))
		before, _ := w.AcquireOne("a", "eu-west-1")
		before.Release()
		first, _ := w.AcquireOne("a", "eu-west-1")
		first.Sources[0].Lookup(t.Context())
		<-time.After(time.Hour)
		second, _ := w.AcquireOne("a", "eu-west-1")
		if first.Sources[0] != second.Sources[0] {
			t.Error("it is looked up anew while a scrape uses it")
		}
		first.Release()
		second.Release()
	})
}

// TestRenderingIsOfATarget holds that what is slow to render takes no time from others.
func TestRenderingIsOfATarget(t *testing.T) {
	w := newWorld(t, &emulator.API{Scenario: emulator.Runs()}, collector.Options{})
	w.apply(target("a", id(0)), target("b", id(1)))
	of := func() [3]*atomic.Int64 {
		a, _ := w.AcquireOne("a", "eu-west-1")
		b, _ := w.AcquireOne("b", "eu-west-1")
		all := w.Acquire()
		return [3]*atomic.Int64{a.Rendering, b.Rendering, all.Rendering}
	}
	first, again := of(), of()
	if first != again || first[0] == first[1] || first[0] == first[2] || first[1] == first[2] {
		t.Errorf("%v, then %v", first, again)
	}
}

// TestProbesDuringAReload probes while targets change and are forgotten. It is for the race detector.
func TestProbesDuringAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &emulator.API{Scenario: emulator.Runs(ended(2)...)}, collector.Options{})
		w.apply(target("a", id(0)), target("b", id(0)))
		var running sync.WaitGroup
		for n := range 50 {
			<-time.After(time.Hour)
			running.Go(func() { w.apply(target("a", id(n%2)), target("b", id(0), id(n%2))) })
			for _, name := range []string{"a", "b"} {
				running.Go(func() {
					scrape, _ := w.AcquireOne(name, "eu-west-1")
					defer scrape.Release()
					scrape.Sources[0].Lookup(t.Context())
				})
			}
			running.Go(func() { w.Known() })
			running.Go(func() {
				for range w.Names() {
				}
			})
		}
		running.Wait()
		for _, s := range w.scrape() {
			for _, x := range s.Executions {
				if s.Name == "a" && x.ID != id(1) {
					t.Errorf("a has execution %s", x.ID)
				}
			}
		}
	})
}

func TestAnApplyThatFailsChangesNothing(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &emulator.API{Scenario: emulator.Runs(ended(3)...)}, collector.Options{})
		w.apply(target("a", id(0)))
		w.scrape()
		before := w.logs.String()
		nowhere := target("nowhere", id(1))
		nowhere.Regions = nil
		c := config.Default()
		c.Targets = []config.Target{target("new", id(1)), target("a", id(2)), nowhere}
		if err := w.Apply(t.Context(), &c); err == nil || !strings.Contains(err.Error(), `target "nowhere" has no region`) {
			t.Errorf("the error is %v", err)
		}
		s := w.scrape()
		if len(s) != 1 || s["a eu-west-1"].Executions[0].ID != id(0) || w.logs.String() != before {
			t.Errorf("it is looked up %+v; log:\n%s", s, strings.TrimPrefix(w.logs.String(), before))
		}
	})
}

// TestAClientThatCannotBeMade leaves nothing of those that were made before.
func TestAClientThatCannotBeMade(t *testing.T) {
	t.Setenv("AWS_USE_FIPS_ENDPOINT", "true")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	w := newWorld(t, &emulator.API{Scenario: emulator.Runs()}, collector.Options{})
	w.o.Static = nil
	c := config.Default()
	c.Targets = []config.Target{target("good", id(0)), target("bad", id(0))}
	c.Targets[0].EndpointURL = ""
	if err := w.Apply(t.Context(), &c); err == nil || !strings.HasPrefix(err.Error(), `target "bad": a custom endpoint`) {
		t.Errorf("the error is %v", err)
	}
	if len(w.open) != 0 || len(w.members) != 0 || len(w.requests()) != 0 {
		t.Errorf("%d targets are open, counters: %v", len(w.open), w.requests())
	}
}

// TestManyReloads changes everything while eight scrapers scrape.
func TestManyReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &emulator.API{Scenario: emulator.Runs(ended(20)...), Latency: time.Millisecond}, collector.Options{})
		var scrapers sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for range 8 {
			scrapers.Go(func() {
				for ctx.Err() == nil {
					for _, s := range w.scrape() {
						for _, e := range s.Executions {
							if e.Failure != "" || e.LookedUp && e.Value == nil { // what is new may not be looked up yet
								t.Errorf("%s: %+v", s.Name, e)
							}
						}
					}
					<-time.After(3 * time.Millisecond)
				}
			})
		}
		for n := range 1000 {
			all := []config.Target{target("stays", id(0), id(1+n%3))}
			if n%2 == 0 {
				all = append(all, target("comes", id(2)))
			}
			if n%5 == 0 {
				all[0].EndpointURL = "http://other"
			}
			w.apply(all...)
			<-time.After(2 * time.Millisecond)
		}
		cancel()
		scrapers.Wait()
		w.apply()
		synctest.Wait()
		if len(w.open) != 0 || len(w.requests()) != 0 {
			t.Errorf("%d targets are open, counters: %v", len(w.open), w.requests())
		}
	})
}

// TestWhatIsOffIsNotAskedFor holds that a collector that is off costs no request.
func TestWhatIsOffIsNotAskedFor(t *testing.T) {
	for _, on := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			const account = "arn:aws:imagebuilder:eu-west-1:111122223333:"
			run := emulator.Run{ID: id(0), Start: time.Now(), Steps: []emulator.Step{{Takes: time.Hour, Waits: true}}}
			api := &emulator.API{Scenario: &emulator.Account{
				Pipelines: []emulator.Pipeline{{ARN: account + "image-pipeline/web"}},
				Images: []emulator.Image{{
					ARN: account + "image/web/1.0.0/1", PipelineARN: account + "image-pipeline/web", Created: run.Start,
					Attempts: []emulator.Attempt{{Runs: []emulator.Run{run}}},
				}},
			}}
			w := newWorld(t, api, collector.Options{Steps: on, Waiting: on})
			a := target("a")
			a.Pipelines, a.Steps = []config.Selector{{Name: ".*", Builds: 2}}, config.StepsActive
			w.apply(a)
			if n := len(w.scrape()["a eu-west-1"].Executions); n != 1 {
				t.Fatalf("%d executions are found", n)
			}
			for _, operation := range []string{"ListWorkflowStepExecutions", "ListWaitingWorkflowSteps"} {
				if n := api.Requests(operation); on != (n > 0) {
					t.Errorf("on: %t, and there are %d requests of %s", on, n, operation)
				}
			}
		})
	}
}

// TestATargetOfIDsAsksForWaitingStepsWithItsSteps alone: without them the permission to get
// an execution is enough.
func TestATargetOfIDsAsksForWaitingStepsWithItsSteps(t *testing.T) {
	for steps, want := range map[string]int{config.StepsNone: 0, config.StepsActive: 1, config.StepsAll: 1} {
		synctest.Test(t, func(t *testing.T) {
			api := &emulator.API{Scenario: emulator.Runs(emulator.Run{ID: id(0), Start: time.Now(), Steps: []emulator.Step{{Takes: time.Hour}}})}
			w := newWorld(t, api, collector.Options{Steps: true, Waiting: true})
			a := target("a", id(0))
			a.Steps = steps
			w.apply(a)
			w.scrape()
			if n := api.Requests("ListWaitingWorkflowSteps"); n != want {
				t.Errorf("steps: %s: %d requests for waiting steps, want %d", steps, n, want)
			}
		})
	}
}

// TestSelectorsOfImagesSelectInEveryRegion of their target, and ask for what waits there.
func TestSelectorsOfImagesSelectInEveryRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := &emulator.Account{}
		for n, region := range []string{"eu-west-1", "us-east-1"} {
			run := emulator.Run{ID: id(n), Start: time.Now(), Steps: []emulator.Step{{Takes: time.Hour, Waits: true}}}
			account.Images = append(account.Images, emulator.Image{
				ARN:     "arn:aws:imagebuilder:" + region + ":111122223333:image/web/1.0.0/1",
				Created: run.Start, Attempts: []emulator.Attempt{{Runs: []emulator.Run{run}}},
			})
		}
		api := &emulator.API{Scenario: account}
		w := newWorld(t, api, collector.Options{Steps: true, Waiting: true})
		a := target("a")
		a.Regions = []string{"eu-west-1", "us-east-1"}
		a.Images = []config.Image{{Selector: &config.Selector{Name: "web", Builds: 1}}}
		w.apply(a)
		for key, s := range w.scrape() {
			want := []lookup.SelectorMatches{{Selector: "name=web", Matches: 1}}
			if diff := cmp.Diff(want, s.ImageSelectors); diff != "" || len(s.Executions) != 1 || len(s.Waiting) != 1 {
				t.Errorf("%s: %d executions, %d steps wait; selectors (-want +got):\n%s", key, len(s.Executions), len(s.Waiting), diff)
			}
		}
		if n := api.Requests("ListImages"); n != 2 {
			t.Errorf("%d requests of ListImages, want one in each region", n)
		}
	})
}
