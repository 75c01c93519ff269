package alerts_test

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// publishedOrRenamed returns the labels of the metrics, and those that Prometheus makes of labels
// that the scrape target has, too, where LabelsRenamed looks for them.
func publishedOrRenamed(t *testing.T) promqltest.Labels {
	t.Helper()
	labels := promqltest.Published(t, "../testdata/metrics.txt")
	for _, metric := range []string{"imagebuilder_up", "imagebuilder_exporter_api_requests_total"} {
		labels[metric]["exported_target"], labels[metric]["exported_region"] = true, true
	}
	return labels
}

// TestRulesUseLabelsAndStatusesThatThereAre holds expressions and annotations against the
// labels of the metrics and the tables of statuses.
func TestRulesUseLabelsAndStatusesThatThereAre(t *testing.T) {
	labels := publishedOrRenamed(t)
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
