// Package sd spreads targets over the replicas of an exporter. Prometheus asks any replica, and the
// answer says which replica to scrape for each target in each region.
//
// The replicas share no state. Each has the whole configuration, asks all replicas whether they are
// ready, and assigns the targets to the ready ones with a function that gives the same result
// everywhere. Start reading with Assign.
package sd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"golang.org/x/sync/singleflight"
)

// Config is the configuration of a Handler.
type Config struct {
	Peers     Peers
	Keys      func() []Key // what the configuration says now
	ProbePath string       // of one target in one region, such as /probe
	ReadyPath string       // where a peer answers 200 when it is ready
	ReadyText string       // what it answers there, one line
	TLS       bool         // whether the peers serve HTTPS
	Client    *http.Client // asks the peers
	Resolver  Resolver     // nil for the name servers of the system
	Logger    log.Logger
}

// Handler answers Prometheus' HTTP service discovery. Create it with New. Its methods may be called
// concurrently.
type Handler struct {
	c      Config
	rounds singleflight.Group // who asks while the peers are asked shares the answer
	// inFlight has the *question of each peer that has not ended, by HOST:PORT.
	inFlight sync.Map

	mu    sync.Mutex
	last  *round // nil before the first one
	known outages
}

// New returns a Handler that has asked nobody yet.
func New(c Config) *Handler {
	if c.Resolver == nil {
		c.Resolver = wholeAnswers
	}
	return &Handler{c: c}
}

// round is what came of asking all peers once.
type round struct {
	ended    time.Time
	peers    map[string]error // why each is not ready, nil for one that is
	err      error            // why it is not known who they are
	keys     []Key
	assigned []string // the peer of each key, nil when none is ready
	body     []byte   // the answer to all who share the round
	failed   error    // why there is none
}

// ServeHTTP answers with all targets and the replica of each. If it cannot list them all, it answers
// 503, and Prometheus keeps its current targets.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithoutCancel(r.Context()) // it is for others, too
	shared, _, _ := h.rounds.Do("", func() (any, error) { return h.ask(ctx), nil })
	answer := shared.(*round)
	if answer.failed != nil {
		http.Error(w, shown(answer.failed), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if page, ok := w.(appender); ok {
		page.Append(answer.body)
		return
	}
	_, _ = w.Write(answer.body) // to a client that may have gone
}

// appender is a http.ResponseWriter that takes a part of its answer without a copy.
type appender interface{ Append(b []byte) }

// maxError limits the length of an error text, in bytes.
const maxError = 500

// ask asks all peers, and keeps what came of it for the metrics.
func (h *Handler) ask(ctx context.Context) *round {
	r := &round{keys: h.c.Keys()}
	r.peers, r.err = h.find(ctx)
	r.assigned = Assign(r.ready(), r.keys)
	r.body, r.failed = h.answer(r)
	r.ended = time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = r
	h.known.log(h.c.Logger, r)
	return r
}

// ready returns the peers that are.
func (r *round) ready() []string {
	var ready []string
	for _, peer := range slices.Sorted(maps.Keys(r.peers)) {
		if r.peers[peer] == nil {
			ready = append(ready, peer)
		}
	}
	return ready
}

// group is a part of Prometheus' HTTP service discovery.
type group struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// answer returns the JSON of one group for each target in each region.
func (h *Handler) answer(r *round) ([]byte, error) {
	switch {
	case r.err != nil:
		return nil, r.err
	case r.assigned == nil:
		return nil, fmt.Errorf("no peer is ready, of %d; the log says why", len(r.peers))
	case len(r.keys) == 0:
		return nil, errors.New("no targets are configured")
	}
	groups := make([]group, len(r.keys))
	for i, key := range r.keys {
		groups[i] = group{Targets: []string{r.assigned[i]}, Labels: h.labels(key)}
	}
	return json.Marshal(groups)
}

// labels returns those with which Prometheus scrapes a key. The series of a key have the same
// labels whoever serves it. By __tmp_hash the Prometheus Operator spreads them over its shards.
func (h *Handler) labels(k Key) map[string]string {
	labels := map[string]string{
		"__metrics_path__": h.c.ProbePath, "__param_target": k.Target, "__param_region": k.Region,
		"instance": k.String(), "__tmp_hash": k.String(),
	}
	if h.c.TLS {
		labels["__scheme__"] = "https"
	}
	return labels
}
