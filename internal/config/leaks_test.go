package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// leaked are the secrets of testdata/leaks, without line ends and what is not a letter or digit.
var leaked = []string{"qzvjxwkqhd", "qz7vjxwkq4hdrb9"}

// leaks returns a part of a secret that a text has, empty for none.
func leaks(text string) string {
	const part = 4
	text = strings.ToLower(text)
	for _, secret := range leaked {
		for i := range len(secret) - part + 1 {
			if strings.Contains(text, secret[i:i+part]) {
				return secret[i : i+part]
			}
		}
	}
	return ""
}

// TestNoErrorHasAPartOfASecret has files in which a secret stands where it does not belong, with
// a mistake beside it.
func TestNoErrorHasAPartOfASecret(t *testing.T) {
	files, err := filepath.Glob("testdata/leaks/*.yml")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if leaks(string(data)) == "" && !strings.Contains(path, "utf16") {
			t.Errorf("%s has no secret", path)
		}
		_, err = Load(path)
		if err == nil {
			t.Errorf("%s: no error", path)
			continue
		}
		if part := leaks(err.Error()); part != "" {
			t.Errorf("%q is shown: %v", part, err)
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if strings.ContainsFunc(line, printable.Hidden) {
				t.Errorf("something is hidden: %q", line)
			}
		}
	}
}
