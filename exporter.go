package main

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
)

// Exporter serves /metrics. Every request is a scrape of its own: it gets a
// Collector that knows the scrape's deadline, in a registry of its own.
type Exporter struct {
	sources []collector.Source
	options collector.Options
	offset  time.Duration        // how long before Prometheus gives up an answer is to be complete
	own     *prometheus.Registry // the exporter's own metrics
	logger  log.Logger

	panicked collector.Panicked // is told of panics in a scrape; nil for not

	// rendering is about the longest that recent scrapes took beside waiting for
	// lookups, as a time.Duration. With many executions that is seconds.
	rendering atomic.Int64
}

// defaultScrapeTimeout holds for a scraper that does not say how long it waits. It
// is Prometheus' own default.
const defaultScrapeTimeout = 10 * time.Second

// ServeHTTP answers a scrape with everything that is known at its deadline, and with
// status 200 even when parts are missing: failures are metrics, too.
func (e *Exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTime(r.Header, e.offset+time.Duration(e.rendering.Load())))
	defer cancel()
	c := collector.New(ctx, e.sources, e.options, e.panicked)
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	// The exporter's own metrics come second, so that they count this scrape's lookups.
	promhttp.HandlerFor(inTurn{registry, e.own}, promhttp.HandlerOpts{
		ErrorHandling:     promhttp.ContinueOnError,
		ErrorLog:          errorLog{e.logger, r.Context()},
		Registry:          e.own,
		EnableOpenMetrics: true,
	}).ServeHTTP(w, r)
	if r.Context().Err() == nil {
		e.rendered(time.Since(begun) - c.Waited())
	}
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

// scrapeTime returns how long a scrape may wait for lookups: what Prometheus says in
// its header, less a reserve, but at least half of it.
func scrapeTime(h http.Header, reserve time.Duration) time.Duration {
	timeout := defaultScrapeTimeout
	s, err := strconv.ParseFloat(h.Get("X-Prometheus-Scrape-Timeout-Seconds"), 64)
	if err == nil && s > 0 && s < math.MaxInt64/float64(time.Second) {
		timeout = time.Duration(s * float64(time.Second))
	}
	return max(timeout-reserve, timeout/2)
}

// errorLog is where promhttp reports what it could not serve to one client.
type errorLog struct {
	logger log.Logger
	client context.Context // ends when the client goes away
}

// Println logs at level error, and at level debug when the client has gone.
func (l errorLog) Println(v ...any) {
	logger := level.Error(l.logger)
	if l.client.Err() != nil {
		logger = level.Debug(l.logger)
	}
	logger.Log("msg", "part of a scrape could not be served", "err", v[len(v)-1])
}
