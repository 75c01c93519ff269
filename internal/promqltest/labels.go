// Package promqltest finds the labels and statuses that queries, alerts and dashboards use, and compares
// them with what the exporter publishes. Only tests may import it.
package promqltest

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
)

// Labels has the names of the labels of each metric.
type Labels map[string]map[string]bool

// Published returns the labels of all metrics of the exporter: those in the golden file
// testdata/metrics.txt, those that the collector describes, and those of the build info.
// The bounds of histograms (le) are left out.
func Published(t *testing.T, file string) Labels {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	l := Labels{}
	l.addSamples(slices.Collect(maps.Values(families)))
	l.addDescribed(t)
	maps.DeleteFunc(l, func(metric string, _ map[string]bool) bool { return !strings.HasPrefix(metric, "imagebuilder_") })
	registry := prometheus.NewRegistry()
	registry.MustRegister(versioncollector.NewCollector("imagebuilder_exporter"))
	build, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	l.addSamples(build)
	return l
}

// Everything returns the options of the collector with all of its families, so that no test
// misses a new one.
func Everything() (o collector.Options) {
	for _, option := range reflect.ValueOf(&o).Elem().Fields() {
		if option.Kind() == reflect.String {
			option.SetString("https://example.com/imagebuilder")
			continue
		}
		option.SetBool(true)
	}
	return o
}

func (l Labels) addSamples(families []*dto.MetricFamily) {
	for _, f := range families {
		var names []string
		for _, m := range f.GetMetric() {
			for _, p := range m.GetLabel() {
				names = append(names, p.GetName())
			}
		}
		l.add(f.GetName(), names)
	}
}

// addDescribed adds what the collector describes, whether there is a sample of it or not.
func (l Labels) addDescribed(t *testing.T) {
	t.Helper()
	descs := make(chan *prometheus.Desc, 100)
	collector.New(t.Context(), nil, Everything(), nil).Describe(descs)
	close(descs)
	for d := range descs {
		m := described.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("%s has no name and labels", d)
		}
		l[m[1]] = nil // what the file says may be out of date
		l.add(m[1], strings.Split(m[2], ","))
	}
	l.add("imagebuilder_pipeline_tags", []string{"tag_team"}) // the configuration chooses them; documents have this one
}

var described = regexp.MustCompile(`fqName: "(\w+)",.* variableLabels: \{([^}]*)\}`)

func (l Labels) add(metric string, names []string) {
	if l[metric] == nil {
		l[metric] = map[string]bool{}
	}
	for _, name := range names {
		l[metric][name] = true
	}
}

// Of returns the labels that any of the metrics has that a text names. When the text names
// something else of the exporter's, such as a recorded series, it returns those of all
// metrics. Prometheus adds job and instance, and has labels of its own on ALERTS.
func (l Labels) Of(text string) map[string]bool {
	names := map[string]bool{"job": true, "instance": true, "le": true, "__name__": true}
	if alerts.MatchString(text) {
		for _, name := range []string{"alertname", "alertstate", "service", "severity"} {
			names[name] = true
		}
	}
	metrics := slices.Collect(maps.Keys(l))
	if named := seriesName.FindAllString(text, -1); len(named) > 0 && !slices.ContainsFunc(named, func(s string) bool { return l[base(s)] == nil }) {
		metrics = named
	}
	for _, m := range metrics {
		maps.Copy(names, l[base(m)])
	}
	return names
}

var (
	seriesName = regexp.MustCompile(`\bimagebuilder[_:][a-z0-9_:]+`)
	alerts     = regexp.MustCompile(`\bALERTS\b`)
)

// base returns the name of the metric that a series belongs to.
func base(series string) string { return strings.TrimSuffix(series, "_bucket") }

// Check holds that an expression uses no label that the metrics in it do not have. where
// says where it stands.
func (l Labels) Check(t *testing.T, where, expr string) {
	t.Helper()
	expr = comment.ReplaceAllString(expr, "")
	for _, s := range selectors(expr) {
		for _, m := range s.matchers {
			l.CheckNames(t, where, s.metric, []string{m.label})
		}
	}
	used, made := labelFunctions(expr)
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		used = append(used, fields(g[1])...)
	}
	for _, v := range labelValues.FindAllStringSubmatch(expr, -1) {
		used = append(used, v[1])
	}
	l.CheckNames(t, where, expr, used, made...)
}

// CheckNames holds that the metrics in an expression have all of these labels. more are
// labels that something else adds.
func (l Labels) CheckNames(t *testing.T, where, expr string, names []string, more ...string) {
	t.Helper()
	known := l.Of(expr)
	_, made := labelFunctions(expr)
	more = append(more, made...)
	for _, name := range names {
		if !known[name] && !slices.Contains(more, name) {
			t.Errorf("%s uses the label %s, which no metric in it has: %s", where, name, strings.Join(strings.Fields(expr), " "))
		}
	}
}

var (
	comment     = regexp.MustCompile(`(?m)#.*$`)
	grouping    = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)`)
	labelValues = regexp.MustCompile(`label_values\(.*,\s*(\w+)\)`)
)

func fields(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(", \n", r) })
}
