package docs_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// TestEveryMetricHasAClass holds that metrics.md gives each metric that is published one of the
// classes that compatibility.md explains, and that each of these is used.
func TestEveryMetricHasAClass(t *testing.T) {
	classes := map[string]string{}
	for _, row := range classRow.FindAllStringSubmatch(read(t, "docs/metrics.md"), -1) {
		classes[row[1]] = row[2]
	}
	used := map[string]bool{}
	for metric := range promqltest.Published(t, "../testdata/metrics.txt") {
		if classes[metric] == "" {
			t.Errorf("docs/metrics.md: %s has no class", metric)
		}
		used[classes[metric]] = true
	}
	if diff := cmp.Diff(explainedClasses(t), slices.Sorted(maps.Keys(used))); diff != "" {
		t.Errorf("classes in compatibility.md and in metrics.md (-explained +used):\n%s", diff)
	}
}

// explainedClasses returns the classes of compatibility.md, each of which has a promise and a use.
func explainedClasses(t *testing.T) (classes []string) {
	t.Helper()
	_, section, _ := strings.Cut(read(t, "docs/compatibility.md"), "\n### Classes of metrics\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range explainedClass.FindAllStringSubmatch(section, -1) {
		classes = append(classes, row[1])
	}
	slices.Sort(classes)
	return classes
}

var (
	classRow       = regexp.MustCompile("(?m)^\\| `(imagebuilder_[a-z_]+)` \\| ([a-z]+) \\|")
	explainedClass = regexp.MustCompile(`(?m)^\| \*\*([a-z]+)\*\* \| [A-Z][^|]{30,} \| \w[^|]+ \|$`)
)
