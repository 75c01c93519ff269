package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-kit/log"
)

// slow is a page of metrics that says when a scrape has begun, and goes on when it may.
type slow struct {
	begun, goOn chan struct{}
	endsEarly   bool // whether it ends with the request's context
}

func newSlow() *slow { return &slow{begun: make(chan struct{}, 10), goOn: make(chan struct{})} }

func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.begun <- struct{}{}
	var told <-chan struct{}
	if s.endsEarly {
		told = r.Context().Done()
	}
	select {
	case <-s.goOn:
		fmt.Fprint(w, "all of it")
	case <-told:
		fmt.Fprint(w, "what is known")
	}
}

// get scrapes in the background. The answer is its status and body, or an error.
func get(c *http.Client, url string) <-chan string {
	answer := make(chan string, 1)
	go func() {
		resp, err := c.Get(url)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		answer <- fmt.Sprint(resp.StatusCode, " ", string(body), " ", err)
	}()
	return answer
}

func TestADrainLetsScrapesEnd(t *testing.T) {
	a := newAuthority(t)
	t.Run("plain", func(t *testing.T) {
		testDrain(t, "", "http://", func() *http.Client { return newClient(t) })
	})
	t.Run("HTTP/2", func(t *testing.T) {
		c := a.newClient(true) // with one connection
		testDrain(t, a.webConfig(""), "https://", func() *http.Client { return c })
	})
	t.Run("HTTP/2, new connections", func(t *testing.T) {
		testDrain(t, a.webConfig(""), "https://", func() *http.Client { return a.newClient(true) })
	})
}

// testDrain drains with two scrapes in flight. Each request has its client.
func testDrain(t *testing.T, webConfig, scheme string, client func() *http.Client) {
	t.Helper()
	metrics := newSlow()
	reloads := 0
	r := start(t, webConfig, func(s *Server) {
		s.config.Metrics = metrics
		s.config.Reload = func(context.Context) error { reloads++; return nil }
		s.limits.grace, s.limits.drain, s.limits.flush = time.Hour, time.Hour, time.Hour
		// The answer of a scrape is still to be sent when it has ended.
		inner := s.handler
		s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(w, r)
			<-time.After(20 * time.Millisecond)
		})
	})
	url := scheme + r.address
	if resp, body := ask(t, client(), "GET", url+"/-/ready"); resp.StatusCode != http.StatusOK || body != "Ready\n" {
		t.Errorf("ready before: %d %s", resp.StatusCode, body)
	}
	answers := []<-chan string{get(client(), url+"/metrics"), get(client(), url+"/metrics")}
	<-metrics.begun
	<-metrics.begun
	r.end()
	if line := r.log.await(t, "shutting down"); !strings.Contains(line, "level=info") || !strings.Contains(line, "bound=1h0m0s") {
		t.Errorf("logged: %s", line)
	}
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/-/ready", 503, "Shutting down\n"},
		{"HEAD", "/-/ready", 503, ""},
		{"GET", "/metrics", 503, "Shutting down\n"},
		{"GET", "/probe", 503, "Shutting down\n"},
		{"POST", "/-/reload", 503, "Shutting down\n"},
		{"GET", "/-/healthy", 200, "Healthy\n"},
	} {
		resp, body := ask(t, client(), c.method, url+c.path)
		if resp.StatusCode != c.status || body != c.body {
			t.Errorf("%s %s while draining: %d %q, want %d %q", c.method, c.path, resp.StatusCode, body, c.status, c.body)
		}
	}
	if reloads != 0 {
		t.Error("it reloads while it drains")
	}
	select {
	case <-r.ended:
		t.Fatal("it ended before the scrapes")
	default:
	}
	close(metrics.goOn)
	for _, answer := range answers {
		if got := <-answer; got != "200 all of it <nil>" {
			t.Errorf("a scrape in flight got %s", got)
		}
	}
	r.await(t)
	if _, err := client().Get(url); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after the end: %v", err)
	}
	if strings.Contains(r.log.String(), "cut off") {
		t.Errorf("nothing was cut off, but the log says so:\n%s", r.log)
	}
}

// TestADrainServesScrapes has a time for which scrapes go on, which ends when the test says so.
func TestADrainServesScrapes(t *testing.T) {
	over := make(chan time.Time)
	r := start(t, "", func(s *Server) {
		s.config.Drain = 45 * time.Second
		s.after = func(d time.Duration) <-chan time.Time {
			if d != 45*time.Second {
				t.Errorf("it drains for %s, want 45s", d)
			}
			return over
		}
		s.config.SD = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "[]") })
		mux, err := s.newMux()
		if err != nil {
			t.Fatal(err)
		}
		s.handler = mux
	})
	url := "http://" + r.address
	r.end()
	if line := r.log.await(t, "draining"); !strings.Contains(line, "level=info") || !strings.Contains(line, "for=45s") {
		t.Errorf("logged: %s", line)
	}
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/-/ready", 503, "Shutting down\n"},
		{"POST", "/-/reload", 503, "Shutting down\n"},
		{"GET", "/-/healthy", 200, "Healthy\n"},
		{"GET", "/metrics", 200, "ours 1\n"},
		{"GET", "/probe", 200, "one of \n"},
		{"GET", "/sd", 200, "[]\n"},
	} {
		resp, body := ask(t, newClient(t), c.method, url+c.path)
		if resp.StatusCode != c.status || body != c.body {
			t.Errorf("%s %s while it drains: %d %q, want %d %q", c.method, c.path, resp.StatusCode, body, c.status, c.body)
		}
	}
	if strings.Contains(r.log.String(), "shutting down") {
		t.Errorf("it shuts down too early:\n%s", r.log)
	}
	over <- time.Now()
	r.await(t)
	r.log.await(t, "shutting down")
}

func TestADrainHurriesScrapes(t *testing.T) {
	metrics := newSlow()
	metrics.endsEarly = true
	r := start(t, "", func(s *Server) {
		s.config.Metrics = metrics
		s.limits.grace, s.limits.drain = 50*time.Millisecond, time.Hour
	})
	answer := get(newClient(t), "http://"+r.address+"/metrics")
	<-metrics.begun
	r.end()
	if got := <-answer; got != "200 what is known <nil>" {
		t.Errorf("got %s", got)
	}
	r.await(t)
	if strings.Contains(r.log.String(), "cut off") {
		t.Errorf("nothing was cut off, but the log says so:\n%s", r.log)
	}
}

func TestADrainCutsOffScrapes(t *testing.T) {
	metrics := newSlow()
	defer close(metrics.goOn)
	r := start(t, "", func(s *Server) {
		s.config.Metrics = metrics
		s.limits.grace, s.limits.drain = 10*time.Millisecond, 50*time.Millisecond
	})
	answer := get(newClient(t), "http://"+r.address+"/metrics")
	<-metrics.begun
	r.end()
	r.await(t)
	if got := <-answer; !strings.Contains(got, "EOF") {
		t.Errorf("the scrape got %s", got)
	}
	if line := r.log.await(t, "cut off"); !strings.Contains(line, "level=warn") || !strings.Contains(line, "scrapes=1") {
		t.Errorf("logged: %s", line)
	}
}

// TestNothingElseDelaysTheEnd has connections that wait for their next request, and a
// page that takes its time.
func TestNothingElseDelaysTheEnd(t *testing.T) {
	r := start(t, "", func(s *Server) {
		s.limits.grace, s.limits.drain, s.limits.flush = time.Hour, time.Hour, time.Hour
	})
	for range 20 {
		ask(t, newClient(t), "GET", "http://"+r.address+"/metrics")
	}
	r.end()
	r.await(t)

	reloading := make(chan struct{})
	r = start(t, "", func(s *Server) {
		s.limits.grace, s.limits.drain, s.limits.flush = time.Hour, time.Hour, 50*time.Millisecond
		s.config.Reload = func(ctx context.Context) error {
			close(reloading)
			<-ctx.Done()
			return context.Cause(ctx)
		}
	})
	dial(t, r.address) // asks for nothing
	resp, err := newClient(t).Get("http://" + r.address + "/debug/pprof/trace?seconds=600")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	c, told := newClient(t), make(chan string, 1)
	go func() {
		resp, err := c.Post("http://"+r.address+"/-/reload", "", http.NoBody)
		if err != nil {
			told <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		told <- fmt.Sprint(resp.StatusCode, " ", string(body), " ", err)
	}()
	<-reloading
	r.end()
	r.await(t)
	if got := <-told; got != "503 Shutting down\n <nil>" {
		t.Errorf("who waits for a reload gets %s", got)
	}
}

func TestRunWithAContextThatHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newServer(t, func(c *Config) { c.Logger, c.Slog = log.NewNopLogger(), slog.New(slog.DiscardHandler) })
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
}

// TestTheDefaultBounds keeps the limits in an order that makes sense. Of the 15 s that a
// shutdown may take, main and the log need two.
func TestTheDefaultBounds(t *testing.T) {
	if l := defaultLimits; l.grace >= l.drain || l.drain != 13*time.Second || l.grace+l.flush > l.drain || l.reload >= l.write {
		t.Errorf("got %+v", l)
	}
}

// TestTheDocumentedLimits holds docs/operations.md against the limits of clients.
func TestTheDocumentedLimits(t *testing.T) {
	doc, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	l, h := defaultLimits, defaultLimits.newHTTPServer(nil, nil)
	for row, want := range map[string]string{
		"time for a request to arrive, the TLS handshake included": fmt.Sprintf("%g s", l.read.Seconds()),
		"header of a request": fmt.Sprintf("%d KiB", h.MaxHeaderBytes>>10),
		"time to read the answer of `/metrics` or `/probe`, once it is complete": fmt.Sprintf("%g s", answerTime.Seconds()),
		"time for any other page to be made and read":                            fmt.Sprintf("%g s", l.write.Seconds()),
		"time for `/-/reload`":                       fmt.Sprintf("%g s", l.reload.Seconds()),
		"time between two requests":                  fmt.Sprintf("%g s", h.IdleTimeout.Seconds()),
		"requests at a time in an HTTP/2 connection": fmt.Sprint(h.HTTP2.MaxConcurrentStreams),
	} {
		if !strings.Contains(string(doc), "\n| "+row+" | "+want+" |") {
			t.Errorf("it does not say that %s is %s", row, want)
		}
	}
	if want := fmt.Sprintf("of more than %d such clients", mostAnswers); !strings.Contains(string(doc), want) {
		t.Errorf("it does not say %s", want)
	}
}
