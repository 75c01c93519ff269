package dashboards_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/golden"
)

// dashboard is what tests look at in a file of dashboards/.
type dashboard struct {
	UID, Title string
	ID         any
	Tags       []string
	Templating struct {
		List []struct{ Name string }
	}
	Panels []struct {
		Type, Title, Description string
		Datasource               struct{ UID string }
		GridPos                  struct{ X, Y, W, H int }
		FieldConfig              struct{ Defaults struct{ Unit string } }
		Targets                  []struct {
			Expr       string
			Datasource struct{ UID string }
		}
	}
}

// dashboards returns all dashboards by their files, and their text.
func dashboards(t *testing.T) (all map[string]dashboard, text map[string]string) {
	t.Helper()
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	all, text = map[string]dashboard{}, map[string]string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[file], text[file] = d, string(raw)
	}
	return all, text
}

// TestDashboards holds what makes a dashboard portable and legible: a uid that is its
// file's name, so that links last, no data source of ours, a description for each panel,
// and panels side by side.
func TestDashboards(t *testing.T) {
	all, text := dashboards(t)
	uids := map[string]bool{}
	for file, d := range all {
		if want := "imagebuilder-" + strings.TrimSuffix(filepath.Base(file), ".json"); d.UID != want || d.ID != nil {
			t.Errorf("%s: uid %q and id %v, want %q and none", file, d.UID, d.ID, want)
		}
		uids[d.UID] = true
		variables := map[string]bool{}
		for _, v := range d.Templating.List {
			variables[v.Name] = true
		}
		for _, name := range []string{"datasource", "target", "region"} {
			if !variables[name] {
				t.Errorf("%s has no variable %s", file, name)
			}
		}
		titles, taken := map[string]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if titles[p.Title] || p.Title == "" || p.Description == "" && p.Type != "row" {
				t.Errorf("%s: %q is there twice, or has no description", file, p.Title)
			}
			titles[p.Title] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
						t.Fatalf("%s: %q overlaps %q, or the edge", file, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
			for _, q := range p.Targets {
				if q.Datasource.UID != "${datasource}" || p.Datasource.UID != "${datasource}" {
					t.Errorf("%s: %q does not use the variable datasource", file, p.Title)
				}
				for _, v := range variableName.FindAllStringSubmatch(q.Expr, -1) {
					if !variables[v[1]] && !strings.HasPrefix(v[1], "__") {
						t.Errorf("%s: %q uses $%s, which is no variable of it", file, p.Title, v[1])
					}
				}
			}
			switch unit := p.FieldConfig.Defaults.Unit; p.Type {
			case "stat", "timeseries", "bargauge", "barchart":
				if unit == "" {
					t.Errorf("%s: %q has no unit", file, p.Title)
				}
			}
		}
	}
	for file := range all {
		for _, link := range dashboardLink.FindAllStringSubmatch(text[file], -1) {
			if !uids[link[1]] {
				t.Errorf("%s links to %s, which is no dashboard", file, link[1])
			}
		}
	}
}

var (
	variableName  = regexp.MustCompile(`\$([a-zA-Z_]+)`)
	dashboardLink = regexp.MustCompile(`/d/([a-z-]+)`)
)

// TestDashboardsShowEverything holds that every metric is on a dashboard, or named in
// dashboards/README.md as one that is not.
func TestDashboardsShowEverything(t *testing.T) {
	_, text := dashboards(t)
	shown := map[string]bool{}
	for _, each := range text {
		for _, name := range golden.Named(each) {
			shown[name] = true
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range golden.Metrics(t, "../testdata/metrics.txt") {
		if named := strings.Contains(string(readme), "| `"+name+"` |"); shown[name] == named {
			t.Errorf("%s is on a dashboard: %t; in the README as one that is on none: %t", name, shown[name], named)
		}
	}
}

// TestDashboardsUseWhatThereIs holds that dashboards and their README name no metric that
// the exporter does not have.
func TestDashboardsUseWhatThereIs(t *testing.T) {
	metrics := golden.Metrics(t, "../testdata/metrics.txt")
	metrics["imagebuilder_exporter_build_info"] = true // every program of Prometheus' has it
	golden.CheckNames(t, metrics, "*.json", "*.md")
}
