package dashboards_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// tablePanel is what says how wide the columns of a table are.
type tablePanel struct {
	Type, Title     string
	GridPos         struct{ W int }
	Targets         []struct{ RefID string }
	Transformations []struct {
		ID      string
		Options struct {
			ExcludeByName map[string]bool
			IndexByName   map[string]int
			RenameByName  map[string]string
		}
	}
	FieldConfig struct {
		Overrides []struct {
			Matcher    matcher
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
}

// matcher says of which columns an override is, by their name or a pattern.
type matcher struct{ ID, Options string }

func (m matcher) matches(column string) bool {
	if m.ID == "byRegexp" {
		return regexp.MustCompile(strings.Trim(m.Options, "/")).MatchString(column)
	}
	return m.ID == "byName" && m.Options == column
}

// property returns a property of a column, nil if it has none of that name.
func (p *tablePanel) property(column, id string) (value json.RawMessage) {
	for _, o := range p.FieldConfig.Overrides {
		for _, each := range o.Properties {
			if o.Matcher.matches(column) && each.ID == id {
				value = each.Value
			}
		}
	}
	return value
}

// width returns the width of a column, and whether it shares what others leave.
func (p *tablePanel) width(t *testing.T, column string) (width float64, shares bool) {
	t.Helper()
	width = 150 // Grafana's default
	value := p.property(column, "custom.width")
	if shares = value == nil; shares {
		value = p.property(column, "custom.minWidth")
	}
	if value != nil {
		if err := json.Unmarshal(value, &width); err != nil {
			t.Fatalf("%s, %s: %v", p.Title, column, err)
		}
	}
	return width, shares
}

// TestTablesFit holds that, on a screen of 1600 px, the columns of a table fit its panel
// whatever they hold, that no header is cut, that names wrap, and that each value is a column
// with a name or none.
func TestTablesFit(t *testing.T) {
	_, text := dashboards(t)
	for file, raw := range text {
		var d struct{ Panels []tablePanel }
		if err := json.Unmarshal([]byte(raw), &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range d.Panels {
			if p.Type == "table" {
				p.checkColumns(t)
			}
		}
	}
}

func (p *tablePanel) checkColumns(t *testing.T) {
	t.Helper()
	o := p.Transformations[len(p.Transformations)-1].Options
	if len(p.Targets) > 1 {
		for _, q := range p.Targets {
			value := "Value #" + q.RefID
			if _, named := o.RenameByName[value]; !named && !o.ExcludeByName[value] {
				t.Errorf("%q shows %s", p.Title, value)
			}
		}
	}
	inner := float64(p.GridPos.W)*1576/24 - 24 // 1600 px without the margins, and the panel's own
	sum := 0.0
	for name := range o.IndexByName {
		column := name
		if renamed := o.RenameByName[name]; renamed != "" {
			column = renamed
		}
		if string(p.property(column, "custom.hidden")) == "true" || o.ExcludeByName[name] {
			continue
		}
		width, shares := p.width(t, column)
		sum += width
		if header := 7.2*float64(len(column)) + 13; header > width && !shares {
			t.Errorf("%q cuts the header %s: it needs %.0f px of %.0f", p.Title, column, header, width)
		}
		if shares && string(p.property(column, "custom.wrapText")) != "true" {
			t.Errorf("%q cuts long names in %s", p.Title, column)
		}
	}
	if sum > inner {
		t.Errorf("the columns of %q need %.0f px of %.0f", p.Title, sum, inner)
	}
}

// TestLinksLeadSomewhere holds that each link to a dashboard names its variables and panels,
// and that a link to a runbook leads to the folder of runbooks.
func TestLinksLeadSomewhere(t *testing.T) {
	all, text := dashboards(t)
	for file := range all {
		for _, link := range linkToDashboard.FindAllStringSubmatch(text[file], -1) {
			to, query := link[1]+".json", link[2]
			for _, v := range linkVariable.FindAllStringSubmatch(query, -1) {
				name := v[1] + v[2]
				if !strings.Contains(text[to], `"name": "`+name+`"`) {
					t.Errorf("%s links to %s with the variable %s, which that does not have", file, to, name)
				}
			}
			for _, v := range linkPanel.FindAllStringSubmatch(query, -1) {
				if !strings.Contains(text[to], `"id": `+v[1]+`,`) {
					t.Errorf("%s links to the panel %s of %s, which that does not have", file, v[1], to)
				}
			}
		}
	}
	if !strings.Contains(text["overview.json"], "blob/main/docs/runbooks/${__value.raw}.md") {
		t.Error("no alert leads to its runbook")
	}
	if _, err := os.Stat("../docs/runbooks/WorkflowFailed.md"); err != nil {
		t.Error(err)
	}
}

// TestNumbersHaveLinks holds that each number leads to what it counts.
func TestNumbersHaveLinks(t *testing.T) {
	_, text := dashboards(t)
	for file, raw := range text {
		var d struct {
			Panels []struct {
				Type, Title string
				FieldConfig struct {
					Defaults struct{ Links []struct{ URL string } }
				}
			}
		}
		if err := json.Unmarshal([]byte(raw), &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range d.Panels {
			if p.Type == "stat" && len(p.FieldConfig.Defaults.Links) == 0 {
				t.Errorf("%s: %q leads nowhere", file, p.Title)
			}
		}
	}
}

var (
	linkToDashboard = regexp.MustCompile(`/d/imagebuilder-([a-z]+)\?([^")]*)`)
	linkVariable    = regexp.MustCompile(`var-(\w+)=|\$\{(\w+):queryparam\}`)
	linkPanel       = regexp.MustCompile(`viewPanel=(\d+)`)
)
