package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
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
	"github.com/imagebuilder-exporter/imagebuilder_exporter/targets"
)

// Exporter serves /metrics. Every request is a scrape of its own: it gets a
// Collector that knows the scrape's deadline, in a registry of its own.
type Exporter struct {
	targets Targets
	options collector.Options
	offset  time.Duration        // how long before Prometheus gives up an answer is to be complete
	own     *prometheus.Registry // the exporter's own metrics
	panics  *panics
	logger  log.Logger

	// turns bounds how many scrapes are rendered at a time, for with many executions each
	// takes much memory. Waiting for lookups takes none, and neither do slow clients.
	turns *semaphore.Weighted

	leaving leaving // the answers that clients are reading

	// rendering is about the longest that recent scrapes took beside waiting for
	// lookups, as a time.Duration. With many executions that is seconds.
	rendering atomic.Int64
}

// newExporter returns an Exporter whose own metrics are in own, and that renders so many
// scrapes at a time. Its targets and its offset are still to be set.
func newExporter(own *prometheus.Registry, o collector.Options, renders int, logger log.Logger) *Exporter {
	return &Exporter{
		options: o, own: own, panics: newPanics(own, logger), logger: logger,
		turns: semaphore.NewWeighted(int64(renders)),
	}
}

// Targets are what an Exporter looks up.
type Targets interface {
	// Acquire returns what one scrape looks up, which calls release when it has done so.
	Acquire() (sources []collector.Source, release func())
}

var _ Targets = (*targets.Set)(nil)

const (
	// defaultScrapeTimeout holds for a scraper that does not say how long it waits. It
	// is Prometheus' own default.
	defaultScrapeTimeout = 10 * time.Second
	// writeTimeout is how long a client may take to read an answer that is complete.
	writeTimeout = 10 * time.Second
)

// ServeHTTP answers a scrape with everything that is known at its deadline, and with
// status 200 even when parts are missing: failures are metrics, too. When so many scrapes
// are rendered that its turn does not come in time, it answers 503.
func (e *Exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	timeout := scrapeTimeout(r.Header)
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTime(timeout, e.offset+time.Duration(e.rendering.Load())))
	defer cancel()
	p := &page{header: http.Header{}}
	if e.collect(ctx, begun.Add(timeout), func(g prometheus.Gatherer) { e.render(p, r, g) }) {
		e.leaving.write(w, p)
		return
	}
	http.Error(w, "too many scrapes at a time; see --web.max-requests", http.StatusServiceUnavailable)
}

// collect looks up everything until ctx ends, and calls render with what is known, unless
// its turn does not come before the deadline.
func (e *Exporter) collect(ctx context.Context, deadline time.Time, render func(prometheus.Gatherer)) bool {
	sources, release := e.targets.Acquire()
	defer release()
	c := collector.New(ctx, sources, e.options, e.panics.inScrape)
	c.Lookup()
	begun := time.Now()
	turn, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	if e.turns.Acquire(turn, 1) != nil {
		return false
	}
	defer e.turns.Release(1)
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	// The exporter's own metrics come second, so that they count this scrape's lookups.
	render(inTurn{registry, e.own})
	e.rendered(time.Since(begun))
	return true
}

// Once looks everything up and writes the metrics of this exporter to w, without those of
// its process, in Prometheus' text format. It fails when a target did not answer, or when
// the time was too short.
func (e *Exporter) Once(ctx context.Context, timeout time.Duration, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var families []*dto.MetricFamily
	var err error
	// Nobody else renders, so its turn comes at once.
	e.collect(ctx, time.Now().Add(2*timeout), func(g prometheus.Gatherer) { families, err = g.Gather() })
	cut := ctx.Err() != nil
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
		return fmt.Errorf("not everything was looked up within %s; see --once.timeout", timeout)
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

// render writes to w what r asks for.
func (e *Exporter) render(w http.ResponseWriter, r *http.Request, g prometheus.Gatherer) {
	promhttp.HandlerFor(g, promhttp.HandlerOpts{
		ErrorHandling:     promhttp.ContinueOnError,
		ErrorLog:          errorLog{e.logger},
		Registry:          e.own,
		EnableOpenMetrics: true,
	}).ServeHTTP(w, r)
}

// page is an answer that is complete before the client gets any of it, so that a slow
// client holds up nothing but itself.
type page struct {
	bytes.Buffer
	header http.Header
	status int // 0 for 200
}

// Header implements http.ResponseWriter.
func (p *page) Header() http.Header { return p.header }

// WriteHeader implements http.ResponseWriter.
func (p *page) WriteHeader(status int) { p.status = status }

// leaving bounds how many answers wait for their clients: when there are too many, the
// one that waits for the longest time is cut off. The zero value is ready for use.
type leaving struct {
	mu      sync.Mutex
	clients []*http.ResponseController // in the order in which they began
}

// maxLeaving is how many answers may wait for their clients. With many executions each is
// some megabytes, and whoever scrapes reads that in much less than a second.
const maxLeaving = 16

// write answers with p. A client that does not read it in time is cut off.
func (l *leaving) write(w http.ResponseWriter, p *page) {
	client := http.NewResponseController(w)
	_ = client.SetWriteDeadline(time.Now().Add(writeTimeout)) // of a recorder it cannot be set
	l.begin(client)
	defer l.end(client)
	maps.Copy(w.Header(), p.header)
	w.Header().Set("Content-Length", strconv.Itoa(p.Len()))
	w.WriteHeader(cmp.Or(p.status, http.StatusOK))
	_, _ = p.WriteTo(w) // the client has gone
}

func (l *leaving) begin(client *http.ResponseController) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clients = append(l.clients, client); len(l.clients) > maxLeaving {
		_ = l.clients[0].SetWriteDeadline(time.Now()) // ends its write
		l.clients = slices.Delete(l.clients, 0, 1)
	}
}

func (l *leaving) end(client *http.ResponseController) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clients = slices.DeleteFunc(l.clients, func(c *http.ResponseController) bool { return c == client })
}

// rendered takes in how long a scrape took beside waiting for lookups. An outlier is
// forgotten after some scrapes.
func (e *Exporter) rendered(took time.Duration) {
	e.rendering.Store(max(int64(took), e.rendering.Load()*4/5))
}

// inTurn gathers from one registry after the other. Unlike prometheus.Gatherers it
// relies on the families having different names, so it need not look at every series
// a second time.
type inTurn []prometheus.Gatherer

// Gather implements prometheus.Gatherer.
func (g inTurn) Gather() ([]*dto.MetricFamily, error) {
	var all []*dto.MetricFamily
	var failed error
	for _, gatherer := range g {
		families, err := gatherer.Gather()
		all = append(all, families...)
		failed = errors.Join(failed, err)
	}
	slices.SortFunc(all, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all, failed
}

// scrapeTimeout returns after how long Prometheus gives up: what it says in its header.
func scrapeTimeout(h http.Header) time.Duration {
	s, err := strconv.ParseFloat(h.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err == nil && s > 0 && s < math.MaxInt64/float64(time.Second) {
		return time.Duration(s * float64(time.Second))
	}
	return defaultScrapeTimeout
}

// scrapeTime returns how long a scrape may wait for lookups: its timeout less a reserve,
// but at least half of it.
func scrapeTime(timeout, reserve time.Duration) time.Duration {
	return max(timeout-reserve, timeout/2)
}

// errorLog is where promhttp reports what it could not serve.
type errorLog struct{ logger log.Logger }

// Println logs at level error.
func (l errorLog) Println(v ...any) {
	level.Error(l.logger).Log("msg", "part of a scrape could not be served", "err", v[len(v)-1])
}

// panics counts the panics that were contained, and logs those of scrapes. Its methods may
// be called concurrently.
type panics struct {
	prometheus.Counter
	logger log.Logger
	logged sync.Map // the parts of a scrape that have panicked
}

// newPanics returns panics whose counter is registered with reg.
func newPanics(reg prometheus.Registerer, logger log.Logger) *panics {
	p := &panics{logger: logger, Counter: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "imagebuilder_exporter_panics_total",
		Help: "Panics that cost a lookup or a part of a scrape, and nothing else: each is a bug of the exporter.",
	})}
	reg.MustRegister(p.Counter)
	return p
}

// inScrape implements collector.Panicked. Each part of a scrape is logged once.
func (p *panics) inScrape(part string, value any, stack []byte) {
	p.Inc()
	if _, again := p.logged.LoadOrStore(part, true); !again {
		level.Error(p.logger).Log("msg", "a part of the scrapes is missing", "part", part, "err", fmt.Sprintf("panic: %v", value), "stack", string(stack))
	}
}
