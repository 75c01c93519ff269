package process_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

// longest is how long a shutdown may take.
const longest = 15 * time.Second

// hang replaces a file by a named pipe that never ends. Who reads it hangs. The channel is
// closed when somebody does.
func hang(t *testing.T, file string) (begun <-chan struct{}) {
	t.Helper()
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(file, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pipe.Close() })
	fill(t, pipe)
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		_, _ = pipe.WriteString("\n") // when there is room again
	}()
	return reading
}

// fill writes to a pipe until it is full.
func fill(t *testing.T, pipe *os.File) {
	t.Helper()
	raw, err := pipe.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	newlines := bytes.Repeat([]byte("\n"), 4096)
	if err := raw.Write(func(fd uintptr) bool {
		for err == nil {
			_, err = syscall.Write(int(fd), newlines)
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EAGAIN) {
		t.Fatal(err)
	}
}

// withAWSConfig makes a file the AWS configuration of c, which the SDK reads for each new target.
func withAWSConfig(c *exec.Cmd, file string) *exec.Cmd {
	c.Env = slices.Concat(binarytest.WithCredentials(c).Env, []string{"AWS_CONFIG_FILE=" + file})
	return c
}

// TestAReloadThatHangsDoesNotHoldUpTheEnd reloads in all ways.
func TestAReloadThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	for name, reload := range map[string]func(t *testing.T, p *binarytest.Program){
		"a signal": func(t *testing.T, p *binarytest.Program) { p.Signal(t, syscall.SIGHUP) },
		"a client": func(_ *testing.T, p *binarytest.Program) {
			go func() {
				if resp, err := http.Post(p.URL("/-/reload"), "", http.NoBody); err == nil {
					resp.Body.Close()
				}
			}()
		},
		"a change of the file": func(*testing.T, *binarytest.Program) {},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			aws := filepath.Join(t.TempDir(), "aws")
			binarytest.WriteFile(t, aws, "")
			const url = "http://127.0.0.1:1"
			file := binarytest.ConfigFile(t, binarytest.Target("a", url, lookuptest.ID(1)))
			args := []string{"--config.file=" + file, "--web.listen-address=127.0.0.1:0"}
			if name == "a change of the file" {
				args = append(args, "--config.auto-reload-interval=1s")
			}
			p := binarytest.Start(t, withAWSConfig(binarytest.Command(ctx, t, args...), aws))
			begun := hang(t, aws)
			binarytest.WriteFile(t, file, binarytest.Config(binarytest.Target("b", url, lookuptest.ID(1))))
			reload(t, p)
			select {
			case <-begun:
			case <-ctx.Done():
				t.Fatal("it does not reload")
			}
			told := time.Now()
			p.Stop(t)
			if took := time.Since(told); took > longest {
				t.Errorf("it ended after %s, want at most %s", took, longest)
			}
			http.DefaultClient.CloseIdleConnections()
		})
	}
}

// TestASignalEndsAStartThatHangs sends it before anything is served.
func TestASignalEndsAStartThatHangs(t *testing.T) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // below nohup, programs started here would inherit that it is ignored
	defer signal.Stop(hangups)
	for name, args := range map[string][]string{
		"serve": {"--web.listen-address=127.0.0.1:0"}, "once": {"--once"},
		"check": {"--config.check"}, "check of AWS": {"--config.check", "--config.check-aws"},
	} {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
			if sig == syscall.SIGHUP && name == "serve" {
				continue // it is to reload
			}
			t.Run(name+", "+sig.String(), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				aws := filepath.Join(t.TempDir(), "aws")
				begun := hang(t, aws)
				file := binarytest.ConfigFile(t, binarytest.Target("a", "http://127.0.0.1:1", lookuptest.ID(1)))
				c := withAWSConfig(binarytest.Command(ctx, t, append(args, "--config.file="+file)...), aws)
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				<-begun
				if err := c.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				told := time.Now()
				_ = c.Wait()
				if got := c.ProcessState.Sys().(syscall.WaitStatus); !got.Signaled() || got.Signal() != sig || time.Since(told) > longest {
					t.Errorf("it ended with %s after %s", c.ProcessState, time.Since(told))
				}
			})
		}
	}
}

// TestOnceDoesNotHang has the same hang, and nobody who sends a signal.
func TestOnceDoesNotHang(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	aws := filepath.Join(t.TempDir(), "aws")
	hang(t, aws)
	file := binarytest.ConfigFile(t, binarytest.Target("a", "http://127.0.0.1:1", lookuptest.ID(1)))
	c := withAWSConfig(binarytest.Command(ctx, t, "--once", "--once.timeout=1s", "--config.file="+file), aws)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Run(); err == nil || !strings.HasSuffix(stderr.String(), "\nthe configuration was not loaded within 1s; raise --once.timeout\n") {
		t.Errorf("%v:\n%s", err, &stderr)
	}
}

// TestAWebConfigurationThatHangs is read when the program begins to serve.
func TestAWebConfigurationThatHangs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	web := filepath.Join(t.TempDir(), "web.yml")
	begun := hang(t, web)
	c := binarytest.Command(ctx, t, "--demo", "--web.listen-address=127.0.0.1:0", "--web.config.file="+web)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	<-begun
	told := time.Now()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil || time.Since(told) > longest/2 { // nobody else has to end
		t.Errorf("it ended with %v after %s", err, time.Since(told))
	}
}

// TestADrainIsNoHang drains for longer than a shutdown may take.
func TestADrainIsNoHang(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p := binarytest.Start(t, binarytest.Command(ctx, t, "--demo", "--web.listen-address=127.0.0.1:0", "--web.drain="+longest.String()))
	told := time.Now()
	if log := p.Stop(t); time.Since(told) < longest || strings.Contains(log, "hangs") {
		t.Errorf("it ended after %s, want at least %s:\n%s", time.Since(told), longest, log)
	}
}
