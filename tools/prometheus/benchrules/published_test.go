package benchrules

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// published returns the series of the exporter's golden metrics.
func published(tb testing.TB) []labels.Labels {
	tb.Helper()
	text, err := os.ReadFile("../../../testdata/metrics.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var all []labels.Labels
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		one, err := parser.NewParser(parser.Options{}).ParseMetric(line[:strings.LastIndex(line, " ")])
		if err != nil {
			tb.Fatalf("%s: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

// statuses returns the statuses of each metric that is a set of them.
func statuses(all []labels.Labels) map[string][]string {
	found := map[string][]string{}
	for _, l := range all {
		name, status := l.Get(model.MetricNameLabel), l.Get("status")
		if status != "" && strings.HasSuffix(name, "status") && !slices.Contains(found[name], status) {
			found[name] = append(found[name], status)
		}
	}
	return found
}
