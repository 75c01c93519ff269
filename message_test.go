package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// TestFlagsArePrintedSafely gives every flag whose value an error repeats one that would change
// what a terminal shows, or add lines to it.
func TestFlagsArePrintedSafely(t *testing.T) {
	const odd = "a\x1b[2J\nb\u202ec\xff"
	file := binarytest.ConfigFile(t, binarytest.Target("a", "http://127.0.0.1:1", lookuptest.ID(1)))
	oddFile := filepath.Join(t.TempDir(), odd)
	copyFile(t, file, oddFile)
	oddMistake := oddFile + "2"
	if err := os.WriteFile(oddMistake, []byte("regions: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--log.level=" + odd},
		{"--log.format=" + odd},
		{"--once.timeout=" + odd},
		{"--scrape.timeout-offset=" + odd},
		{"--config.auto-reload-interval=" + odd},
		{"--web.telemetry-path=" + odd},
		{"--web.max-requests=" + odd},
		{"--web.listen-address=" + odd, "--config.file=" + file},
		{"--web.listen-address=" + odd, "--health-check"},
		{"--web.config.file=" + odd, "--config.file=" + file},
		{"--config.check=" + odd},
		{"--" + odd},
		{odd},
		{"--config.file=" + odd},
		{"--config.file=" + odd, "--config.check"},
		{"--config.file=" + filepath.Dir(oddFile), "--config.check"},
		{"--config.file=" + oddFile, "--config.check"},
		{"--config.file=" + oddMistake, "--config.check"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		out, _ := binarytest.WithCredentials(binarytest.Command(ctx, t, args...)).CombinedOutput()
		text := strings.TrimSuffix(string(out), "\n")
		for line := range strings.SplitSeq(text, "\n") {
			if printable.Line(line, len(line)) != line || strings.HasPrefix(line, "b") {
				t.Errorf("%q: %q", args, line)
			}
		}
		if text == "" || ctx.Err() != nil {
			t.Errorf("%q: %v, nothing is printed", args, ctx.Err())
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
