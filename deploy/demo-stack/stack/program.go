package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Program is one that runs and serves HTTP.
type Program struct {
	URL string // without a slash at the end

	name   string
	log    string // the file
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
	err    error         // why; to be read after done
}

// readyTimeout is how long a program may take until it is ready.
const readyTimeout = 30 * time.Second

// Run starts a program that writes its log into dir, and waits until ready, a path,
// answers 200.
func Run(ctx context.Context, dir, address, ready string, c *exec.Cmd) (*Program, error) {
	p := &Program{URL: "http://" + address, name: filepath.Base(c.Path), done: make(chan struct{})}
	ctx, p.cancel = context.WithCancel(ctx)
	log, err := os.CreateTemp(dir, p.name+"-*.log")
	if err != nil {
		return nil, err
	}
	p.log = log.Name()
	run := exec.CommandContext(ctx, c.Path, c.Args[1:]...)
	run.Env, run.Dir, run.Stdout, run.Stderr = c.Env, dir, log, log
	run.Cancel = func() error { return run.Process.Signal(syscall.SIGTERM) }
	run.WaitDelay = 10 * time.Second
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C in a terminal ends who started it, which ends it then
	if err := run.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		p.err = errors.Join(run.Wait(), log.Close())
	}()
	if err := p.waitFor(ctx, ready); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// waitFor waits until the path answers 200.
func (p *Program) waitFor(ctx context.Context, path string) error {
	late := time.After(readyTimeout)
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+path, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(r); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return fmt.Errorf("%s exited before it was ready (%w):\n%s", p.name, errors.Join(p.err, errEnded), p.Log())
		case <-late:
			return fmt.Errorf("%s was not ready after %s:\n%s", p.name, readyTimeout, p.Log())
		}
	}
}

var errEnded = errors.New("ended")

// Stop ends the program and returns when it has ended.
func (p *Program) Stop() {
	p.cancel()
	<-p.done
}

// Done is closed when the program has ended.
func (p *Program) Done() <-chan struct{} { return p.done }

// Log returns the last lines of its log.
func (p *Program) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// addresses is how many FreeAddress has tried.
var addresses atomic.Int32

// FreeAddress returns an address on loopback where nobody listens, not even while what
// listens there restarts: ports below the system's own range are given to no connection.
func FreeAddress() (address string, err error) {
	for range 1000 {
		port := 20000 + (os.Getpid()*100+int(addresses.Add(1)))%12000 // other processes begin elsewhere
		address = fmt.Sprintf("127.0.0.1:%d", port)
		var l net.Listener
		if l, err = net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", err
}

// Find returns the program that is named or, when that is empty, the first of others that
// there is: names on PATH, or paths.
func Find(named string, others ...string) (string, error) {
	if named != "" {
		others = []string{named}
	}
	for _, o := range others {
		if path, err := exec.LookPath(o); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("%s not found", strings.Join(others, " or "))
}
