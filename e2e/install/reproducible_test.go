package install

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestReproducible builds two clones in different folders, each with a build cache of its
// own. They must be the same to the last byte, and tell the commit.
func TestReproducible(t *testing.T) {
	var first []byte
	for range 2 {
		dir := clone(t)
		t.Setenv("GOCACHE", filepath.Join(t.TempDir(), "cache"))
		output(t, dir, "make", "build")
		binary := read(t, dir, "imagebuilder_exporter")
		if first == nil {
			first = binary
			wantVersion(t, filepath.Join(dir, "imagebuilder_exporter"), output(t, dir, "git", "rev-parse", "HEAD"))
		}
		if !bytes.Equal(binary, first) {
			t.Errorf("the second build differs from the first, %d and %d bytes", len(binary), len(first))
		}
	}
}

// wantVersion holds that a program tells the revision that it was built from.
func wantVersion(t *testing.T, program, revision string) {
	t.Helper()
	got, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput()
	if err != nil || !bytes.Contains(got, []byte("revision: "+revision+")")) {
		t.Errorf("%s --version: %v\n%s\nwant the revision %s", program, err, got, revision)
	}
}
