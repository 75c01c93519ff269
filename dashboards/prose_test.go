package dashboards_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// TestPanelsAreInPlainEnglish holds that what a panel says has no words that made readers read a
// sentence twice, and that what it says of its data ends as a sentence does.
func TestPanelsAreInPlainEnglish(t *testing.T) {
	_, text := dashboards(t)
	for file, raw := range text {
		var d struct {
			Description string
			Panels      []struct {
				Type, Title, Description string
				Options                  struct{ Content string }
				FieldConfig              struct {
					Defaults struct {
						NoValue string
						Links   []struct{ Title string }
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(raw), &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		said := []string{d.Description}
		for _, p := range d.Panels {
			if p.Type != "row" && !strings.HasSuffix(p.Description, ".") {
				t.Errorf("%s: the description of %q is no sentence: %q", file, p.Title, p.Description)
			}
			said = append(said, p.Title, p.Description, p.Options.Content, p.FieldConfig.Defaults.NoValue)
			for _, l := range p.FieldConfig.Defaults.Links {
				said = append(said, l.Title)
			}
		}
		for _, s := range said {
			if words := foreign.FindString(s); words != "" {
				t.Errorf("%s: %q in %q", file, words, s)
			}
		}
	}
}

// foreign finds such words.
var foreign = regexp.MustCompile(`(?i)\b(?:anew|alike|beside|as far as|tells?|not told|stands?|so that|in the time that is shown|a person|with success|half took at most|nine in ten)\b|, too\b`)
