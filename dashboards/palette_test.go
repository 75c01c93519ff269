package dashboards_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// palette is the colour of each status, on every dashboard. Red is for what failed alone, and
// green for what is known to be good.
var palette = map[string]string{
	"PENDING": "#8e8e8e", "UNKNOWN": "#8e8e8e",
	"SKIPPED": "#6e7a8a", "DEPRECATED": "#6e7a8a", "DISABLED": "#6e7a8a", "DELETED": "#6e7a8a",
	"RUNNING": "blue", "CREATING": "blue", "BUILDING": "blue", "TESTING": "blue", "DISTRIBUTING": "blue", "INTEGRATING": "blue",
	"WAITING":   "orange",
	"COMPLETED": "green", "AVAILABLE": "green", "SUCCEEDED": "green",
	"FAILED": "red", "ROLLBACK_IN_PROGRESS": "semi-dark-red", "ROLLBACK_COMPLETED": "dark-red",
	"CANCELLED": "purple",
}

var (
	statusName   = regexp.MustCompile(`^[A-Z]{4}[A-Z_]*$`)
	countedSteps = regexp.MustCompile(`^(succeeded|skipped|failed)$`)
)

// TestAStatusHasOneColour holds that a status has the same colour in each mapping and series
// of every dashboard, and that a mapping has a word beside the colour.
func TestAStatusHasOneColour(t *testing.T) {
	_, text := dashboards(t)
	for name, raw := range text {
		var f file
		if err := json.Unmarshal([]byte(raw), &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, p := range f.Panels {
			p.checkPalette(t, name+": "+p.Title)
		}
	}
}

func (p *panel) checkPalette(t *testing.T, where string) {
	t.Helper()
	checkMappings(t, where, p.FieldConfig.Defaults.Mappings)
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			switch property.ID {
			case "mappings":
				var mappings []mapping
				if err := json.Unmarshal(property.Value, &mappings); err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				checkMappings(t, where, mappings)
			case "color":
				var color struct{ FixedColor string }
				if err := json.Unmarshal(property.Value, &color); err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				if countedSteps.MatchString(o.Matcher.Options) {
					checkColour(t, where, strings.ToUpper(o.Matcher.Options), color.FixedColor)
				}
				checkColour(t, where, o.Matcher.Options, color.FixedColor)
			}
		}
	}
}

// checkMappings checks the values of mappings that are statuses, or are shown as one.
func checkMappings(t *testing.T, where string, mappings []mapping) {
	t.Helper()
	for _, m := range mappings {
		if m.Type != "value" {
			continue
		}
		var options map[string]struct{ Text, Color string }
		if err := json.Unmarshal(m.Options, &options); err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		for value, o := range options {
			if o.Text == "" {
				t.Errorf("%s: %s has a colour and no word", where, value)
			}
			if !statusName.MatchString(value) {
				value = o.Text
			}
			checkColour(t, where, value, o.Color)
		}
	}
}

// checkColour checks the colour of what may be a status.
func checkColour(t *testing.T, where, status, colour string) {
	t.Helper()
	if want := palette[status]; statusName.MatchString(status) && colour != want {
		t.Errorf("%s: %s is %q, want %q", where, status, colour, want)
	}
}
