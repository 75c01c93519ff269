package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// short makes the time limits of clients short.
func short(s *Server) {
	s.limits.read, s.limits.write, s.limits.idle = 250*time.Millisecond, 500*time.Millisecond, 250*time.Millisecond
	s.limits.reload = 400 * time.Millisecond
}

// TestSlowHeaders sends a header that never ends, and waits to be cut off.
func TestSlowHeaders(t *testing.T) {
	a := newAuthority(t)
	for name, r := range map[string]*running{"plain": start(t, "", short), "TLS": start(t, a.webConfig(""), short)} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, r.address)
			gone := make(chan error, 1)
			go func() {
				_, err := io.Copy(io.Discard, conn)
				gone <- err
			}()
			fmt.Fprint(conn, "GET /metrics HTTP/1.1\r\n")
			for {
				select {
				case err := <-gone:
					if isTimeout(err) {
						t.Errorf("it was not cut off")
					}
					return
				case <-time.After(5 * time.Millisecond):
					fmt.Fprint(conn, "X: y\r\n")
				}
			}
		})
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	r := start(t, "", short)
	for _, text := range []string{"", "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"} {
		conn := dial(t, r.address)
		fmt.Fprint(conn, text)
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("after %q: %v", text, err)
		}
	}
}

func TestHugeHeaders(t *testing.T) {
	r := start(t, "")
	for size, want := range map[int]string{8 << 10: "HTTP/1.1 200 OK", 64 << 10: "HTTP/1.1 431 Request Header Fields Too Large"} {
		conn := dial(t, r.address)
		fmt.Fprintf(conn, "GET /metrics HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", size))
		if line, _ := statusLine(t, conn); line != want {
			t.Errorf("%d bytes: got %s, want %s", size, line, want)
		}
	}
}

// TestSlowBodies has bodies that never end. Who has the password is answered at once,
// and either way the connection is closed.
func TestSlowBodies(t *testing.T) {
	open, closed := start(t, "", short), start(t, users(t), short)
	withTime := start(t, "", func(s *Server) { s.limits.read = time.Hour })
	for _, c := range []struct {
		name, request, status string
		server                *running
		atOnce                bool // only the answer is waited for
	}{
		{"metrics", "GET /metrics", "HTTP/1.1 200 OK", open, false},
		{"healthy", "GET /-/healthy", "HTTP/1.1 200 OK", open, false},
		{"reload", "POST /-/reload", "HTTP/1.1 200 OK", open, false},
		{"no page", "POST /nonsense", "HTTP/1.1 404 Not Found", open, false},
		{"no password", "POST /-/reload", "HTTP/1.1 401 Unauthorized", closed, false},
		{"at once", "GET /metrics", "HTTP/1.1 200 OK", withTime, true},
		{"reload at once", "POST /-/reload", "HTTP/1.1 200 OK", withTime, true},
	} {
		for _, length := range []string{"Content-Length: 10\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\n1\r\nx"} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				conn := dial(t, c.server.address)
				fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: x\r\n%s", c.request, length)
				line, rest := statusLine(t, conn)
				if line != c.status {
					t.Errorf("got %s, want %s", line, c.status)
				}
				if c.atOnce {
					return
				}
				ask(t, newClient(t), "GET", "http://"+c.server.address+"/metrics")
				if _, err := io.Copy(io.Discard, rest); isTimeout(err) {
					t.Error("it was not cut off")
				}
			})
		}
	}
}

func TestIdleConnectionsHoldUpNothing(t *testing.T) {
	r := start(t, "")
	for range 500 {
		dial(t, r.address)
	}
	if _, body := ask(t, newClient(t), "GET", "http://"+r.address+"/metrics"); body != "ours 1\n" {
		t.Errorf("got %q", body)
	}
}

// TestMoreConnectionsWait fills the limit over two listeners: the next connection is served
// once another one is closed.
func TestMoreConnectionsWait(t *testing.T) {
	r := run(t, newServer(t, func(c *Config) {
		c.MaxConnections, c.Web = 2, flags(t, "", "127.0.0.1:0", "127.0.0.2:0")
	}))
	r.log.await(t, "TLS is disabled.\" http2=false address=127.0.0.1:")
	_, second, _ := strings.Cut(strings.TrimSpace(r.log.await(t, "TLS is disabled.\" http2=false address=127.0.0.2:")), "address=")
	const request = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
	var open []net.Conn
	for _, address := range []string{r.address, second} {
		conn := dial(t, address)
		fmt.Fprint(conn, request)
		if line, _ := statusLine(t, conn); line != "HTTP/1.1 200 OK" {
			t.Errorf("%s: got %s", address, line)
		}
		open = append(open, conn)
	}
	waiting := dial(t, r.address)
	fmt.Fprint(waiting, request)
	if err := waiting.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := waiting.Read(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("the third connection is served: %v", err)
	}
	open[1].Close()
	if err := waiting.SetReadDeadline(time.Now().Add(testTimeout)); err != nil {
		t.Fatal(err)
	}
	if line, _ := statusLine(t, waiting); line != "HTTP/1.1 200 OK" {
		t.Errorf("when another one is closed: got %s", line)
	}
	dial(t, r.address) // waits, and holds up nothing when the server ends
}

// TestLongScrapes has a scrape that takes longer than all limits: it is answered, and
// its context does not end. Another page is cut off, and who waits for a reload is told.
func TestLongScrapes(t *testing.T) {
	a := newAuthority(t)
	long := func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(1300 * time.Millisecond):
			return nil
		}
	}
	change := func(s *Server) {
		short(s)
		s.limits.write = time.Second
		s.config.Reload = long
		s.config.Metrics = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, long(r.Context())) })
		inner := s.handler
		s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/executions" {
				_ = long(r.Context())
			}
			inner.ServeHTTP(w, r)
		})
	}
	plain, secure := start(t, "", change), start(t, a.webConfig(users(t)), change)
	login := "prometheus:" + strings.ReplaceAll(password, " ", "%20") + "@"
	for _, c := range []struct {
		name, url string
		client    *http.Client
	}{
		{"plain", "http://" + plain.address, newClient(t)},
		{"TLS", "https://" + login + secure.address, a.newClient(false)},
		{"HTTP/2", "https://" + login + secure.address, a.newClient(true)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if resp, body := ask(t, c.client, "GET", c.url+"/metrics"); resp.StatusCode != http.StatusOK || body != "<nil>" {
				t.Errorf("a long scrape: %d %q", resp.StatusCode, body)
			}
			want := "The reload did not finish within 400ms; see the log\n"
			if resp, body := ask(t, c.client, "POST", c.url+"/-/reload"); resp.StatusCode != http.StatusServiceUnavailable || body != want {
				t.Errorf("a reload that takes too long: %d %q", resp.StatusCode, body)
			}
			if resp, err := c.client.Get(c.url + "/executions"); err == nil {
				resp.Body.Close()
				t.Errorf("a page that takes too long: %s", resp.Status)
			}
			resp, err := c.client.Get(c.url + "/debug/pprof/heap?seconds=2")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Errorf("a long profile: %v", err)
			}
		})
	}
}

// TestTheMetricsSetTheirWriteDeadline looks whether http.ResponseController works for
// a handler within all that is around it.
func TestTheMetricsSetTheirWriteDeadline(t *testing.T) {
	a := newAuthority(t)
	failed := make(chan error, 1)
	change := func(s *Server) {
		page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			failed <- http.NewResponseController(w).SetWriteDeadline(time.Now().Add(-time.Second))
			fmt.Fprint(w, strings.Repeat("x", 1<<20))
		})
		s.config.Metrics = promhttp.InstrumentMetricHandler(prometheus.NewRegistry(), page)
	}
	plain, secure := start(t, "", change), start(t, a.webConfig(users(t)), change)
	login := "prometheus:" + strings.ReplaceAll(password, " ", "%20") + "@"
	for _, c := range []struct {
		name, url string
		client    *http.Client
	}{
		{"plain", "http://" + plain.address, newClient(t)},
		{"TLS", "https://" + login + secure.address, a.newClient(false)},
		{"HTTP/2", "https://" + login + secure.address, a.newClient(true)},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, err := c.client.Get(c.url + "/metrics")
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			if err == nil || isTimeout(err) {
				t.Errorf("an answer after its deadline: %v", err)
			}
			if err := <-failed; err != nil {
				t.Errorf("setting the deadline: %v", err)
			}
		})
	}
}
