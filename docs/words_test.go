package docs_test

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unclear are words that made readers guess, with what to say in their place. CONTRIBUTING.md asks
// for the plain words of the field.
var unclear = map[string]*regexp.Regexp{
	"down, or denied":         regexp.MustCompile(`(?i)\b(?:goes|is|are|was|stays?|no target|targets?) dark\b`),
	"fix, restore or repair":  regexp.MustCompile(`(?i)\bmend(?:s|ed|ing)?\b`),
	"polled with back-off":    regexp.MustCompile(`(?i)\bever more rarely\b`),
	"limited":                 regexp.MustCompile(`(?i)\bbe pressed\b`),
	"also accepted":           regexp.MustCompile(`\bstands for HEAD\b`),
	"other builds of a group": regexp.MustCompile(`(?i)\bsiblings?\b`),
	"left out, or not asked":  regexp.MustCompile(`(?i)\bspared\b`),
	"limit, or timeout":       regexp.MustCompile(`(?i)\bpatience\b`),
	"restore the permission":  regexp.MustCompile(`(?i)\bgive back the permission\b`),
	"is listed twice":         regexp.MustCompile(`(?i)\bstands? (?:here|there|in this \w+) twice\b`),
	"must be unique":          regexp.MustCompile(`(?i)\beach \w+ may stand\b`),
	"requires":                regexp.MustCompile(`\bgoes with --`),
	"has not been scraped":    regexp.MustCompile(`(?i)\bnobody has scraped\b`),
	"succeeds":                regexp.MustCompile(`(?i)\bis content\b`),
}

// TestPlainWords holds that no text has a word that readers had to guess.
func TestPlainWords(t *testing.T) {
	files := 0
	err := fs.WalkDir(repository, ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "bin", "dist"}, d.Name()):
			return fs.SkipDir
		case d.IsDir() || d.Name() == "words_test.go" || !slices.Contains([]string{".go", ".md", ".yml", ".yaml", ".tmpl", ".tpl", ".txt", ".example"}, path.Ext(file)):
			return nil
		case strings.HasPrefix(d.Name(), "CODE_OF_CONDUCT"), strings.HasPrefix(file, "THIRD_PARTY"):
			return nil
		}
		files++
		text := read(t, file)
		for instead, words := range unclear {
			if at := words.FindStringIndex(text); at != nil {
				t.Errorf("%s:%d: %q: say %s", file, 1+strings.Count(text[:at[0]], "\n"), text[at[0]:at[1]], instead)
			}
		}
		return nil
	})
	if err != nil || files < 300 {
		t.Fatalf("%d files read: %v", files, err)
	}
}
