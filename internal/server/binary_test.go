package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// TestPort0 holds that the log says which port the system gave, and that a health check
// with the same flags, which cannot know it, fails with a sentence.
func TestPort0(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	const any = "--web.listen-address=127.0.0.1:0"
	p := binarytest.Start(t, binarytest.Command(ctx, t, "--demo", any))
	if _, port, err := net.SplitHostPort(p.Address); err != nil || port == "0" {
		t.Errorf("it says that it listens on %s: %v", p.Address, err)
	}
	if status, body := p.Do(t, http.MethodGet, "/-/ready"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	out, err := binarytest.Command(ctx, t, "--health-check", any).CombinedOutput()
	if err == nil || !strings.HasPrefix(string(out), "checking health at 127.0.0.1:0: ") || strings.Count(string(out), "\n") != 1 {
		t.Errorf("--health-check: %v\n%s", err, out)
	}
}

// withSockets returns the program with these sockets, which it gets as systemd passes them.
func withSockets(ctx context.Context, t *testing.T, sockets []*os.File, args ...string) *exec.Cmd {
	t.Helper()
	program := binarytest.Command(ctx, t, append(args, "--web.systemd-socket")...)
	c := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`}, program.Args...)...)
	c.Env = slices.Concat(program.Env, []string{fmt.Sprintf("LISTEN_FDS=%d", len(sockets))})
	c.ExtraFiles = sockets // from number 3 on, as systemd's
	return c
}

// TestASocketOfSystemd passes a socket as systemd does.
func TestASocketOfSystemd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	// The addresses are not for it.
	p := binarytest.Start(t, withSockets(ctx, t, []*os.File{fileOf(t, listener)}, "--demo", "--web.listen-address=127.0.0.1:1", "--web.listen-address=127.0.0.1:2"))
	if p.Address != listener.Addr().String() {
		t.Errorf("it listens on %s, want %s", p.Address, listener.Addr())
	}
	if status, body := p.Do(t, http.MethodGet, "/-/ready"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

// fileOf returns a file of a listener or connection.
func fileOf(t *testing.T, socket any) *os.File {
	t.Helper()
	file, err := socket.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// TestAStartThatCannotListen ends with one sentence, and without a stack.
func TestAStartThatCannotListen(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	datagram, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer datagram.Close()
	connection, err := net.Dial("tcp", stream.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	at := func(address string) *exec.Cmd {
		return binarytest.Command(ctx, t, "--demo", "--web.listen-address="+address)
	}
	of := func(sockets ...*os.File) *exec.Cmd { return withSockets(ctx, t, sockets, "--demo") }
	for name, c := range map[string]struct {
		command *exec.Cmd
		want    string // after "serving: "
	}{
		"a port that is taken":         {at(stream.Addr().String()), "listen tcp " + stream.Addr().String() + ": bind: address already in use"},
		"an address of nobody here":    {at("192.0.2.1:10120"), "listen tcp 192.0.2.1:10120: bind: cannot assign requested address"},
		"a port that does not exist":   {at(":99999"), "listen tcp: address 99999: invalid port"},
		"a vsock without a port":       {at("vsock://:"), "listen address vsock://:: must have the form vsock://:10120"},
		"no socket of systemd":         {of(), "systemd passed no socket; --web.systemd-socket requires a socket unit"},
		"a datagram socket":            {of(fileOf(t, datagram)), "socket 1 from systemd, LISTEN_FD_3, is not a listening stream socket (ListenStream=): "},
		"the second one is a datagram": {of(fileOf(t, stream), fileOf(t, datagram)), "socket 2 from systemd, LISTEN_FD_4, is not a listening stream socket"},
		"a connection":                 {of(fileOf(t, connection)), "socket 1 from systemd, LISTEN_FD_3, is not a listening stream socket (ListenStream=): it is not listening; Accept=yes is not supported"},
		"a file":                       {of(file), "socket 1 from systemd, LISTEN_FD_3, is not a listening stream socket (ListenStream=): "},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			c.command.Stderr = &stderr
			_ = c.command.Run()
			lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
			if got := c.command.ProcessState.ExitCode(); got != 1 {
				t.Errorf("exit status %d, want 1", got)
			}
			if last := lines[len(lines)-1]; !strings.HasPrefix(last, "serving: "+c.want) {
				t.Errorf("it says %q, want serving: %s", last, c.want)
			}
			for _, line := range lines[:len(lines)-1] {
				if !strings.HasPrefix(line, "level=") {
					t.Errorf("this is more than one sentence:\n%s", &stderr)
				}
			}
		})
	}
}

// TestASecondSignalEndsItAtOnce has a scrape in flight, for which the first one waits.
func TestASecondSignalEndsItAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	asked := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer api.Close()
	file := binarytest.ConfigFile(t, binarytest.Target("a", api.URL, lookuptest.ID(1)))
	c := binarytest.WithCredentials(binarytest.Command(ctx, t, "--config.file="+file, "--web.listen-address=127.0.0.1:0"))
	p := binarytest.Start(t, c)
	go func() {
		if resp, err := http.Get(p.URL("/metrics")); err == nil {
			resp.Body.Close()
		}
	}()
	<-asked
	p.Signal(t, syscall.SIGTERM)
	for status := http.StatusOK; status != http.StatusServiceUnavailable; {
		status, _ = p.Do(t, http.MethodGet, "/-/ready")
	}
	told := time.Now()
	p.Signal(t, syscall.SIGTERM)
	_ = c.Wait()
	if got := c.ProcessState.Sys().(syscall.WaitStatus); !got.Signaled() || time.Since(told) > 5*time.Second {
		t.Errorf("it ended with %s after %s", c.ProcessState, time.Since(told))
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestAShutdownLetsScrapesEnd sends each signal while a scrape waits for an API that
// takes its time.
func TestAShutdownLetsScrapesEnd(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(sig.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			id := lookuptest.ID(1)
			asked, answer := make(chan struct{}), make(chan struct{})
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				close(asked)
				<-answer
				fmt.Fprintf(w, `{"workflowExecutionId":%q,"status":"RUNNING"}`, id)
			}))
			defer api.Close()
			file := binarytest.ConfigFile(t, binarytest.Target("a", api.URL, id))
			p := binarytest.Start(t, binarytest.WithCredentials(binarytest.Command(ctx, t, "--config.file="+file, "--web.listen-address=127.0.0.1:0")))
			inFlight := make(chan string)
			go func() {
				resp, err := http.Get(p.URL("/metrics"))
				if err != nil {
					inFlight <- err.Error()
					return
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				inFlight <- resp.Status + string(body)
			}()
			<-asked
			p.Signal(t, sig)
			for status := http.StatusOK; status != http.StatusServiceUnavailable; {
				status, _ = p.Do(t, http.MethodGet, "/-/ready")
			}
			if status, body := p.Do(t, http.MethodGet, "/metrics"); status != http.StatusServiceUnavailable {
				t.Errorf("a new scrape gets %d %s", status, body)
			}
			close(answer)
			if got := <-inFlight; !strings.HasPrefix(got, "200 OK") || !strings.Contains(got, `imagebuilder_up{region="eu-west-1",target="a"} 1`) {
				t.Errorf("the scrape in flight got %s", got)
			}
			http.DefaultClient.CloseIdleConnections()
			p.Wait(t)
		})
	}
}
