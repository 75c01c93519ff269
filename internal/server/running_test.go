package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/exporter-toolkit/web"
)

// testTimeout is how long a test waits for what has to happen.
const testTimeout = 20 * time.Second

// logged is a log that a test can wait for.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newLogged() *logged { return &logged{more: make(chan struct{}, 1)} }

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await returns the first line that has the text.
func (l *logged) await(t *testing.T, text string) string {
	t.Helper()
	late := time.After(testTimeout)
	for {
		for line := range strings.Lines(l.String()) {
			if strings.Contains(line, text) {
				return line
			}
		}
		select {
		case <-l.more:
		case <-late:
			t.Fatalf("no %q is logged:\n%s", text, l)
		}
	}
}

// running is a server that runs until the test ends.
type running struct {
	*Server
	address string
	log     *logged
	end     context.CancelFunc // ends the context of Run
	ended   <-chan struct{}    // closed when Run has returned
	err     error              // what Run returned
}

// start starts a server with a web.config.file of this text, or none. Each change is
// made to it before it runs.
func start(t *testing.T, webConfig string, changes ...func(*Server)) *running {
	t.Helper()
	s := newServer(t, func(c *Config) { c.Web = flags(t, webConfig, "127.0.0.1:0") })
	for _, change := range changes {
		change(s)
	}
	return run(t, s)
}

// newServer returns a server with a page of metrics, a reload that works and pprof.
func newServer(t *testing.T, changes ...func(*Config)) *Server {
	t.Helper()
	c := Config{
		MetricsPath: "/metrics",
		Metrics:     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ours 1") }),
		Probe:       http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "one of", r.URL.RawQuery) }),
		Status:      http.NotFoundHandler(),
		Reload:      func(context.Context) error { return nil },
		Pprof:       true,
		Web:         flags(t, "", "127.0.0.1:0"),

		MaxConnections: 512,
	}
	for _, change := range changes {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs the server until the test ends, and waits until it listens.
func run(t *testing.T, s *Server) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	r := &running{Server: s, log: newLogged(), end: cancel, ended: ended}
	s.config.Logger = log.NewLogfmtLogger(log.NewSyncWriter(r.log))
	s.config.Slog = slog.New(slog.NewTextHandler(r.log, nil))
	go func() {
		defer close(ended)
		r.err = s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		r.await(t)
	})
	line := r.log.await(t, "LS is ") // TLS is enabled, TLS is disabled
	r.address = regexp.MustCompile(`address=(\S+)`).FindStringSubmatch(line)[1]
	return r
}

// await waits until Run has returned, and wants it to have done so cleanly.
func (r *running) await(t *testing.T) {
	t.Helper()
	select {
	case <-r.ended:
		if r.err != nil {
			t.Errorf("Run returned %v", r.err)
		}
	case <-time.After(testTimeout):
		t.Fatalf("Run does not return:\n%s", r.log)
	}
}

// flags returns flags with a web.config.file of this text, or none.
func flags(t *testing.T, webConfig string, addresses ...string) *web.FlagConfig {
	t.Helper()
	file := ""
	if webConfig != "" {
		file = filepath.Join(t.TempDir(), "web.yml")
		if err := os.WriteFile(file, []byte(webConfig), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &web.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: new(bool), WebConfigFile: &file}
}

// newClient returns a client with its own connections, which follows no redirects.
func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: testTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends a request without a body. It returns the response and its body.
func ask(t *testing.T, c *http.Client, method, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// dial returns a connection for the time of the test, which waits no longer than that.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// statusLine reads the first line of an answer, and returns what comes after it, too.
func statusLine(t *testing.T, conn io.Reader) (string, *bufio.Reader) {
	t.Helper()
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), r
}

// isTimeout reports whether a test's own time limit has passed.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
