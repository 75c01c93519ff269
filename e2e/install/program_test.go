package install

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// output runs a program in a folder and returns what it has printed to standard output,
// without white space around it. It must end with 0.
func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, &stdout, &stderr)
	}
	return strings.TrimSpace(stdout.String())
}

// fails runs a program that must not end with 0, and returns all that it has printed.
func fails(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err == nil {
		t.Errorf("%s %s: ended with 0\n%s", name, strings.Join(args, " "), out)
	}
	return string(out)
}

// clone returns a folder with a clean clone of what is committed.
func clone(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	output(t, root, "git", "clone", "--quiet", ".", dir)
	return dir
}

// read returns the bytes of a file.
func read(t *testing.T, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// cleanup runs a program after the test, whatever it answers.
func cleanup(t *testing.T, name string, args ...string) {
	t.Cleanup(func() { _ = exec.CommandContext(context.Background(), name, args...).Run() })
}
