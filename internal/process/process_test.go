package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestAwait(t *testing.T) {
	failed := errors.New("it failed")
	for _, c := range []struct {
		name  string
		takes time.Duration // of it, from the signal on; less than zero for before it
		want  error
		after time.Duration
	}{
		{"it returns before a signal", -time.Second, failed, -time.Second},
		{"it returns soon after it", time.Second, failed, time.Second},
		{"it hangs", time.Hour, ErrHangs, 14 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const served = time.Minute
				ctx, cancel := context.WithTimeout(t.Context(), served)
				defer cancel()
				begun := time.Now()
				err := await(ctx, 14*time.Second, func(context.Context) error {
					<-time.After(served + c.takes)
					return failed
				})
				if after := time.Since(begun) - served; !errors.Is(err, c.want) || after != c.after {
					t.Errorf("got %v after %s, want %v after %s", err, after, c.want, c.after)
				}
				<-time.After(2 * time.Hour) // also what was left behind
			})
		})
	}
}

// TestASecondSignalOnceItEnds runs itself as a program that sends the second signal in the
// moment in which it is told of the first one.
func TestASecondSignalOnceItEnds(t *testing.T) {
	const variable = "PROCESS_TEST_SIGNALS_ITSELF"
	signal := func() { _ = syscall.Kill(os.Getpid(), syscall.SIGTERM) }
	if os.Getenv(variable) != "" {
		_ = Serve(t.Context(), time.Minute, func(ctx context.Context) error {
			signal()
			<-ctx.Done()
			signal()
			select {}
		})
		return
	}
	for range 30 {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=10s")
		c.Env = append(os.Environ(), variable+"=1")
		_ = c.Run()
		if got := c.ProcessState.Sys().(syscall.WaitStatus); !got.Signaled() || got.Signal() != syscall.SIGTERM {
			t.Fatalf("it ended with %s", c.ProcessState)
		}
	}
}

func TestOutput(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	o := NewOutput(file)
	if n, err := o.Write([]byte("text")); n != 4 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if o.WasClosed() {
		t.Error("a file was closed")
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if err := o.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closing fails with %v", err)
	}
}

// TestOutputKeepsTheFirstError prints where nothing can be written.
func TestOutputKeepsTheFirstError(t *testing.T) {
	file, err := os.Open(os.DevNull) // for reading
	if err != nil {
		t.Fatal(err)
	}
	o := NewOutput(file)
	_, first := o.Write([]byte("text"))
	if first == nil {
		t.Fatal("it can be written")
	}
	if n, err := o.Write([]byte("text")); n != 0 || !errors.Is(err, first) {
		t.Errorf("the second time: %d bytes, %v", n, err)
	}
	if n, err := o.Quiet().Write([]byte("text")); n != 4 || err != nil {
		t.Errorf("quietly: %d bytes, %v", n, err)
	}
	if err := o.Close(); !errors.Is(err, first) {
		t.Errorf("Close returns %v, want %v", err, first)
	}
}

func TestWasClosed(t *testing.T) {
	for name, c := range map[string]struct {
		flag int
		want bool
	}{
		"as the runtime opens it": {os.O_RDWR, true},
		"as a shell opens it":     {os.O_WRONLY, false},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := os.OpenFile(os.DevNull, c.flag, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if got := NewOutput(file).WasClosed(); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}
