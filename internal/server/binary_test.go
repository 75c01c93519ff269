package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
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

// TestASocketOfSystemd passes a socket as systemd does.
func TestASocketOfSystemd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	// The addresses are not for it.
	program := binarytest.Command(ctx, t, "--demo", "--web.systemd-socket", "--web.listen-address=127.0.0.1:1", "--web.listen-address=127.0.0.1:2")
	c := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"`}, program.Args...)...)
	c.Env = program.Env
	c.ExtraFiles = []*os.File{socket} // number 3, as systemd's
	p := binarytest.Start(t, c)
	if p.Address != listener.Addr().String() {
		t.Errorf("it listens on %s, want %s", p.Address, listener.Addr())
	}
	if status, body := p.Do(t, http.MethodGet, "/-/ready"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
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
