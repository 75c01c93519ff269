// Package docs_test holds what users and contributors read, and what CONTRIBUTING.md says
// of make and CI, against what there is.
package docs_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

// repository has all files, by their paths from its root.
var repository = os.DirFS("..")

// read returns the text of a file of the repository.
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := fs.ReadFile(repository, file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// glob returns the files of the repository that match a pattern. There must be some.
func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := fs.Glob(repository, pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

// documents returns the files that users read.
func documents(t *testing.T) []string {
	t.Helper()
	all := []string{"config.yml.example"}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/runbooks/*.md", "dashboards/*.md", "deploy/*/*.md", "deploy/*/*/*.md"} {
		all = append(all, glob(t, pattern)...)
	}
	return all
}

// TestLinks holds that what documents link to is there.
func TestLinks(t *testing.T) {
	anchors := map[string]bool{}
	for _, file := range documents(t) {
		for _, heading := range headingLine.FindAllStringSubmatch(read(t, file), -1) {
			anchors[file+"#"+anchor(heading[1])] = true
		}
	}
	for _, file := range documents(t) {
		for _, link := range linkTarget.FindAllStringSubmatch(read(t, file), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			name, anchor, _ := strings.Cut(link[1], "#")
			to := file
			if name != "" {
				to = path.Join(path.Dir(file), name)
			}
			if _, err := fs.Stat(repository, to); err != nil || anchor != "" && !anchors[to+"#"+anchor] {
				t.Errorf("%s links to %s, which is not there", file, link[1])
			}
		}
	}
}

// anchor returns what links to a heading have behind the #.
func anchor(heading string) string {
	words := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, strings.ToLower(heading))
	return strings.ReplaceAll(words, " ", "-")
}

var (
	headingLine = regexp.MustCompile(`(?m)^#+ (.*)$`)
	linkTarget  = regexp.MustCompile(`\]\(([^)]+)\)`)
)
