package dashboards_test

import (
	"encoding/json"
	"testing"
)

// TestAbsenceIsNotGreen holds that a number or status that is not known is not shown in the
// colour of good news, and that each such panel says that it is not known.
func TestAbsenceIsNotGreen(t *testing.T) {
	_, text := dashboards(t)
	for file := range text {
		var d struct {
			Panels []struct {
				Type, Title string
				FieldConfig struct {
					Defaults struct {
						NoValue    string
						Thresholds struct{ Steps []struct{ Color string } }
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(text[file]), &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range d.Panels {
			if p.Type == "row" || p.Type == "text" {
				continue
			}
			defaults := p.FieldConfig.Defaults
			if steps := defaults.Thresholds.Steps; len(steps) > 0 && steps[0].Color == "green" {
				t.Errorf("%s: %q is green when nothing is known", file, p.Title)
			}
			if defaults.NoValue == "" {
				t.Errorf("%s: %q says nothing when there is nothing to show", file, p.Title)
			}
		}
	}
}
