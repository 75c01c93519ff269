// Package server serves the exporter's pages and shuts down within a time limit. It imports no other
// package of this module and knows nothing of metrics: main passes the handlers to it. Start reading
// with New and Server.Run.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/exporter-toolkit/web"
)

// Config is the configuration of a Server. Only SD may be nil.
type Config struct {
	MetricsPath string                          // such as /metrics; with / there is no landing page
	Metrics     http.Handler                    // sets its own write deadline, and ends with the request's context
	Probe       http.Handler                    // of PathProbe; as Metrics
	SD          http.Handler                    // of /sd, which gets a *Page; nil for no such page
	Status      http.Handler                    // of /, /executions, and what is below
	Reload      func(ctx context.Context) error // what POST /-/reload does; the client sees the error's text
	Pprof       bool                            // whether to serve /debug/pprof/
	Web         *web.FlagConfig                 // where to listen, and the file about TLS and passwords
	Logger      log.Logger
	Slog        *slog.Logger // for exporter-toolkit

	// MaxConnections is how many connections may be open at a time, at least 1.
	MaxConnections int
	// Drain is for how long Run goes on to serve scrapes when its context has ended, while
	// PathReady says that it is not ready.
	Drain time.Duration
}

// ErrShutdown is why the context of a request ends when a shutdown takes too long: the
// client is still there, and gets the last known values.
var ErrShutdown = errors.New("the exporter is shutting down")

// Server serves the pages of an exporter. Create it with New.
type Server struct {
	config  Config
	limits  limits
	handler http.Handler
	styles  []string // hashes of inline styles, for the Content-Security-Policy
	scrapes scrapes
	// discoveries are the answers of /sd.
	discoveries Answers
	leaving     atomic.Bool                          // since the context of Run has ended
	after       func(time.Duration) <-chan time.Time // time.After but in tests
}

// New returns a Server that is not listening yet.
func New(c Config) (*Server, error) {
	s := &Server{config: c, limits: defaultLimits, after: time.After}
	mux, err := s.newMux()
	if err != nil {
		return nil, err
	}
	s.handler = withHeaders(withoutBodies(mux), s.styles)
	return s, nil
}

// Run serves until ctx ends. Then it drains: it is not ready, but serves scrapes for Config.Drain,
// until clients have found another replica. After that it refuses new scrapes and keeps listening
// until the scrapes in flight have ended, so a load balancer sees at /-/ready that it must use
// another replica. After a grace period the contexts of slow scrapes end, and they answer with the
// last known values. Later they are cut off. In both cases the shutdown is clean, and Run returns
// nil. An error says why it cannot serve. Run may be called once.
func (s *Server) Run(ctx context.Context) error {
	listeners, err := s.listen()
	if err != nil {
		return fmt.Errorf("serving: %w", err)
	}
	requests, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	var servers []*http.Server
	var running sync.WaitGroup
	defer s.awaitEnd(&running)
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		// One for each: exporter-toolkit changes the server that it gets.
		server := s.limits.newHTTPServer(s.handler, s.config.Logger)
		server.BaseContext = func(net.Listener) context.Context { return requests }
		servers = append(servers, server)
		running.Go(func() { failed <- s.serve(l, server) })
	}
	defer closeAll(listeners)
	defer func() { each(servers, (*http.Server).Close) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	s.leaving.Store(true)
	if s.config.Drain > 0 {
		level.Info(s.config.Logger).Log("msg", "draining: /-/ready answers 503, scrapes are still served", "for", s.config.Drain)
		select {
		case err := <-failed:
			return fmt.Errorf("serving: %w", err)
		case <-s.after(s.config.Drain):
		}
	}
	s.drain(servers, func() { end(ErrShutdown) })
	return nil
}

// serve serves until server is closed. The error of a web configuration shows no secret.
func (s *Server) serve(l net.Listener, server *http.Server) error {
	if _, err := ReadSecurity(s.config.Web); err != nil {
		return err
	}
	return web.Serve(l, server, s.config.Web, s.config.Slog)
}

// awaitEnd waits until nothing runs any more, but not for what hangs in reading the web
// configuration.
func (s *Server) awaitEnd(running *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		running.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(s.limits.flush):
	}
}

// each calls f for all servers concurrently. Its errors are about clients.
func each(servers []*http.Server, f func(*http.Server) error) {
	var all sync.WaitGroup
	for _, server := range servers {
		all.Go(func() { _ = f(server) })
	}
	all.Wait()
}

// drain waits for the scrapes in flight. After the grace it calls endRequests, and after
// its time limit it cuts them off.
func (s *Server) drain(servers []*http.Server, endRequests func()) {
	drained := s.scrapes.drain()
	level.Info(s.config.Logger).Log("msg", "shutting down", "bound", s.limits.drain)
	ctx, cancel := context.WithTimeout(context.Background(), s.limits.drain)
	defer cancel()
	defer time.AfterFunc(s.limits.grace, endRequests).Stop()
	select {
	case <-drained:
		endRequests() // reloads that are waited for are told that it ends
		// The last answers are still to be sent. Idle connections are closed at once, those
		// of HTTP/2 within a second; the time limit is for slow clients of other pages.
		ctx, cancel := context.WithTimeout(ctx, s.limits.flush)
		defer cancel()
		each(servers, func(server *http.Server) error { return server.Shutdown(ctx) })
	case <-ctx.Done():
		n, _ := s.scrapes.state()
		level.Warn(s.config.Logger).Log("msg", "the shutdown cut off scrapes", "scrapes", n)
	}
}

// scrapes counts the scrapes in flight. The zero value is ready for use.
type scrapes struct {
	mu       sync.Mutex
	inFlight int
	drained  chan struct{} // nil until drain; closed when the last scrape has ended
}

// begin counts a scrape in, and reports whether it may go ahead. If so, end has to
// follow.
func (s *scrapes) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drained != nil {
		return false
	}
	s.inFlight++
	return true
}

// end counts a scrape out.
func (s *scrapes) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	if s.drained != nil && s.inFlight == 0 {
		close(s.drained)
	}
}

// drain refuses new scrapes. The channel is closed once none is in flight.
// It may be called once.
func (s *scrapes) drain() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drained = make(chan struct{})
	if s.inFlight == 0 {
		close(s.drained)
	}
	return s.drained
}

// state returns how many scrapes are in flight, and whether drain was called.
func (s *scrapes) state() (inFlight int, draining bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inFlight, s.drained != nil
}
