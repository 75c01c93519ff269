package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"golang.org/x/sync/semaphore"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/exposition"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/server"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/targets"
)

// Exporter serves /metrics and /probe. Every request is a separate scrape, with its own Collector,
// which knows the deadline, and its own registry.
type Exporter struct {
	targets Targets
	options collector.Options
	offset  time.Duration        // how long before Prometheus gives up an answer is to be complete
	own     *prometheus.Registry // the exporter's own metrics
	scrapes *exposition.Handler
	probes  *exposition.Handler // without the exporter's own metrics
	spread  bool                // whether targets are only served by Probe, because replicas share them
	panics  *panics
	logger  log.Logger

	// turns limits how many scrapes are rendered at a time, because with many executions each needs
	// much memory. Scrapes that wait for lookups, and slow clients, take no turn.
	turns *semaphore.Weighted

	answers server.Answers

	// abandoned is how many scrapes are rendered although their clients have gone.
	abandoned atomic.Int64
}

// newExporter returns an Exporter whose own metrics are in own, and that renders at most the given
// number of scrapes at a time. The caller must set its targets and offset.
func newExporter(own *prometheus.Registry, o collector.Options, renders int, logger log.Logger) *Exporter {
	e := &Exporter{
		options: o, own: own, panics: newPanics(own, logger), logger: logger,
		scrapes: exposition.New(own, promhttp.HandlerOpts{
			ErrorHandling: promhttp.ContinueOnError, ErrorLog: errorLog{logger}, Registry: own, EnableOpenMetrics: true,
		}),
		turns: semaphore.NewWeighted(int64(renders)),
	}
	e.probes = e.scrapes.WithoutOwn()
	own.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "imagebuilder_exporter_settled_bytes",
		Help: "Size in bytes of the rendered metrics that are cached for settled executions and images.",
	}, func() float64 { return float64(e.scrapes.Bytes()) }))
	return e
}

// Targets are what an Exporter looks up.
type Targets interface {
	// Acquire returns what a scrape of all targets looks up.
	Acquire() *targets.Scrape
	// AcquireOne is Acquire for one target in one region. It reports false when there is none.
	AcquireOne(target, region string) (*targets.Scrape, bool)
}

var _ Targets = (*targets.Set)(nil)

// defaultScrapeTimeout applies to scrapers that do not send their timeout. It is Prometheus' own
// default.
const defaultScrapeTimeout = 10 * time.Second

// ServeHTTP answers a scrape with everything that is known at its deadline. The status is 200 even
// if parts are missing, because failures are metrics. If its turn to be rendered does not come in
// time, it answers 503. If targets are spread over replicas, the answer
// has only the exporter's own metrics.
func (e *Exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.spread {
		e.answer(w, r, e.scrapes, &targets.Scrape{Rendering: new(atomic.Int64)})
		return
	}
	scrape := e.targets.Acquire()
	defer scrape.Release()
	e.answer(w, r, e.scrapes, scrape)
}

// answer answers a scrape, as by says.
func (e *Exporter) answer(w http.ResponseWriter, r *http.Request, by *exposition.Handler, scrape *targets.Scrape) {
	deadline := time.Now().Add(scrapeTimeout(r.Header))
	wait := scrapeTime(time.Until(deadline), e.offset+time.Duration(scrape.Rendering.Load()))
	var page server.Page
	inTime := e.collect(r.Context(), scrape, wait, deadline, func(c *collector.Collector) { by.Serve(&page, r, c) })
	if !inTime {
		http.Error(w, e.noTurn(), http.StatusServiceUnavailable)
		return
	}
	e.answers.Write(w, &page)
}

// Probe answers a scrape of one target in one region, without the exporter's own metrics. It answers
// 400 unless the request has exactly one target and region, and 404 if they are not in the
// configuration.
func (e *Exporter) Probe(w http.ResponseWriter, r *http.Request) {
	target, region, err := probed(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error()+": /probe requires target and region, each exactly once, and accepts name[]", http.StatusBadRequest)
		return
	}
	scrape, ok := e.targets.AcquireOne(target, region)
	if !ok {
		http.Error(w, fmt.Sprintf("this exporter has no target %s in region %s", shown(target), shown(region)), http.StatusNotFound)
		return
	}
	defer scrape.Release()
	e.answer(w, r, e.probes, scrape)
}

// probed returns the target and the region that a query asks for. The error says what is wrong
// with it.
func probed(query string) (target, region string, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", "", errors.New("the query string is malformed")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains([]string{"target", "region", "name[]"}, name) {
			return "", "", fmt.Errorf("unknown parameter %s", shown(name))
		}
	}
	for _, name := range []string{"target", "region"} {
		switch n := len(values[name]); {
		case n > 1:
			return "", "", fmt.Errorf("%s is given %d times", name, n)
		case values.Get(name) == "":
			return "", "", fmt.Errorf("%s is missing", name)
		}
	}
	return values.Get("target"), values.Get("region"), nil
}

// shown returns what an answer shows of a text that a client has sent.
func shown(text string) string {
	const most = 200
	return `"` + printable.Line(text, most) + `"`
}

// collect looks up what a scrape asks for, for at most the time wait, then calls render with what is
// known. It reports false if the client goes away or its turn does not come before the deadline.
func (e *Exporter) collect(client context.Context, scrape *targets.Scrape, wait time.Duration, deadline time.Time, render func(*collector.Collector)) bool {
	ctx, cancel := context.WithTimeout(client, wait)
	defer cancel()
	c := collector.New(ctx, scrape.Sources, e.options, e.panics.inScrape)
	c.Lookup()
	begun := time.Now()
	// A client that goes away needs no turn. A client whose context a shutdown ends still needs one.
	turn, cancelTurn := context.WithDeadline(context.WithoutCancel(client), deadline)
	defer cancelTurn()
	defer context.AfterFunc(client, func() {
		if goneAway(client) {
			cancelTurn()
		}
	})()
	// A free turn is also taken at the deadline: the client may still be there.
	if goneAway(client) || !e.turns.TryAcquire(1) && e.turns.Acquire(turn, 1) != nil {
		return false
	}
	defer e.turns.Release(1)
	defer e.countAbandoned(client)()
	render(c)
	// The longest recent rendering, which takes seconds with many executions. Outliers decay.
	scrape.Rendering.Store(max(int64(time.Since(begun)), scrape.Rendering.Load()*4/5))
	return true
}

// goneAway reports whether a client went away. A context that a shutdown ended does not count.
func goneAway(client context.Context) bool {
	return client.Err() != nil && !errors.Is(context.Cause(client), server.ErrShutdown)
}

// countAbandoned counts a scrape in e.abandoned from when its client goes away until done
// is called.
func (e *Exporter) countAbandoned(client context.Context) (done func()) {
	stop := context.AfterFunc(client, func() {
		if goneAway(client) {
			e.abandoned.Add(1)
		}
	})
	return func() {
		if !stop() && goneAway(client) {
			e.abandoned.Add(-1)
		}
	}
}

// noTurn says why a scrape's turn did not come in time.
func (e *Exporter) noTurn() string {
	if e.abandoned.Load() > 0 {
		return "this scrape timed out waiting for its turn: earlier scrapes are still being rendered although their clients have given up; raise scrape_timeout or publish fewer series"
	}
	return "this scrape timed out waiting for its turn: other scrapes were being rendered; see --web.max-requests"
}

// Once looks everything up and writes the imagebuilder metrics to w in Prometheus' text format,
// without the metrics of the process. It fails if a target did not answer, or if the timeout, which
// counts from begun, was too short.
func (e *Exporter) Once(ctx context.Context, begun time.Time, timeout time.Duration, w io.Writer) error {
	var families []*dto.MetricFamily
	var err error
	var cut bool
	scrape := e.targets.Acquire()
	defer scrape.Release()
	// Nobody else renders, so its turn comes at once.
	e.collect(ctx, scrape, time.Until(begun.Add(timeout)), begun.Add(2*timeout), func(c *collector.Collector) {
		cut = time.Since(begun) >= timeout
		families, err = e.scrapes.Gatherer(c).Gather()
	})
	var silent []string
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "imagebuilder_") {
			continue
		}
		if f.GetName() == "imagebuilder_up" {
			silent = append(silent, down(f)...)
		}
		if err := encoder.Encode(f); err != nil {
			return fmt.Errorf("printing the metrics: %w", err)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("collecting the metrics: %w", err)
	case len(silent) > 0:
		return fmt.Errorf("no answer from Image Builder for %s", strings.Join(silent, ", "))
	case cut:
		return fmt.Errorf("not everything was looked up within %s; raise --once.timeout", timeout)
	}
	return nil
}

// down returns the targets and regions for which imagebuilder_up is 0.
func down(up *dto.MetricFamily) []string {
	var all []string
	for _, m := range up.GetMetric() {
		if m.GetGauge().GetValue() == 0 {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			all = append(all, fmt.Sprintf("target %q in %s", labels["target"], labels["region"]))
		}
	}
	return all
}

// scrapeTimeout returns Prometheus' scrape timeout, which it sends in a header.
func scrapeTimeout(h http.Header) time.Duration {
	s, err := strconv.ParseFloat(h.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err == nil && s > 0 && s < math.MaxInt64/float64(time.Second) {
		return time.Duration(s * float64(time.Second))
	}
	return defaultScrapeTimeout
}

// scrapeTime returns how long a scrape may wait for lookups: its timeout minus a reserve, but at
// least half of its timeout.
func scrapeTime(timeout, reserve time.Duration) time.Duration {
	return max(timeout-reserve, timeout/2)
}

// errorLog is where promhttp reports what it could not serve.
type errorLog struct{ logger log.Logger }

// Println logs at level error.
func (l errorLog) Println(v ...any) {
	level.Error(l.logger).Log("msg", "part of a scrape could not be served", "err", v[len(v)-1])
}

// panics counts recovered panics, and logs the panics of scrapes. Its methods may be called
// concurrently.
type panics struct {
	prometheus.Counter
	logger log.Logger
	logged sync.Map // the parts of a scrape that have panicked
}

// newPanics returns panics whose counter is registered with reg.
func newPanics(reg prometheus.Registerer, logger log.Logger) *panics {
	p := &panics{logger: logger, Counter: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "imagebuilder_exporter_panics_total",
		Help: "Recovered panics, each of which lost one lookup or a part of one scrape. Every panic is a bug in the exporter.",
	})}
	reg.MustRegister(p.Counter)
	return p
}

// inScrape implements collector.Panicked. Each part of a scrape is logged once.
func (p *panics) inScrape(part string, value any, stack []byte) {
	p.Inc()
	if _, again := p.logged.LoadOrStore(part, true); !again {
		level.Error(p.logger).Log("msg", "panic during a scrape; part of the metrics is missing", "part", part, "err", fmt.Sprintf("panic: %v", value), "stack", string(stack))
	}
}
