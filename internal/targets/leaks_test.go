package targets_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// partsOfSecrets are in each secret of the files below config/testdata/leaks, at its beginning,
// in the middle or at its end.
var partsOfSecrets = []string{"qzvj", "vjxw", "wkqh", "kqhd", "qz7v", "vjxw", "4hdr", "drb9"}

// TestReloadsTellNoSecret reloads every file with a mistake and a secret: neither the answer nor
// the log has a part of it.
func TestReloadsTellNoSecret(t *testing.T) {
	files, err := filepath.Glob("../config/testdata/leaks/*.yml")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	file := binarytest.ConfigFile(t, binarytest.Target("a", "http://127.0.0.1:1", lookuptest.ID(1)))
	p := binarytest.Start(t, binarytest.WithCredentials(binarytest.Command(ctx, t,
		"--config.file="+file, "--web.listen-address=127.0.0.1:0", "--log.level=debug")))
	for _, leak := range files {
		text, err := os.ReadFile(leak)
		if err != nil {
			t.Fatal(err)
		}
		binarytest.WriteFile(t, file, string(text))
		status, body := p.Do(t, http.MethodPost, "/-/reload")
		if status != http.StatusInternalServerError {
			t.Errorf("%s: status %d, %s", leak, status, body)
		}
		expectNoSecret(t, leak, body)
	}
	log := p.Stop(t)
	if n := strings.Count(log, "loading the configuration failed"); n != len(files) {
		t.Errorf("%d failures are logged, want %d", n, len(files))
	}
	for line := range strings.Lines(log) {
		expectNoSecret(t, "the log", line)
	}
}

func expectNoSecret(t *testing.T, what, text string) {
	t.Helper()
	for _, part := range partsOfSecrets {
		if strings.Contains(strings.ToLower(text), part) {
			t.Errorf("%s: %q is shown: %s", what, part, text)
		}
	}
}
