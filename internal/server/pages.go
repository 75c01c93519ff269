package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	_ "net/http/pprof" // registers its pages with http.DefaultServeMux
	"path"
	"strings"
	"time"
)

// PathReady and PathProbe are also used by other packages.
const (
	PathReady = "/-/ready"
	PathProbe = "/probe"
)

// TextReady is the answer of PathReady when the server is ready.
const TextReady = "Ready"

// The other paths that are taken. MetricsPath may not be below one of the prefixes.
const (
	pathHealthy = "/-/healthy"
	pathReload  = "/-/reload"
	pathStatus  = "/executions"
	pathSD      = "/sd"
	pathPprof   = "/debug/pprof/"
)

// newMux returns the pages. A pattern of GET also matches HEAD, and the mux answers
// other methods with 405 and what is allowed, other paths with 404.
func (s *Server) newMux() (*http.ServeMux, error) {
	mux := http.NewServeMux()
	p := s.config.MetricsPath
	if err := CheckPath(p); err != nil {
		return nil, fmt.Errorf("--web.telemetry-path=%s: %w", p, err)
	}
	mux.HandleFunc("GET "+pathHealthy, func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "Healthy") })
	mux.HandleFunc("GET "+PathReady, s.serving(func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, TextReady) }))
	mux.HandleFunc("POST "+pathReload, s.serving(sameOrigin(s.reload)))
	mux.HandleFunc("GET "+PathProbe, s.probe)
	if s.config.SD != nil {
		mux.HandleFunc("GET "+pathSD, s.sd)
	}
	mux.Handle("GET "+pathStatus, s.config.Status)
	mux.Handle("GET "+pathStatus+"/style.css", s.config.Status)
	mux.Handle("GET "+pathStatus+"/{id}", s.config.Status)
	if s.config.Pprof {
		mux.Handle("GET "+pathPprof, http.DefaultServeMux)
		s.allowStyle(http.DefaultServeMux, pathPprof)
	}
	if p == "/" {
		mux.HandleFunc("GET /{$}", s.metrics)
		return mux, nil
	}
	mux.HandleFunc("GET "+p, s.metrics)
	mux.Handle("GET /{$}", s.config.Status)
	return mux, nil
}

// CheckPath validates the path of the metrics. The error continues a sentence about the path: "must
// be …".
func CheckPath(p string) error {
	if !strings.HasPrefix(p, "/") || p != path.Clean(p) || strings.ContainsAny(p, "{} \t") {
		return errors.New("must be a plain path that begins with a slash, such as /metrics")
	}
	for _, taken := range []string{"/-/", pathPprof, pathStatus + "/", PathProbe + "/", pathSD + "/"} {
		if strings.HasPrefix(p+"/", taken) {
			return fmt.Errorf("must not be below %s, which is reserved", taken)
		}
	}
	return nil
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) { s.scrape(w, r, s.config.Metrics) }
func (s *Server) probe(w http.ResponseWriter, r *http.Request)   { s.scrape(w, r, s.config.Probe) }

// sd serves the service discovery. Slow clients delay nobody, and cut off no scrape.
func (s *Server) sd(w http.ResponseWriter, r *http.Request) {
	var page Page
	s.config.SD.ServeHTTP(&page, r)
	s.discoveries.Write(w, &page)
}

// scrape serves a page of metrics, unless new scrapes are refused.
func (s *Server) scrape(w http.ResponseWriter, r *http.Request, page http.Handler) {
	if !s.scrapes.begin() {
		say(w, http.StatusServiceUnavailable, "Shutting down")
		return
	}
	defer s.scrapes.end()
	// How long a scrape takes is for the handler to know.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	page.ServeHTTP(w, r)
}

// serving calls next, but answers 503 once the server is shutting down.
func (s *Server) serving(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.leaving.Load() {
			say(w, http.StatusServiceUnavailable, "Shutting down")
			return
		}
		next(w, r)
	}
}

// sameOrigin calls next, but answers 403 to cross-site requests of browsers.
func sameOrigin(next http.HandlerFunc) http.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if err := protection.Check(r); err != nil {
			say(w, http.StatusForbidden, "Cross-site requests cannot reload the configuration: "+err.Error())
			return
		}
		next(w, r)
	}
}

// reload reloads the configuration, and answers with the result.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.reload)
	defer cancel()
	err := s.config.Reload(ctx)
	switch {
	case err == nil:
		say(w, http.StatusOK, "Reloaded")
	case errors.Is(err, ErrShutdown):
		say(w, http.StatusServiceUnavailable, "Shutting down")
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		say(w, http.StatusServiceUnavailable, fmt.Sprintf("The reload did not finish within %s; see the log", s.limits.reload))
	default:
		say(w, http.StatusInternalServerError, err.Error())
	}
}

// say sends a line of plain text.
func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
