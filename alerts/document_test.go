package alerts_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// alertLabels returns the labels of each alert for docs/alerts.md: "`region`, `target`".
// Those that only some alerts of the name have are in parentheses.
func alertLabels(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for alert, expected := range expectedLabels(t) {
		having := map[string]int{}
		for _, labels := range expected {
			for label := range labels {
				having[label]++
			}
		}
		// Every alert has these.
		delete(having, "severity")
		delete(having, "service")
		var list []string
		for _, label := range slices.Sorted(maps.Keys(having)) {
			name := "`" + label + "`"
			if having[label] < len(expected) {
				name = "(" + name + ")"
			}
			list = append(list, name)
		}
		all[alert] = strings.Join(list, ", ")
	}
	return all
}

// expectedLabels returns the labels of the alerts that the tests of the rules expect, by
// their names. Prometheus proves them.
func expectedLabels(t *testing.T) map[string][]map[string]string {
	t.Helper()
	files, err := filepath.Glob("*_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]map[string]string{}
	for _, file := range files {
		addExpectedLabels(t, file, all)
	}
	return all
}

// addExpectedLabels adds what one file of tests expects.
func addExpectedLabels(t *testing.T, name string, all map[string][]map[string]string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []struct {
			Alerts []struct {
				Name     string `yaml:"alertname"`
				Expected []struct {
					Labels map[string]string `yaml:"exp_labels"`
				} `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, test := range file.Tests {
		for _, a := range test.Alerts {
			for _, e := range a.Expected {
				all[a.Name] = append(all[a.Name], e.Labels)
			}
		}
	}
}

// TestNoAlertIsOneOfAnInstance holds that no alert has a label that changes when a replica or a
// pod does: it would end, and come again.
func TestNoAlertIsOneOfAnInstance(t *testing.T) {
	for alert, expected := range expectedLabels(t) {
		for _, labels := range expected {
			for _, label := range []string{"instance", "pod", "peer"} {
				if value, found := labels[label]; found {
					t.Errorf("%s has the label %s=%q", alert, label, value)
				}
			}
		}
	}
}
