// Package exposition answers scrapes from cached parts: the cost of a scrape depends on what has
// changed.
//
// Most of the published series never change again, but promhttp gathers, checks, encodes and
// compresses all of them at each scrape. This package does that once per lookup.Batch and caches
// the bytes, as one segment per metric family. It assembles an answer, family by family, from live
// rows and from the segments of all batches:
//
//	# HELP family ...
//	# TYPE family ...
//	live rows                encoded at each scrape
//	rows of a batch          a segment, encoded once
//	rows of another batch    a segment, encoded once
//	# HELP next family ...
//
// This also works for compressed answers. A gzip member (RFC 1952) is a header, one deflate stream
// (RFC 1951), the CRC-32 of the text, and the length of the text. Two facts allow joining such a
// stream from parts:
//
//   - A sync flush (a term of zlib) ends a block at a byte boundary without marking it as the last
//     one, and another block can follow. The blocks of a compressor that starts with an empty
//     dictionary do not refer to earlier data, so they have the same meaning in any position.
//   - The CRC-32 of two concatenated texts can be computed from the CRC-32 of each text and the
//     length of the second one. zlib calls this crc32_combine.
//
// A client reads one gzip member. Its text is the text that promhttp would have sent, except for the
// order of the rows within a family, which has no meaning.
//
// Only the Collector turns values into metrics. Each series passes the checks of a
// prometheus.Registry: once when it settles, or at each scrape while it is live. promhttp still
// answers requests that this package does not handle: protobuf, methods other than GET, escaped
// names with dots, and everything that the registry or the encoder rejects. After a family has
// panicked, what settles is rendered at each scrape. Without this package promhttp would answer all
// requests. Start reading with Handler.Serve.
package exposition

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
)

// Handler answers scrapes. Its methods may be called concurrently.
type Handler struct {
	own        prometheus.Gatherer
	opts       promhttp.HandlerOpts
	negotiator http.Handler // promhttp's, without a metric
	cache      *cache
}

// New returns a Handler that answers like promhttp with opts. Each answer also has the metrics of
// own, whose names must differ from those of a Collector.
func New(own prometheus.Gatherer, opts promhttp.HandlerOpts) *Handler {
	return &Handler{own: own, opts: opts, negotiator: promhttp.HandlerFor(prometheus.Gatherers{}, opts), cache: &cache{}}
}

// WithoutOwn returns a Handler that answers without the own metrics. It shares the segments.
func (h *Handler) WithoutOwn() *Handler {
	return &Handler{own: prometheus.Gatherers{}, opts: h.opts, negotiator: h.negotiator, cache: h.cache}
}

// Bytes returns the size of the cached segments, in bytes.
func (h *Handler) Bytes() int64 { return h.cache.bytes.Load() }

// Page is where an answer is written to.
type Page interface {
	http.ResponseWriter
	// Append is Write, but may keep p, which is never changed.
	Append(p []byte)
}

// Serve answers a scrape with what c emits.
func (h *Handler) Serve(to Page, r *http.Request, c *collector.Collector) {
	header := h.negotiate(r)
	a, ok := h.gather(r, header, c)
	if !ok {
		promhttp.HandlerFor(h.Gatherer(c), h.opts).ServeHTTP(to, r)
		return
	}
	maps.Copy(to.Header(), header)
	a.writeTo(to, wanted(r))
}

// Gatherer gathers what c emits, then the own metrics of the Handler: they include the lookups of
// this scrape.
func (h *Handler) Gatherer(c prometheus.Collector) prometheus.Gatherer {
	registry := prometheus.NewRegistry()
	registry.MustRegister(c)
	return inTurn{registry, h.own}
}

// negotiate returns the header of promhttp's answer to r.
func (h *Handler) negotiate(r *http.Request) http.Header {
	w := headerOnly{}
	h.negotiator.ServeHTTP(w, r)
	return http.Header(w)
}

// headerOnly is a http.ResponseWriter that drops the body.
type headerOnly http.Header

func (w headerOnly) Header() http.Header         { return http.Header(w) }
func (w headerOnly) Write(p []byte) (int, error) { return len(p), nil }
func (w headerOnly) WriteHeader(int)             {}

// wanted returns what tells whether r asks for a family.
func wanted(r *http.Request) func(name string) bool {
	names := r.URL.Query()["name[]"]
	return func(name string) bool { return len(names) == 0 || slices.Contains(names, name) }
}

// answer is what the body of an answer is put together from.
type answer struct {
	format
	live    map[string][]byte     // the text of each family, by its name
	settled []map[string]*segment // the same of each batch
}

// gather returns the answer to r whose header is this one. It reports false when promhttp has to
// answer.
func (h *Handler) gather(r *http.Request, header http.Header, c *collector.Collector) (a answer, ok bool) {
	a.format, ok = formatOf(r, header)
	h.cache.ask(a.variant, time.Now())
	if !ok {
		return a, false
	}
	var err error
	if a.live, err = a.text(h.Gatherer(c.Live())); err != nil {
		return a, false
	}
	a.settled, err = h.cache.segments(a.format, c.Batches())
	return a, err == nil
}

// writeTo writes the families that are wanted.
func (a *answer) writeTo(to Page, wanted func(name string) bool) {
	s := a.stream(to)
	for _, name := range a.names() {
		if wanted(name) {
			a.writeFamily(s, name)
		}
	}
	s.text(a.end())
	s.close()
}

// names returns the names of all families, in their order.
func (a *answer) names() []string {
	names := map[string]bool{}
	for name := range a.live {
		names[name] = true
	}
	for _, batch := range a.settled {
		for name := range batch {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// writeFamily writes what is live of a family, which may be nothing, and all of its segments.
func (a *answer) writeFamily(s stream, name string) {
	s.text(a.live[name])
	headed := len(a.live[name]) > 0
	for _, batch := range a.settled {
		rows := batch[name]
		switch {
		case rows == nil:
			continue
		case !headed:
			s.text(rows.head)
			headed = true
		}
		s.segment(rows)
	}
}

// inTurn gathers from one Gatherer after the other. Unlike prometheus.Gatherers it relies on the
// families having different names, so it need not look at every series a second time.
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
