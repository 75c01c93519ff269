package server

import (
	stdlog "log"
	"net/http"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// limits are how long clients and the shutdown of the server may take. docs/operations.md
// has them for users.
type limits struct {
	read   time.Duration // for a request to arrive: the TLS handshake, the header, the body
	write  time.Duration // for a page to be made and sent, but not the metrics
	reload time.Duration // for a reload, until the client is told that it takes longer
	idle   time.Duration // between two requests of a connection

	// From the end of Run's context on:
	grace time.Duration // until scrapes are told to answer with the last known values
	drain time.Duration // until they are cut off
	flush time.Duration // after the last scrape, for its answer to be sent
}

var defaultLimits = limits{
	read: 10 * time.Second, write: 30 * time.Second, reload: 20 * time.Second, idle: 90 * time.Second,
	grace: 10 * time.Second, drain: 13 * time.Second, flush: time.Second,
}

// newHTTPServer returns a server that slow clients cannot block.
//
// ReadTimeout is also for requests that are refused because they have no password, which
// no handler of ours sees. It does not end the context of a handler that takes longer:
// over HTTP/1 net/http lifts it when it has the whole request and begins to watch for
// the client going away, over HTTP/2 it is about the body alone. WriteTimeout would cut
// off a handler that takes longer; the scrapes lift it, and net/http/pprof extends it.
func (l limits) newHTTPServer(handler http.Handler, logger log.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: l.read,
		ReadTimeout:       l.read,
		WriteTimeout:      l.write,
		IdleTimeout:       l.idle,
		MaxHeaderBytes:    16 << 10,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 20,
			SendPingTimeout:      l.write,
			PingTimeout:          l.read,
			WriteByteTimeout:     l.write,
		},
		ErrorLog: stdlog.New(errorLog{logger}, "", 0),
	}
}

// withoutBodies is next for a server none of whose pages reads a request's body. Over
// HTTP/1 an answer would wait for the whole body so that the connection can be used
// again; it is closed instead.
func withoutBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// errorLog logs what net/http reports. Almost all of it is about clients, such as port
// scanners, and is logged at level debug.
type errorLog struct{ logger log.Logger }

// Write implements io.Writer. Each call is one message.
func (l errorLog) Write(p []byte) (int, error) {
	text := strings.TrimSpace(string(p))
	logger := level.Debug(l.logger)
	for _, ours := range []string{"http: panic serving", "http2: panic serving", "http: Accept error"} {
		if strings.HasPrefix(text, ours) {
			logger = level.Error(l.logger)
		}
	}
	logger.Log("msg", "HTTP server message", "err", text)
	return len(p), nil
}
