// Package binarytest builds the exporter and runs it, for tests that use the program as its users do.
// Only tests may import it. Start reading with Start.
package binarytest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

const (
	name   = "imagebuilder_exporter"
	module = "github.com/imagebuilder-exporter/imagebuilder_exporter"
)

// folder is where the program is built, once for all tests of this process.
var folder struct {
	path  string // "" unless Main runs the tests
	build func() error
}

// Main runs the tests of a package that runs the program, and removes the program after
// them. It fails when goroutines are left. TestMain calls it.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", name+"-test-")
	if err != nil {
		panic(err)
	}
	folder.path, folder.build = dir, sync.OnceValue(build)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		_ = os.RemoveAll(dir)
		os.Exit(status)
	}))
}

// Path returns the path of the program. The first call builds it.
func Path(t testing.TB) string {
	t.Helper()
	if folder.path == "" {
		t.Fatal("TestMain does not call binarytest.Main")
	}
	if err := folder.build(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder.path, name)
}

func build() error {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("looking for the folder of %s: %w", module, err)
	}
	c := exec.Command("go", "build", "-o", filepath.Join(folder.path, name), ".")
	c.Dir = strings.TrimSpace(string(root))
	if err := noteSources(c.Dir); err != nil {
		return err
	}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("building the exporter: %w\n%s", err, out)
	}
	return nil
}

// noteSources reads the folders of the program's sources. `go test` notes what a test
// reads, and runs it again when that has changed.
func noteSources(root string) error {
	if _, err := filepath.Glob(filepath.Join(root, "*.go")); err != nil {
		return err
	}
	for _, folder := range []string{"collector", "emulator", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// Command returns the program with these arguments, and nothing of AWS around it. It is
// killed when ctx ends.
func Command(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(ctx, Path(t), args...)
	c.Env = []string{"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null"}
	return c
}

// Secret is what WithCredentials gives to the program, and nobody may see.
const Secret = "verysecret"

// WithCredentials adds credentials of AWS to the environment of c.
func WithCredentials(c *exec.Cmd) *exec.Cmd {
	c.Env = append(c.Env, "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY="+Secret, "AWS_SESSION_TOKEN="+Secret)
	return c
}

// Flags returns the flags that --help names, with two dashes. Those that can be switched
// off are there with --no-, too.
func Flags(t *testing.T) map[string]bool {
	t.Helper()
	help, err := Command(t.Context(), t, "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]bool{}
	for _, line := range flagLine.FindAllStringSubmatch(string(help), -1) {
		flags["--"+line[2]] = true
		if line[1] != "" {
			flags["--no-"+line[2]] = true
		}
	}
	if len(flags) < 10 {
		t.Fatalf("--help names only %v:\n%s", flags, help)
	}
	return flags
}

var flagLine = regexp.MustCompile(`(?m)^  (?:-\w, |    )--(\[no-\])?([a-z][a-z.-]*[a-z])`)
