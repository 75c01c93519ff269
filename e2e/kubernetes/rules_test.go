package kubernetes

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// rule is one of alerts/imagebuilder.rules.yml.
type rule struct {
	Record      string            `json:"record,omitempty"`
	Alert       string            `json:"alert,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// ruleFile is what Prometheus loads.
type ruleFile struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

// with changes the rules of a name.
func (f ruleFile) with(name string, change func(*rule)) ruleFile {
	for _, g := range f.Groups {
		for i := range g.Rules {
			if g.Rules[i].Alert == name {
				change(&g.Rules[i])
			}
		}
	}
	return f
}

// without drops the rules of a name.
func (f ruleFile) without(name string) ruleFile {
	for i, g := range f.Groups {
		f.Groups[i].Rules = slices.DeleteFunc(g.Rules, func(r rule) bool { return r.Alert == name })
	}
	return f
}

// originalRules returns those that everyone else loads.
func originalRules(t *testing.T) (f ruleFile) {
	t.Helper()
	text, err := os.ReadFile("../../alerts/imagebuilder.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// renderedRules returns those of the PrometheusRule with values in a text, which promtool
// has checked.
func renderedRules(t *testing.T, values string) ruleFile {
	t.Helper()
	all := parse(t, render(t, chart, "--set", "demo=true", "--set", "prometheusRule.enabled=true", "-f", file(t, "values.yaml", values)))
	manifest, ok := get[struct {
		APIVersion, Kind string
		Metadata         any
		Spec             ruleFile
	}](t, all, "PrometheusRule")
	if !ok {
		t.Fatal("there is no PrometheusRule")
	}
	text, err := yaml.Marshal(manifest.Spec)
	if err != nil {
		t.Fatal(err)
	}
	promtool, err := filepath.Abs("../../bin/promtool")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", "--lint-fatal", file(t, "rules.yml", string(text))).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return manifest.Spec
}

// chartThresholds returns the thresholds of alerts/thresholds.yml: "> 3600".
func chartThresholds(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for alert, th := range readYAML(t, "../../alerts/thresholds.yml") {
		m := th.(map[string]any)
		all[alert] = fmt.Sprint(m["operator"], " ", m["default"])
	}
	return all
}

// TestRulesAreTuned holds what each value changes, and that it changes nothing else.
func TestRulesAreTuned(t *testing.T) {
	for name, c := range map[string]struct {
		values string
		want   ruleFile
	}{
		"nothing is changed": {"{}", originalRules(t)},
		"for of all rules of the name": {
			"{prometheusRule: {alerts: {LookupsFailing: {for: 1h}}}}",
			originalRules(t).with("LookupsFailing", func(r *rule) { r.For = "1h" }),
		},
		"severity": {
			"{prometheusRule: {alerts: {ImageStuck: {severity: page}}}}",
			originalRules(t).with("ImageStuck", func(r *rule) { r.Labels["severity"] = "page" }),
		},
		"disabled": {
			"{prometheusRule: {alerts: {LookupsFailing: {disabled: true}, ImageStuck: {disabled: false}}}}",
			originalRules(t).without("LookupsFailing"),
		},
		"a threshold as a product": {
			"{prometheusRule: {alerts: {NoRecentGoodImage: {threshold: 60 * 86400}}}}",
			withThreshold(t, "NoRecentGoodImage", "60 * 86400"),
		},
		"a threshold as a large number": {
			"{prometheusRule: {alerts: {NoRecentGoodImage: {threshold: 5184000}}}}",
			withThreshold(t, "NoRecentGoodImage", "5184000"),
		},
		"a threshold as a fraction": {
			"{prometheusRule: {alerts: {ApiThrottled: {threshold: 0.2}}}}",
			withThreshold(t, "ApiThrottled", "0.2"),
		},
		"a threshold of 0": {
			"{prometheusRule: {alerts: {PipelineMissedRun: {threshold: 0}}}}",
			withThreshold(t, "PipelineMissedRun", "0"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, renderedRules(t, c.values)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// withThreshold returns the rules with another threshold of an alert.
func withThreshold(t *testing.T, alert, number string) ruleFile {
	t.Helper()
	old := chartThresholds(t)[alert]
	operator, _, _ := strings.Cut(old, " ")
	return originalRules(t).with(alert, func(r *rule) {
		r.Expr = strings.Replace(r.Expr, old, operator+" "+number, 1)
	})
}

// TestEveryThresholdIsTuned holds that each number of alerts/thresholds.yml can be changed.
func TestEveryThresholdIsTuned(t *testing.T) {
	for alert, old := range chartThresholds(t) {
		t.Run(alert, func(t *testing.T) {
			got := renderedRules(t, "{prometheusRule: {alerts: {"+alert+": {threshold: 12345}}}}")
			if diff := cmp.Diff(withThreshold(t, alert, "12345"), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if cmp.Equal(originalRules(t), got) {
				t.Errorf("%s is still there", old)
			}
		})
	}
}

// TestExtraLabels holds that every alert has them, and no recorded series.
func TestExtraLabels(t *testing.T) {
	want := originalRules(t)
	for _, g := range want.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				r.Labels["team"], r.Labels["env"] = "images", "prod"
			}
		}
	}
	if diff := cmp.Diff(want, renderedRules(t, "{prometheusRule: {extraLabels: {team: images, env: prod}}}")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestExtraLabelsLeaveTheAlertsOwnAlone holds that no label of an alert can be overwritten:
// its alerts would be taken for one.
func TestExtraLabelsLeaveTheAlertsOwnAlone(t *testing.T) {
	text, err := os.ReadFile("../../alerts/imagebuilder.rules_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	var tests struct {
		Tests []struct {
			Alerts []struct {
				Expected []struct {
					Labels map[string]string `json:"exp_labels"`
				} `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		} `json:"tests"`
	}
	if err := yaml.Unmarshal(text, &tests); err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"alertname": ""}
	for _, test := range tests.Tests {
		for _, a := range test.Alerts {
			for _, e := range a.Expected {
				maps.Copy(labels, e.Labels)
			}
		}
	}
	if len(labels) < 10 {
		t.Fatalf("there are only %q", labels)
	}
	for label := range labels {
		out, err := helm(t, "template", release, chart, "--set", "demo=true", "--set", "prometheusRule.extraLabels."+label+"=x")
		if want := "prometheusRule.extraLabels cannot contain " + label + ": the alerts set it."; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s\n%s", err, want, out)
		}
	}
}

// TestTheSchemaKnowsTheAlerts holds that values.schema.json has the alerts that there are.
func TestTheSchemaKnowsTheAlerts(t *testing.T) {
	want := map[string]bool{}
	for _, g := range originalRules(t).Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				want[r.Alert] = true
			}
		}
	}
	got := map[string]bool{}
	schema := readYAML(t, chart+"/values.schema.json")
	for _, key := range []string{"properties", "prometheusRule", "properties", "alerts", "properties"} {
		schema = schema[key].(map[string]any)
	}
	for alert := range schema {
		got[alert] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
