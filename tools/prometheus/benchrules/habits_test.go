package benchrules

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// TestSeriesOfTheExporter holds that what the benchmark evaluates has the names and labels that
// the exporter publishes.
func TestSeriesOfTheExporter(t *testing.T) {
	want := map[string][]string{}
	for _, l := range published(t) {
		want[l.Get(model.MetricNameLabel)] = names(l)
	}
	got := map[string][]string{}
	for _, s := range newAccount(t, 1000).series {
		got[s.labels.Get(model.MetricNameLabel)] = names(s.labels)
	}
	for name := range got {
		if name == "up" || name == "imagebuilder_exporter_build_info" {
			continue
		}
		if diff := cmp.Diff(want[name], got[name]); diff != "" {
			t.Errorf("labels of %s (-want +got):\n%s", name, diff)
		}
	}
	for name := range want {
		single := strings.HasPrefix(name, "imagebuilder_workflow_execution_") || strings.HasPrefix(name, "imagebuilder_image_")
		if single && got[name] == nil {
			t.Errorf("%s is published, and not in the benchmark", name)
		}
	}
}

// names returns the names of labels, without those that Prometheus adds.
func names(l labels.Labels) []string {
	var all []string
	l.Range(func(l labels.Label) {
		if l.Name != "job" && l.Name != "instance" {
			all = append(all, l.Name)
		}
	})
	return all
}

// TestNoRuleReadsSingleExecutionsForLong holds that no rule reads more than an hour of what exists
// for each execution or image. Few executions wait for an approval.
func TestNoRuleReadsSingleExecutionsForLong(t *testing.T) {
	text, err := os.ReadFile(*rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	parse := parser.NewParser(parser.Options{})
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, parse, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			for _, name := range longReads(t, parse, r.Expr) {
				t.Errorf("%s%s reads more than an hour of %s", r.Record, r.Alert, name)
			}
		}
	}
}

func TestLongReads(t *testing.T) {
	for _, tc := range []struct {
		name, expr string
		want       []string
	}{
		{"an hour of executions may be read", `last_over_time(imagebuilder_workflow_execution_status[1h])`, nil},
		{"so may an hour a week ago", `last_over_time(imagebuilder:image:failed[1h] offset 7d)`, nil},
		{"a week of images is too long", `min_over_time(imagebuilder_image_status[7d])`, []string{"imagebuilder_image_status"}},
		{"so is a subquery over a day", `max_over_time(max(imagebuilder_workflow_execution_info)[1d:5m])`, []string{"imagebuilder_workflow_execution_info"}},
		{"recorded executions are executions", `last_over_time({__name__=~"imagebuilder:workflow_execution:.+"}[1d])`, []string{"imagebuilder:workflow_execution:.+"}},
		{"what waits is few", `max_over_time(imagebuilder_workflow_step_waiting_since_timestamp_seconds[1d])`, nil},
		{"a trend of pipelines may be long", `quantile_over_time(0.5, imagebuilder:workflow_execution_duration_seconds:avg[2w:30m])`, nil},
		{"pipelines may be long", `max_over_time(imagebuilder_pipeline_enabled[1d])`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, longReads(t, parser.NewParser(parser.Options{}), tc.expr)); diff != "" {
				t.Errorf("long reads (-want +got):\n%s", diff)
			}
		})
	}
}

// longReads returns what an expression reads more than an hour of, of that which exists for each
// execution or image.
func longReads(t *testing.T, parse parser.Parser, text string) []string {
	t.Helper()
	expr, err := parse.ParseExpr(text)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if ok && ofEach(metric(selector)) && slices.ContainsFunc(path, isLong) {
			found = append(found, metric(selector))
		}
		return nil
	})
	return found
}

func isLong(node parser.Node) bool {
	switch n := node.(type) {
	case *parser.MatrixSelector:
		return n.Range > time.Hour
	case *parser.SubqueryExpr:
		return n.Range > time.Hour
	}
	return false
}

// metric returns the name that a selector has, or the expression for several.
func metric(selector *parser.VectorSelector) string {
	for _, m := range selector.LabelMatchers {
		if m.Name == model.MetricNameLabel {
			return m.Value
		}
	}
	return ""
}

// ofEach says whether a metric exists for each execution or image.
func ofEach(name string) bool {
	for _, prefix := range []string{"imagebuilder_workflow_execution_", "imagebuilder_image_", "imagebuilder:workflow_execution:", "imagebuilder:image:"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
