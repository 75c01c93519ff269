package dashboards_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestDashboardsSayWhatTheyAnswer holds that a dashboard begins with the question that it
// answers, and that what is below its first screen is in rows that fold.
func TestDashboardsSayWhatTheyAnswer(t *testing.T) {
	all, _ := dashboards(t)
	for file, d := range all {
		if first := d.Panels[0]; first.Type != "text" || !strings.HasSuffix(first.Title, "?") {
			t.Errorf("%s begins with %q, want a text that asks its question", file, first.Title)
		}
		const screen = 28
		for i, row := 0, false; i < len(d.Panels); i++ {
			p := d.Panels[i]
			if row = row || p.Type == "row"; !row && p.GridPos.Y >= screen {
				t.Errorf("%s: %q is below the first screen, and in no row", file, p.Title)
			}
		}
	}
}

// TestSeriesHaveNames holds that each series that is drawn has a name, also the zero that
// stands for nothing.
func TestSeriesHaveNames(t *testing.T) {
	_, text := dashboards(t)
	for name, raw := range text {
		var d struct {
			Panels []struct {
				Type, Title string
				Targets     []struct{ Expr, LegendFormat string }
			}
		}
		if err := json.Unmarshal([]byte(raw), &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, p := range d.Panels {
			if p.Type != "timeseries" && p.Type != "state-timeline" && p.Type != "bargauge" {
				continue
			}
			for _, q := range p.Targets {
				if q.LegendFormat == "" || q.LegendFormat == "__auto" {
					t.Errorf("%s: %q has a series without a name", name, p.Title)
				}
				if strings.HasPrefix(q.LegendFormat, "{{") && strings.Contains(q.Expr, "or vector(0)") {
					t.Errorf("%s: the zero of %q has no name", name, p.Title)
				}
			}
		}
	}
}
