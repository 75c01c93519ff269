package docs_test

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unclear has what to say in the place of words that made readers guess, which are patterns of lower
// case. CONTRIBUTING.md asks for the plain words of the field.
var unclear = map[string]string{
	"down, or denied":         `(?:goes|is|are|was|stays?|no target|targets?) dark`,
	"fix, restore or repair":  `mend(?:s|ed|ing)?`,
	"polled with back-off":    `ever more rarely`,
	"limited":                 `be pressed`,
	"also accepted":           `stands for head`,
	"other builds of a group": `siblings?`,
	"left out, or not asked":  `spared`,
	"limit, or timeout":       `patience`,
	"restore the permission":  `give back the permission`,
	"succeeds":                `is content`,
	"in every case":           `whatever the way`,
	"became available":        `made all the same`,
	"only":                    `and to no other`,
	"is listed twice":         `stands? (?:here|there|in this \w+) twice`,
	"must be unique":          `each \w+ may stand`,
	"requires":                `goes with --\w+`,
	"has not been scraped":    `nobody has scraped`,
	"so that, or which":       `such that`,
	"gets every alert":        `told of everything`,
}

// TestPlainWords holds that no text has a word that readers had to guess.
func TestPlainWords(t *testing.T) {
	all := regexp.MustCompile(`\b(?:` + strings.Join(slices.Collect(maps.Values(unclear)), "|") + `)\b`)
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
		text := strings.ToLower(read(t, file))
		for _, at := range all.FindAllStringIndex(text, -1) {
			for instead, words := range unclear {
				if regexp.MustCompile("^(?:" + words + ")$").MatchString(text[at[0]:at[1]]) {
					t.Errorf("%s:%d: %q: say %s", file, 1+strings.Count(text[:at[0]], "\n"), text[at[0]:at[1]], instead)
				}
			}
		}
		return nil
	})
	if err != nil || files < 300 {
		t.Fatalf("%d files read: %v", files, err)
	}
}
