package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

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
	e.answer(w, httptest.NewRequest(http.MethodGet, "/metrics", nil), e.scrapes, nil)
	return w
}

func TestWhatAProbeRefuses(t *testing.T) {
	const needs = ": /probe needs target and region, each once, and takes name[]\n"
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
		"another parameter":          {probeGolden + "&module=all", 400, `there is no parameter "module"` + needs},
		"a parameter that is hidden": {probeGolden + "&%1b[31m=1", 400, `there is no parameter "\x1b[31m"` + needs},
		"a query that is none":       {probeGolden + "&%zz", 400, "the query cannot be read" + needs},
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
