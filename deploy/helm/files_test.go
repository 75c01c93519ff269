// Package helm_test holds that the chart has the rules and dashboards of the repository.
package helm_test

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/golden"
)

// originals returns the files of the repository that the chart has copies of, by the paths of the
// copies.
func originals(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{
		"files/imagebuilder.rules.yml": "../../alerts/imagebuilder.rules.yml",
		"files/thresholds.yml":         "../../alerts/thresholds.yml",
	}
	dashboards, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(dashboards) == 0 {
		t.Fatalf("%d dashboards, %v", len(dashboards), err)
	}
	for _, d := range dashboards {
		files["files/dashboards/"+filepath.Base(d)] = d
	}
	return files
}

// TestGoldenFiles holds that the copies equal the originals, byte for byte. They are no links,
// because Helm warns about each link, and a copy of the folder would not have what they lead to.
func TestGoldenFiles(t *testing.T) {
	for file, original := range originals(t) {
		text, err := os.ReadFile(original)
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, file, string(text))
	}
}

// TestOnlyCopies holds that the chart has no file that the repository no longer has, and no link.
func TestOnlyCopies(t *testing.T) {
	want := slices.Sorted(maps.Keys(originals(t)))
	var got []string
	for _, dir := range []string{"files", "files/dashboards"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			if !e.Type().IsRegular() {
				t.Errorf("%s is a link", e.Name())
			}
			got = append(got, path.Join(dir, e.Name()))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the files of the chart (-want +got):\n%s", diff)
	}
}
