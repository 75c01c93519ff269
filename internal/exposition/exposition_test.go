package exposition

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// everything switches on all families.
var everything = collector.Options{Status: true, Images: true, Pipelines: true, Steps: true, Waiting: true}

// The Accept headers of Prometheus, of versions before 3 and since.
const (
	prometheus2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
	prometheus3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)

// moment is a source that says the same to every scrape.
type moment lookup.Snapshot

func (m moment) Lookup(context.Context) lookup.Snapshot { return lookup.Snapshot(m) }

// page is a Page.
type page struct{ *httptest.ResponseRecorder }

func (p page) Append(b []byte) { _, _ = p.Write(b) }

// newHandler returns a Handler with a counter and a gauge of its own, between whose names the
// Collector's lie.
func newHandler() *Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(
		prometheus.NewCounter(prometheus.CounterOpts{Name: "a_total", Help: "A counter."}),
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "z", Help: "A gauge."}),
	)
	return New(own, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, Registry: own, EnableOpenMetrics: true})
}

// request returns a request with these headers.
func request(accept, encoding string, names ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/metrics?"+url.Values{"name[]": names}.Encode(), nil)
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", encoding)
	return r
}

// collectorOf returns a Collector of these moments.
func collectorOf(t testing.TB, moments ...moment) *collector.Collector {
	t.Helper()
	var sources []collector.Source
	for _, m := range moments {
		sources = append(sources, m)
	}
	return collector.New(t.Context(), sources, everything, nil)
}

// serve returns the answers of h and of promhttp to r, and holds that they have the same header.
func serve(t testing.TB, h *Handler, r *http.Request, moments ...moment) (got, want page) {
	t.Helper()
	got, want = page{httptest.NewRecorder()}, page{httptest.NewRecorder()}
	h.Serve(got, r, collectorOf(t, moments...))
	promhttp.HandlerFor(h.Gatherer(collectorOf(t, moments...)), h.opts).ServeHTTP(want, r)
	if diff := cmp.Diff(want.Result().Header, got.Result().Header); diff != "" || got.Code != want.Code {
		t.Errorf("%v: status %d, want %d; header (-want +got):\n%s", r.Header, got.Code, want.Code, diff)
	}
	return got, want
}

// text returns the text of an answer. It holds that what is compressed is one gzip member.
func text(t testing.TB, p page) string {
	t.Helper()
	if p.Header().Get("Content-Encoding") == "" {
		return p.Body.String()
	}
	body := bytes.NewReader(p.Body.Bytes())
	z, err := gzip.NewReader(body)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	all, err := io.ReadAll(z)
	if err != nil || body.Len() > 0 {
		t.Fatalf("after one gzip member: %v, and %d bytes", err, body.Len())
	}
	return string(all)
}

// normal returns the lines of a text with the rows of each family sorted.
func normal(text string) []string {
	lines := strings.Split(text, "\n")
	for begin := 0; begin < len(lines); {
		end := begin
		for end < len(lines) && lines[end] != "" && lines[end][0] != '#' {
			end++
		}
		slices.Sort(lines[begin:end])
		begin = end + 1
	}
	return lines
}

// compare holds that h says the same as promhttp, but for the order of rows, and returns what.
func compare(t testing.TB, h *Handler, r *http.Request, moments ...moment) string {
	t.Helper()
	got, want := serve(t, h, r, moments...)
	g, w := text(t, got), text(t, want)
	if got, want := normal(g), normal(w); !slices.Equal(got, want) {
		t.Errorf("%v (-promhttp +ours):\n%s", r.Header, cmp.Diff(want, got))
	}
	return g
}

// accounts returns what targets of every kind say, now, of executions and images of which most
// have settled.
func accounts(t *testing.T) []moment {
	t.Helper()
	limits := lookuptest.Limits()
	limits.Concurrency = 1000
	api, ids := lookuptest.Executions(time.Now())
	platform, selection := lookuptest.Pipelines(time.Now())
	var all []moment
	for _, c := range []lookuptest.Config{
		{Name: "golden-images", API: api, Selection: lookup.Selection{WorkflowExecutions: ids}},
		{Name: "healthy", API: api, Selection: lookup.Selection{WorkflowExecutions: ids[:1]}},
		{Name: "platform", API: platform, Selection: selection},
	} {
		c.Limits = limits
		target := lookuptest.New(t, c)
		target.Lookup(t.Context())
		all = append(all, moment(target.Lookup(t.Context())))
	}
	return all
}

// settledIn counts what is settled in moments.
func settledIn(moments []moment) int {
	n := 0
	for _, m := range moments {
		for _, b := range m.Settled {
			n += len(b.Executions) + len(b.Images)
		}
	}
	return n
}

func TestAnswersHaveWhatPromhttpsHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		moments, h := accounts(t), newHandler()
		if n := settledIn(moments); n < 10 {
			t.Fatalf("%d are settled", n)
		}
		for _, accept := range []string{
			prometheus2, prometheus3, "", "*/*", "text/plain", "text/plain;version=1.0.0;escaping=underscores",
			"application/openmetrics-text", "application/openmetrics-text;version=0.0.1", "application/openmetrics-text;version=1.0.0;escaping=values",
		} {
			for _, encoding := range []string{"gzip", "", "identity", "gzip;q=0", "zstd, gzip", "deflate", "*", "nonsense;;q=x"} {
				for range 2 { // rendered, and kept
					compare(t, h, request(accept, encoding), moments...)
				}
				compare(t, h, request(accept, encoding, "imagebuilder_workflow_execution_steps", "a_total", "nothing"), moments...)
			}
		}
		if n := len(h.cache.asked); n != 4 {
			t.Errorf("%d variants are kept, want 4", n)
		}
	})
}

func TestWithNothingSettledTheBytesAreThoseOfPromhttp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		moments := accounts(t)
		for i := range moments {
			moments[i].Settled = nil
		}
		for _, accept := range []string{prometheus2, prometheus3, "text/plain"} {
			got, want := serve(t, newHandler(), request(accept, "gzip"), moments...)
			if diff := cmp.Diff(text(t, want), text(t, got)); diff != "" {
				t.Errorf("(-promhttp +ours):\n%s", diff)
			}
		}
	})
}

// TestWhatPromhttpAnswers holds that what cannot be put together is answered all the same.
func TestWhatPromhttpAnswers(t *testing.T) {
	twice := &lookup.Batch{Executions: []lookup.Execution{{ID: "wf-1", LookedUp: true}, {ID: "wf-1", LookedUp: true}}}
	for _, c := range []struct {
		name           string
		method, accept string
		batch          *lookup.Batch
	}{
		{"protobuf", http.MethodGet, protobuf, &lookup.Batch{}},
		{"HEAD", http.MethodHead, prometheus3, &lookup.Batch{}},
		{"names escaped with dots", http.MethodGet, "text/plain;version=0.0.4;escaping=dots", &lookup.Batch{}},
		{"a series that is there twice", http.MethodGet, prometheus3, twice},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, r := newHandler(), request(c.accept, "")
			r.Method = c.method
			m := moment{Name: "a", Region: "eu-west-1", Settled: []*lookup.Batch{c.batch}}
			for range 2 {
				got, want := serve(t, h, r, m)
				lines := func(p page) []string {
					return slices.DeleteFunc(strings.Split(p.Body.String(), "\n"), func(line string) bool {
						return strings.HasPrefix(line, "promhttp_metric_handler_errors_total") // which the other answer counted
					})
				}
				if diff := cmp.Diff(lines(want), lines(got)); diff != "" {
					t.Errorf("(-promhttp +ours):\n%s", diff)
				}
			}
			if _, ok := h.gather(r, h.negotiate(r), collectorOf(t, m)); ok {
				t.Error("it is put together")
			}
		})
	}
}

// TestAFamilyThatPanics in a batch costs what is missing, and nothing is kept of that.
func TestAFamilyThatPanics(t *testing.T) {
	h := newHandler()
	b := &lookup.Batch{Executions: []lookup.Execution{{ID: "wf-1", LookedUp: true}}, Images: []lookup.Image{{}}}
	m := moment{Name: "a", Region: "eu-west-1", Settled: []*lookup.Batch{b}}
	for range 2 {
		got := compare(t, h, request(prometheus3, "gzip"), m)
		if !strings.Contains(got, `workflow_execution_id="wf-1"`) || strings.Contains(got, "imagebuilder_image_info{") {
			t.Errorf("the answer is\n%s", got)
		}
	}
	if n := len(kept(h, b)); n != 0 {
		t.Errorf("%d variants are kept", n)
	}
}

func TestGzipReadsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, _ := serve(t, newHandler(), request(prometheus3, "gzip"), accounts(t)...)
		c := exec.Command("gzip", "-dc")
		c.Stdin = bytes.NewReader(got.Body.Bytes())
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text(t, got), string(out)); diff != "" {
			t.Errorf("(-Go +gzip):\n%s", diff)
		}
	})
}
