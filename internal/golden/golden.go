// Package golden compares the output of a test with a committed file, and reads the metrics of the
// largest of these files, testdata/metrics.txt. Only tests may import it. Start reading with Compare.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "update the golden files")

// Compare holds that a file has the text that the test made. With -update it writes the
// file instead. The name of the test has the word Golden, for that is what `make golden`
// runs.
func Compare(t *testing.T, file, got string) {
	t.Helper()
	if !strings.Contains(t.Name(), "Golden") {
		t.Fatalf("%s makes %s: it needs Golden in its name, so that make golden runs it", t.Name(), file)
	}
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(read(t, file), got); diff != "" {
		t.Errorf("%s; make golden updates it (-want +got):\n%s", file, diff)
	}
}

// Metrics returns the names of all metrics of the exporter that a file has, in Prometheus'
// text format.
func Metrics(t *testing.T, file string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, family := range typeLine.FindAllStringSubmatch(read(t, file), -1) {
		names[family[1]] = true
	}
	if len(names) == 0 {
		t.Fatalf("%s has no metrics", file)
	}
	return names
}

var typeLine = regexp.MustCompile(`(?m)^# TYPE (imagebuilder_[a-z_]+) `)

// Named returns the metrics of the exporter that a text names, as often as it does. A
// histogram goes by the name of its family.
func Named(text string) []string {
	names := metricName.FindAllString(text, -1)
	for i := range names {
		names[i] = strings.TrimSuffix(names[i], "_bucket")
	}
	return names
}

var metricName = regexp.MustCompile(`\bimagebuilder_[a-z_]+`)

// CheckNames holds that files name no metric that is not among metrics.
func CheckNames(t *testing.T, metrics map[string]bool, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			for _, name := range Named(read(t, file)) {
				if !metrics[name] && name != "imagebuilder_exporter" {
					t.Errorf("%s names %s, which does not exist", file, name)
				}
			}
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
