package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestCtrlCEndsTheDemo starts `make demo-stack` in a terminal, as a visitor does. Ctrl-C ends
// it with status 0, and with no complaint of make.
func TestCtrlCEndsTheDemo(t *testing.T) {
	t.Parallel()
	keyboard, screen := openTerminal(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	demo := exec.CommandContext(ctx, "make", "demo-stack")
	demo.Dir, demo.Stdin, demo.Stdout, demo.Stderr = "..", screen, screen, screen
	demo.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	if err := screen.Close(); err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	lines := bufio.NewScanner(keyboard)
	for lines.Scan() { // until the terminal is closed, for all of its programs have ended
		fmt.Fprintln(&shown, lines.Text())
		if strings.Contains(lines.Text(), "Press Ctrl-C") {
			if _, err := keyboard.WriteString("\x03"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := demo.Wait(); err != nil || strings.Contains(shown.String(), "***") {
		t.Errorf("make demo-stack after Ctrl-C: %v, want status 0 and no complaint:\n%s", err, shown.String())
	}
}

// openTerminal returns both ends of a pseudo-terminal: the person's and the program's.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, program
}
