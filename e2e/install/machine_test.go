package install

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// debian is a folder with a Debian, which nobody changes, and the packages under test.
type debian struct{ root, dist, next string }

// machine is a Debian that systemd has booted. It shares the network with the test.
type machine struct {
	leader string          // the process id of its systemd
	ctx    context.Context // of what runs in it
}

// bounded returns a context that ends a minute before go test would, which stops no
// programs: what is booted is shut down in that minute.
func bounded(t *testing.T) context.Context {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		return context.Background()
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline.Add(-time.Minute))
	t.Cleanup(cancel)
	return ctx
}

// container returns the command line of a container that forgets what is written. In it,
// /dist has the packages and /next those of the next version.
func (d debian) container(args ...string) []string {
	all := []string{
		"--quiet", "--directory=" + d.root, "--volatile=overlay", "--link-journal=no", "--register=no",
		"--machine=packages-" + strconv.FormatInt(time.Now().UnixNano(), 36),
		"--bind-ro=" + d.dist + ":/dist", "--bind-ro=" + d.next + ":/next", "--console=pipe",
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		all = append(all, "--keep-unit") // nobody is here who could make one
	}
	return append(all, args...)
}

// script runs a shell script in a container in which no systemd runs.
func (d debian) script(t *testing.T, text string) {
	t.Helper()
	c := exec.CommandContext(bounded(t), "systemd-nspawn", d.container("sh", "-euxc", text)...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// boot boots a machine for the time of the test, and returns when it is up.
func (d debian) boot(t *testing.T) machine {
	t.Helper()
	dir := t.TempDir()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	console, err := os.Create(filepath.Join(dir, "console"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = console.Close() })

	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, "systemd-nspawn", d.container("--boot", "--notify-ready=yes")...)
	c.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket.LocalAddr().String(), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1")
	c.Stdout, c.Stderr = console, console
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) } // which shuts it down
	c.WaitDelay = 10 * time.Second
	if err := c.Start(); err != nil {
		cancel()
		t.Fatalf("%v: apt-get install systemd-container", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait()
		_ = socket.Close() // nobody will write to it
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	leader, err := waitForBoot(socket)
	if err != nil {
		text, _ := os.ReadFile(console.Name())
		t.Fatalf("%v\n%s", err, text)
	}
	return machine{leader, bounded(t)}
}

// waitForBoot reads what systemd-nspawn says about the machine, until that is up.
func waitForBoot(socket *net.UnixConn) (leader string, err error) {
	if err := socket.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", err
	}
	buffer := make([]byte, 4096)
	for {
		n, err := socket.Read(buffer)
		if err != nil {
			return "", fmt.Errorf("waiting for the machine: %w", err)
		}
		for line := range strings.SplitSeq(string(buffer[:n]), "\n") {
			if pid, ok := strings.CutPrefix(line, "X_NSPAWN_LEADER_PID="); ok {
				leader = pid
			}
			if line == "READY=1" && leader != "" {
				return leader, nil
			}
		}
	}
}

// try runs a shell script in the machine, and returns what it printed.
func (m machine) try(script string) (string, error) {
	c := exec.CommandContext(m.ctx, "nsenter", "--target="+m.leader, "--mount", "--uts", "--ipc", "--pid", "--", "/bin/sh", "-euc", script)
	c.WaitDelay = time.Second // the shell itself ends with the machine
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "SYSTEMD_PAGER=cat"}
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// run does the same for one that has to succeed.
func (m machine) run(t *testing.T, script string) string {
	t.Helper()
	out, err := m.try(script)
	if err != nil {
		t.Fatalf("%s\n%v\n%s", script, err, out)
	}
	return out
}

// is holds what a script prints.
func (m machine) is(t *testing.T, script, want string) {
	t.Helper()
	if got, err := m.try(script); got != want {
		t.Errorf("%s printed %q (%v), want %q", script, got, err, want)
	}
}

// write writes a file, whose owner and mode stay.
func (m machine) write(t *testing.T, path, text string) {
	t.Helper()
	m.run(t, "cat >"+path+" <<'EOF'\n"+text+"\nEOF")
}

// until waits until something is so.
func (m machine) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	for !is() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-late:
			log, err := m.try("systemctl status --lines=30 " + unit)
			t.Fatalf("it is not so that %s:\n%s", what, errors.Join(errors.New(log), err))
		}
	}
}
