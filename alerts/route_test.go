package alerts_test

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// route is one of alertmanager.yml, with its children.
type route struct {
	Receiver       string
	Matchers       []string
	GroupBy        []string `yaml:"group_by"`
	GroupWait      string   `yaml:"group_wait"`
	GroupInterval  string   `yaml:"group_interval"`
	RepeatInterval string   `yaml:"repeat_interval"`
	Routes         []route
}

// all returns the route and all routes below it.
func (r route) all() []route {
	all := []route{r}
	for _, child := range r.Routes {
		all = append(all, child.all()...)
	}
	return all
}

// alertmanager is what alertmanager.yml has.
type alertmanager struct {
	Route        route
	Receivers    []struct{ Name string }
	InhibitRules []struct {
		SourceMatchers []string `yaml:"source_matchers"`
		TargetMatchers []string `yaml:"target_matchers"`
		Equal          []string
	} `yaml:"inhibit_rules"`
}

// readAlertmanager returns the content of alertmanager.yml.
func readAlertmanager(t *testing.T) (file alertmanager) {
	t.Helper()
	text, err := os.ReadFile("alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestTheAlertmanagerRoute holds that inhibit rules name alerts that there are.
func TestTheAlertmanagerRoute(t *testing.T) {
	names := map[string]bool{}
	for _, r := range rules(t) {
		names[r.Alert] = true
	}
	var matchers []string
	for _, r := range readAlertmanager(t).InhibitRules {
		matchers = append(matchers, slices.Concat(r.SourceMatchers, r.TargetMatchers)...)
	}
	named := regexp.MustCompile(`alertname=~?"([^"]*)"`).FindAllStringSubmatch(strings.Join(matchers, "\n"), -1)
	if len(named) == 0 {
		t.Fatal("alerts/alertmanager.yml names no alert")
	}
	for _, m := range named {
		for name := range strings.SplitSeq(m[1], "|") {
			if !names[name] {
				t.Errorf("alerts/alertmanager.yml names %s, which does not exist", name)
			}
		}
	}
}

// TestTheAlertmanagerRouteIsAChild holds that the route and the inhibit rules take nothing
// but the exporter's alerts, in whatever configuration they stand.
func TestTheAlertmanagerRouteIsAChild(t *testing.T) {
	const ours = `service="imagebuilder"`
	file := readAlertmanager(t)
	if len(file.Route.Routes) != 1 || !slices.Equal(file.Route.Routes[0].Matchers, []string{ours}) {
		t.Fatalf("below the root there is not one route with the matcher %s: %+v", ours, file.Route.Routes)
	}
	for _, r := range file.InhibitRules {
		if !slices.Contains(r.SourceMatchers, ours) || !slices.Contains(r.TargetMatchers, ours) {
			t.Errorf("an inhibit rule is about other people's alerts, too: %q, %q", r.SourceMatchers, r.TargetMatchers)
		}
	}
}

// TestTheAlertmanagerRouteUsesLabelsThatThereAre holds what groups and inhibits alerts
// against the labels of the metrics.
func TestTheAlertmanagerRouteUsesLabelsThatThereAre(t *testing.T) {
	file := readAlertmanager(t)
	var used []string
	for _, r := range file.Route.all() {
		used = append(used, r.GroupBy...)
	}
	for _, r := range file.InhibitRules {
		used = append(used, r.Equal...)
	}
	if len(used) < 6 {
		t.Fatalf("there are only %q", used)
	}
	promqltest.Published(t, "../testdata/metrics.txt").CheckNames(t, "alertmanager.yml", "", used, "alertname")
}
