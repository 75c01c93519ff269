package alerts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v3"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/golden"
)

// rule is one of alerts/imagebuilder.rules.yml.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

// rules returns all rules of alerts/imagebuilder.rules.yml, in their order.
func rules(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile("imagebuilder.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	return decodeRules(t, text)
}

// decodeRules returns all rules of a file, in their order.
func decodeRules(t *testing.T, text []byte) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// TestAlerts holds what every alert has, that its runbook exists and says what it means,
// and that no runbook is left of one that has gone.
func TestAlerts(t *testing.T) {
	runbooks := map[string]bool{}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		runbooks[filepath.Join("../docs/runbooks", r.Alert+".md")] = true
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
			t.Errorf("%s: severity %q", r.Alert, r.Labels["severity"])
		}
		if r.Labels["service"] != "imagebuilder" {
			t.Errorf("%s: service %q, by which alertmanager.yml routes", r.Alert, r.Labels["service"])
		}
		want := "https://github.com/imagebuilder-exporter/imagebuilder_exporter/blob/main/docs/runbooks/" + r.Alert + ".md"
		if got := r.Annotations["runbook_url"]; got != want {
			t.Errorf("%s: runbook_url %q, want %q", r.Alert, got, want)
		}
		for _, name := range []string{"summary", "description"} {
			if r.Annotations[name] == "" {
				t.Errorf("%s has no %s", r.Alert, name)
			}
		}
		if strings.Contains(r.Annotations["description"], "$labels.region") && !strings.Contains(r.Annotations["console_url"], "{{ $labels.region }}.console.") {
			t.Errorf("%s has no console_url with its region: %q", r.Alert, r.Annotations["console_url"])
		}
		if url := r.Annotations["console_url"]; url != "" && !strings.Contains(url, "}}&account={{ .") {
			t.Errorf("%s has a console_url without the account: %q", r.Alert, url)
		}
		if meaning(t, r.Alert) == "" {
			t.Errorf("../docs/runbooks/%s.md does not begin with a heading and a paragraph", r.Alert)
		}
	}
	files, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !runbooks[f] {
			t.Errorf("%s is the runbook of no alert", f)
		}
	}
}

// TestAlertsUseWhatThereIs holds that rules, their tests and runbooks name no metric
// that the exporter does not have.
func TestAlertsUseWhatThereIs(t *testing.T) {
	metrics := golden.Metrics(t, "../testdata/metrics.txt")
	metrics["imagebuilder_exporter_build_info"] = true // every program of Prometheus' has it
	metrics["imagebuilder_pipeline_"] = true           // of a pattern of names
	golden.CheckNames(t, metrics, "*.yml", "../docs/runbooks/*")
}

// meaning returns the first paragraph of a runbook, which says what the alert means.
func meaning(t *testing.T, alert string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/runbooks/" + alert + ".md")
	if err != nil {
		t.Fatal(err)
	}
	paragraphs := strings.Split(string(text), "\n\n")
	if paragraphs[0] != "# "+alert {
		t.Errorf("../docs/runbooks/%s.md begins with %q", alert, paragraphs[0])
	}
	// docs/alerts.md stands one folder above: links there are shorter.
	return strings.ReplaceAll(paragraphs[1], "](../", "](")
}

// row is what docs/alerts.md says about an alert.
type row struct {
	Alert, Meaning string
	Severities     []string
	For            []string
	Labels         string
}

// TestGoldenDocument holds docs/alerts.md, which is made of the rules, their comments and
// the runbooks.
func TestGoldenDocument(t *testing.T) {
	labels := alertLabels(t)
	var rows []row
	var recorded []rule
	for _, r := range rules(t) {
		if r.Record != "" {
			recorded = append(recorded, r)
			continue
		}
		i := slices.IndexFunc(rows, func(x row) bool { return x.Alert == r.Alert })
		if i < 0 {
			m := strings.NewReplacer("](alerts.md#", "](#").Replace(meaning(t, r.Alert))
			m = runbookLink.ReplaceAllString(m, "](runbooks/$1.md)")
			rows, i = append(rows, row{Alert: r.Alert, Meaning: m, Labels: labels[r.Alert]}), len(rows)
		}
		rows[i].Severities = addOnce(rows[i].Severities, r.Labels["severity"])
		rows[i].For = addOnce(rows[i].For, r.For)
	}
	alertmanager, err := os.ReadFile("alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	teams, err := os.ReadFile("testdata/teams.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	page := template.Must(template.New("alerts.md.tmpl").Funcs(template.FuncMap{"join": strings.Join}).ParseFiles("testdata/alerts.md.tmpl"))
	var text bytes.Buffer
	if err := page.Execute(&text, map[string]any{
		"Alerts": rows, "Thresholds": thresholds(t), "Alertmanager": string(alertmanager), "Teams": string(teams),
	}); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Labels == "" {
			t.Errorf("no test of the rules has exp_labels of %s", r.Alert)
		}
	}
	for _, r := range recorded {
		if !strings.Contains(text.String(), "| `"+r.Record+"` |") {
			t.Errorf("testdata/alerts.md.tmpl has no row for %s", r.Record)
		}
	}
	golden.Compare(t, "../docs/alerts.md", text.String())
}

var runbookLink = regexp.MustCompile(`\]\(([A-Z][A-Za-z]+)\.md\)`)

func addOnce(all []string, s string) []string {
	if slices.Contains(all, s) {
		return all
	}
	return append(all, s)
}
