package binarytest

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Program is the exporter while it listens.
type Program struct {
	Address string // on which it listens
	Process *os.Process

	command *exec.Cmd
	stderr  io.Reader    // nil when the log goes elsewhere
	log     bytes.Buffer // what was read of stderr
	client  http.Client
}

// Start starts a Command, and waits until it listens. It is killed at the end of the
// test, unless it has ended.
func Start(t testing.TB, c *exec.Cmd) *Program {
	t.Helper()
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := newProgram(t, c)
	p.stderr = stderr
	for lines := bufio.NewScanner(io.TeeReader(stderr, &p.log)); p.Address == "" && lines.Scan(); {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			p.Address = m[1]
		}
	}
	if p.Address == "" {
		t.Fatalf("it does not listen:\n%s", &p.log)
	}
	return p
}

// StartAt starts a Command that listens on an address and has its own Stderr, and waits
// until it is ready.
func StartAt(t testing.TB, c *exec.Cmd, address string) *Program {
	t.Helper()
	p := newProgram(t, c)
	p.Address = address
	late := time.After(30 * time.Second)
	for {
		resp, err := p.client.Get(p.URL("/-/ready"))
		if err == nil {
			_ = resp.Body.Close()
			return p
		}
		select {
		case <-late:
			t.Fatalf("it is not ready: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func newProgram(t testing.TB, c *exec.Cmd) *Program {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return &Program{Process: c.Process, command: c, client: http.Client{Transport: transport}}
}

// listening is how the log says on which address the program listens, in both formats.
var listening = regexp.MustCompile(`(?:msg="Listening on" address=|"address":")([^\s"]+)`)

// URL returns that of a path.
func (p *Program) URL(path string) string { return "http://" + p.Address + path }

// Do sends a request without a body, and returns the status and the body of the answer.
func (p *Program) Do(t testing.TB, method, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL(path), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// Metrics scrapes, and returns the text of the metrics.
func (p *Program) Metrics(t testing.TB) string {
	t.Helper()
	status, body := p.Do(t, http.MethodGet, "/metrics")
	if status != http.StatusOK {
		t.Fatalf("GET /metrics: %d %s", status, body)
	}
	return body
}

// CloseIdleConnections closes those of Do that nobody uses.
func (p *Program) CloseIdleConnections() { p.client.CloseIdleConnections() }

// Signal sends a signal.
func (p *Program) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the program with SIGTERM, and returns its log.
func (p *Program) Stop(t testing.TB) (log string) {
	t.Helper()
	p.Signal(t, syscall.SIGTERM)
	return p.Wait(t)
}

// Wait waits until the program has ended, and returns its whole log. It must end with 0
// and without a secret in the log.
func (p *Program) Wait(t testing.TB) (log string) {
	t.Helper()
	p.CloseIdleConnections()
	if p.stderr != nil {
		_, _ = io.Copy(&p.log, p.stderr)
	}
	if err := p.command.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, &p.log)
	}
	if strings.Contains(p.log.String(), Secret) {
		t.Errorf("a secret is logged:\n%s", &p.log)
	}
	return p.log.String()
}
