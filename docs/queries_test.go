package docs_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/golden"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// answers has what the queries of queries.md must return, in their order, 80
// minutes after the start of lookuptest.Pipelines; after 45 of them a second target is
// denied everything.
var answers = []map[string]float64{
	{ // failed
		`{target="platform", region="eu-west-1", workflow_execution_id="wf-000000a2-3a62-4618-a021-94ddcbe32908", status="FAILED", pipeline="Web Server", image_name="web", image_version="1.2.0/2", workflow_type="BUILD"}`: 1,
	},
	{ // too long
		`imagebuilder_workflow_execution_duration_seconds{target="platform", region="eu-west-1", workflow_execution_id="wf-000000a3-3a62-4618-a021-94ddcbe32908"}`: 8400,
	},
	{ // steps
		`{target="platform", region="eu-west-1", workflow_execution_id="wf-000000a2-3a62-4618-a021-94ddcbe32908", step_execution_id="step-3f73d58a-738e-9bc8-22ce-f2178dff9abf", step="ApplyBuildComponents", action="ExecuteComponents", status="FAILED"}`: 120,
		`{target="platform", region="eu-west-1", workflow_execution_id="wf-000000a3-3a62-4618-a021-94ddcbe32908", step_execution_id="step-6af0b9e7-bac9-485b-0eb3-f70c6e924fbf", step="Approve", action="WaitForAction", status="WAITING"}`:                 8340,
	},
	{ // waiting
		`{target="platform", region="eu-west-1", workflow_execution_id="wf-000000a3-3a62-4618-a021-94ddcbe32908", step_execution_id="step-6af0b9e7-bac9-485b-0eb3-f70c6e924fbf", step="Approve", action="WaitForAction"}`: 8340,
	},
	{ // durations, also those from before the denial
		`{target="denied", region="eu-west-1", pipeline="Web Server", workflow_type="BUILD"}`:   180,
		`{target="denied", region="eu-west-1", workflow_type="BUILD"}`:                          180,
		`{target="platform", region="eu-west-1", pipeline="Web Server", workflow_type="BUILD"}`: 180,
		`{target="platform", region="eu-west-1", workflow_type="BUILD"}`:                        180,
	},
	{ // steps done
		`{target="platform", region="eu-west-1", workflow_execution_id="wf-000000a3-3a62-4618-a021-94ddcbe32908"}`: 0.5,
	},
	{ // days since the last good image
		`{target="platform", region="eu-west-1", pipeline="Web Server"}`: 21 + 80./24/60,
	},
	{ // pipelines
		`imagebuilder_pipeline_enabled{target="platform", region="eu-west-1", pipeline="nightly", what="disabled"}`:                          0,
		`imagebuilder_pipeline_consecutive_failures{target="platform", region="eu-west-1", pipeline="Web Server", what="failures in a row"}`: 1,
		`{target="platform", region="eu-west-1", pipeline="Web Server", what="seconds to the next run"}`:                                     -1200,
	},
	{ // why
		`{target="platform", region="eu-west-1", image_build_version_arn="arn:aws:imagebuilder:eu-west-1:444455556666:image/web/1.2.0/2", stage="BUILDING", workflow_execution_id="wf-000000a2-3a62-4618-a021-94ddcbe32908", step="ApplyBuildComponents", component_arn="arn:aws:imagebuilder:eu-west-1:444455556666:component/harden/1.2.0/1", component_phase="build", component_step="InstallAgent", pipeline="Web Server", image_name="web", image_version="1.2.0/2"}`: 1,

		`{target="platform", region="eu-west-1", image_build_version_arn="arn:aws:imagebuilder:eu-west-1:444455556666:image/lost/1.2.0/4", stage="DISTRIBUTING", image_name="lost", image_version="1.2.0/4"}`: 1,
	},
	{ // components, also those of the target that is denied later
		`{component="harden"}`: 2,
	},
	{ // about to be disabled
		`{target="platform", region="eu-west-1", pipeline="Web Server"}`: 1,
	},
	{ // deprecated soon
		`{target="platform", region="eu-west-1", image_build_version_arn="arn:aws:imagebuilder:eu-west-1:444455556666:image/web/1.2.0/1", output_region="eu-west-1", output="ami-0123456789abcdef0", account_id="444455556666"}`: 10 - 80./24/60,
		`{target="platform", region="eu-west-1", image_build_version_arn="arn:aws:imagebuilder:eu-west-1:444455556666:image/web/1.2.0/1", output_region="us-east-1", output="ami-0fedcba9876543210", account_id="444455556666"}`: 10 - 80./24/60,
	},
	{ // blind
		`imagebuilder_up{target="denied", region="eu-west-1", what="down"}`:     0,
		`{target="denied", region="eu-west-1", what="seconds since discovery"}`: 2100,
	},
}

var queryBlock = regexp.MustCompile("(?s)```promql\n(.*?)```")

// TestGoldenQueries holds that testdata/queries.yml, which promtool runs, has the queries of
// queries.md, what they must return, and what the exporter says in 80 minutes of
// lookuptest.Pipelines.
func TestGoldenQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queries := queryBlock.FindAllStringSubmatch(read(t, "docs/queries.md"), -1)
		if len(queries) != len(answers) {
			t.Fatalf("%d queries, and %d answers", len(queries), len(answers))
		}
		series := recordSeries(t)
		var file strings.Builder
		file.WriteString("# Made by TestGoldenQueries from docs/queries.md; make golden writes it anew.\n")
		file.WriteString("rule_files: []\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:\n")
		for _, name := range slices.Sorted(maps.Keys(series)) {
			fmt.Fprintf(&file, "      - {series: '%s', values: '%s'}\n", name, strings.Join(series[name], " "))
		}
		file.WriteString("    promql_expr_test:\n")
		for i, q := range queries {
			fmt.Fprintf(&file, "      - expr: |2\n          %s\n        eval_time: 80m\n        exp_samples:\n",
				strings.ReplaceAll(strings.TrimRight(q[1], "\n"), "\n", "\n          "))
			for _, labels := range slices.Sorted(maps.Keys(answers[i])) {
				fmt.Fprintf(&file, "          - {labels: '%s', value: %v}\n", labels, answers[i][labels])
			}
		}
		golden.Compare(t, "testdata/queries.yml", file.String())
	})
}

// recordSeries scrapes once a minute and returns the values of every series in
// promtool's notation. Prometheus' tests begin at the Unix time 0.
func recordSeries(t *testing.T) map[string][]string {
	t.Helper()
	begin := time.Now()
	platform, selection := queried(begin)
	var deny atomic.Bool
	denied, _ := queried(begin)
	denied.Fault = func(string, string) http.Handler {
		if deny.Load() {
			return emulator.Error(403, "AccessDeniedException", "")
		}
		return nil
	}
	limits := lookuptest.Limits()
	limits.RateLimit = 0 // so that the order of requests decides nothing
	sources := []collector.Source{
		lookuptest.New(t, lookuptest.Config{Name: "platform", API: platform, Selection: selection, Limits: limits}),
		lookuptest.New(t, lookuptest.Config{Name: "denied", API: denied, Selection: selection, Limits: limits}),
	}
	series := map[string][]string{}
	const minutes = 80
	for minute := range minutes + 1 {
		<-time.After(time.Until(begin.Add(time.Duration(minute) * time.Minute)))
		deny.Store(minute > 45)
		for _, f := range gather(t, sources) {
			for _, m := range f.GetMetric() {
				var labels []string
				for _, l := range m.GetLabel() {
					labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
				}
				value := m.GetGauge().GetValue()
				if strings.HasSuffix(f.GetName(), "_timestamp_seconds") {
					value -= float64(begin.Unix())
				}
				name := f.GetName() + "{" + strings.Join(labels, ", ") + "}"
				for len(series[name]) < minute {
					series[name] = append(series[name], "_")
				}
				series[name] = append(series[name], fmt.Sprint(value))
			}
		}
		for name := range series {
			if len(series[name]) == minute {
				series[name] = append(series[name], "stale")
			}
		}
	}
	return series
}

// queried returns lookuptest.Pipelines with a component that fails, a pipeline that is about to
// be disabled, and an image that is deprecated soon.
func queried(begin time.Time) (*emulator.API, lookup.Selection) {
	api, selection := lookuptest.Pipelines(begin)
	account := api.Scenario.(*emulator.Account)
	account.Pipelines[0].AutoDisableFailures = 2
	account.Images[0].Deprecates = begin.Add(10 * 24 * time.Hour)
	account.Images[1].Attempts[0].Runs[0].Steps[1].Component = &emulator.ComponentFailure{
		ARN: "arn:aws:imagebuilder:eu-west-1:444455556666:component/harden/1.2.0/1", Phase: "build", Step: "InstallAgent",
	}
	return api, selection
}

// gather returns what a scrape of sources has that Prometheus waits ten seconds for.
func gather(t *testing.T, sources []collector.Source) []*dto.MetricFamily {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 9500*time.Millisecond)
	defer cancel()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector.New(ctx, sources, promqltest.Everything(), nil))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}
