package alerts_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// TestRulesUseLabelsAndStatusesThatThereAre holds expressions and annotations against the
// labels of the metrics and the tables of statuses.
func TestRulesUseLabelsAndStatusesThatThereAre(t *testing.T) {
	labels := promqltest.Published(t, "../testdata/metrics.txt")
	// What Prometheus makes of a label that the scrape target has, too.
	labels["imagebuilder_up"]["exported_target"], labels["imagebuilder_up"]["exported_region"] = true, true
	for _, r := range rules(t) {
		where := "imagebuilder.rules.yml: " + r.Alert + r.Record
		labels.Check(t, where, r.Expr)
		promqltest.CheckStatuses(t, where, r.Expr)
		for name, text := range r.Annotations {
			var used []string
			for _, l := range usedLabel.FindAllStringSubmatch(text, -1) {
				used = append(used, l[1])
			}
			labels.CheckNames(t, where+", "+name, r.Expr, used, slices.Collect(maps.Keys(r.Labels))...)
		}
	}
}

var usedLabel = regexp.MustCompile(`\$labels\.(\w+)`)

// TestTheAlertmanagerRouteUsesLabelsThatThereAre holds what groups and inhibits alerts
// against the labels of the metrics.
func TestTheAlertmanagerRouteUsesLabelsThatThereAre(t *testing.T) {
	text, err := os.ReadFile("alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Route struct {
			GroupBy []string `yaml:"group_by"`
		}
		InhibitRules []struct{ Equal []string } `yaml:"inhibit_rules"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	used := file.Route.GroupBy
	for _, r := range file.InhibitRules {
		used = append(used, r.Equal...)
	}
	if len(used) < 6 {
		t.Fatalf("there are only %q", used)
	}
	promqltest.Published(t, "../testdata/metrics.txt").CheckNames(t, "alertmanager.yml", "", used)
}
