package docs_test

import (
	"regexp"
	"strings"
	"testing"
)

// prose has the pages that are written for readers, and that the tests below hold.
var prose = []string{
	"CONTRIBUTING.md", "MAINTAINERS.md", "SECURITY.md", "dashboards/README.md", "deploy/helm/README.md",
	"docs/compatibility.md", "docs/emulator.md", "docs/metrics.md", "docs/operations.md", "docs/performance.md", "docs/queries.md",
}

// TestPagesSayWhatTheyAreFor holds that a page begins with a paragraph that says what it is for, not
// with a table, a list or another heading, and that no heading is followed at once by one of its
// own level.
func TestPagesSayWhatTheyAreFor(t *testing.T) {
	for _, file := range prose {
		text := read(t, file)
		if !firstParagraph.MatchString(text) {
			t.Errorf("%s does not begin with a title and a sentence: %.100q", file, text)
		}
		if heading := emptySection.FindString(blockOfCode.ReplaceAllString(text, "code")); heading != "" {
			t.Errorf("%s has nothing below %q", file, heading)
		}
	}
}

var (
	firstParagraph = regexp.MustCompile("^# [^\n]+\n\n[A-Z](?:[^\n]+\n)+\n")
	emptySection   = regexp.MustCompile(`(?m)^(?:## .*\n+##? |### .*\n+#{1,3} ).*$`)
)

// TestPagesAreInPlainEnglish holds that these pages, and the changelog, have no words that made
// readers read a sentence twice.
func TestPagesAreInPlainEnglish(t *testing.T) {
	for _, file := range append(prose, "CHANGELOG.md", "CODE_OF_CONDUCT.md") {
		text := blockOfCode.ReplaceAllStringFunc(read(t, file), func(code string) string {
			return strings.Repeat("\n", strings.Count(code, "\n"))
		})
		for instead, words := range foreign {
			for _, at := range words.FindAllStringIndex(text, -1) {
				t.Errorf("%s:%d: %q: say %s", file, 1+strings.Count(text[:at[0]], "\n"), text[at[0]:at[1]], instead)
			}
		}
	}
}

// foreign has such words, with what to say in their place.
var foreign = map[string]*regexp.Regexp{
	"again, or nothing":         regexp.MustCompile(`(?i)\banew\b`),
	"the same":                  regexp.MustCompile(`(?i)\balike\b`),
	"next to, or in addition":   regexp.MustCompile(`(?i)\bbeside\b`),
	"if, or where":              regexp.MustCompile(`(?i)\bas far as\b`),
	"must, or needs":            regexp.MustCompile(`(?i)\bha(?:s|ve)\s+to\b`),
	"shows, says or reports":    regexp.MustCompile(`(?i)\btells\b`),
	"also":                      regexp.MustCompile(`, too\b`),
	"is":                        regexp.MustCompile(`(?i)\bstands\s+(?:in|on|at|there|beside)\b`),
	"so":                        regexp.MustCompile(`(?i)\bso that\b`),
	"such as, or so":            regexp.MustCompile(`(?i)\bsuch that\b`),
	"of it":                     regexp.MustCompile(`(?i)\bthereof\b`),
	"because":                   regexp.MustCompile(`, for\s+(?:it|they|he|nobody|nothing)\b`),
	"attention, you or someone": regexp.MustCompile(`(?i)\bneeds? a person\b`),
	"successfully":              regexp.MustCompile(`(?i)\bwith success\b`),
	"timestamp":                 regexp.MustCompile(`(?i)\btime stamps?\b`),
}
