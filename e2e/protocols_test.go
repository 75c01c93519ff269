package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

// TestProtocols holds that Prometheus reads the same from the exporter in each of the formats
// that it can ask for.
func TestProtocols(t *testing.T) {
	exporter := binarytest.Start(t, binarytest.Command(t.Context(), t, "--demo", "--web.listen-address=127.0.0.1:0"))
	exporter.Metrics(t) // what has ended settles
	for _, c := range []struct {
		name, program string
		args          []string
		protocols     []string // "" for those that it asks for by default
	}{
		{"Prometheus 3", "../bin/prometheus", nil, []string{"", "OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0", "PrometheusText0.0.4", "PrometheusProto"}},
		{"Debian", "prometheus", nil, []string{""}},
		{"Debian with native histograms", "prometheus", []string{"--enable-feature=native-histograms"}, []string{""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, err := stack.Find("", c.program)
			if err != nil {
				t.Fatalf("%v: run make e2e, which builds what can be built, after apt-get install prometheus", err)
			}
			before := pageOf(t, exporter)
			s := startPrometheus(t, program, scrapesOf(exporter, c.protocols), c.args...)
			s.until(t, "everything is scraped", func() bool { return len(s.query(t, "up == 1")) == len(c.protocols) })
			got := s.series(t)
			after := pageOf(t, exporter)
			for n := range c.protocols {
				compareSeries(t, job(n)+" "+c.protocols[n], got[job(n)], before, after)
			}
			if wrong := s.query(t, `scrape_samples_scraped != on (job) count by (job) ({job!="", __name__!~"up|scrape_.+"})`); len(wrong) > 0 {
				t.Errorf("scrape_samples_scraped is not how many series there are: %v", wrong)
			}
			if created := s.query(t, `{__name__=~".+_created"}`); len(created) > 0 {
				t.Errorf("there are %d series of times of creation", len(created))
			}
		})
	}
}

func job(n int) string { return fmt.Sprint("job", n) }

// scrapesOf returns a configuration that scrapes the exporter with each of these protocols.
func scrapesOf(exporter *binarytest.Program, protocols []string) string {
	config := "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
	for n, protocol := range protocols {
		only := ""
		if protocol != "" {
			only = "scrape_protocols: [" + protocol + "], "
		}
		config += fmt.Sprintf("  - {job_name: %s, %sstatic_configs: [{targets: ['%s']}]}\n", job(n), only, exporter.Address)
	}
	return config
}

// startPrometheus runs a Prometheus for the time of the test.
func startPrometheus(t *testing.T, program, config string, args ...string) testStack {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	address, err := stack.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address}, args...)
	p, err := stack.Run(context.Background(), dir, address, "/-/ready", exec.Command(program, args...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return testStack{&stack.Stack{Prometheus: p}}
}

// compared are the names of what is compared: the others change with each scrape.
const compared = `imagebuilder_(up|(workflow|image|pipeline)_.+)`

// series returns the values of all series that are compared, by job.
func (s testStack) series(t *testing.T) map[string]map[string]float64 {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Metric model.Metric
				Value  [2]any
			}
		}
	}
	get(t, s.Prometheus.URL+"/api/v1/query?query="+url.QueryEscape(`{__name__=~"`+compared+`"}`), &answer)
	all := map[string]map[string]float64{}
	for _, r := range answer.Data.Result {
		job := string(r.Metric["job"])
		delete(r.Metric, "job")
		delete(r.Metric, "instance")
		v, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		if all[job] == nil {
			all[job] = map[string]float64{}
		}
		all[job][r.Metric.String()] = v
	}
	return all
}

// pageOf returns the same of the exporter's own page.
func pageOf(t *testing.T, exporter *binarytest.Program) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(exporter.Metrics(t)))
	if err != nil {
		t.Fatal(err)
	}
	samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.Now()}, slices.Collect(maps.Values(families))...)
	if err != nil {
		t.Fatal(err)
	}
	all, names := map[string]float64{}, regexp.MustCompile("^"+compared+"$")
	for _, sample := range samples {
		for name, value := range sample.Metric { // Prometheus knows no empty label
			if value == "" {
				delete(sample.Metric, name)
			}
		}
		if names.MatchString(string(sample.Metric[model.MetricNameLabel])) {
			all[sample.Metric.String()] = float64(sample.Value)
		}
	}
	return all
}

// compareSeries holds that got has what the page had before and after, and nothing else. What
// has changed between is somewhere between.
func compareSeries(t *testing.T, name string, got, before, after map[string]float64) {
	t.Helper()
	same := 0
	for series, value := range before {
		if v, ok := after[series]; !ok || v != value {
			continue
		}
		same++
		if g, ok := got[series]; !ok || g != value {
			t.Errorf("%s: %s is %v (%t), want %v", name, series, g, ok, value)
		}
	}
	for series := range got {
		_, was := before[series]
		if _, is := after[series]; !was && !is {
			t.Errorf("%s: %s is on no page", name, series)
		}
	}
	if same < 500 || len(got) == same {
		t.Errorf("%s: %d of %d series are the same on both pages: nothing settled, or nothing is live", name, same, len(got))
	}
}
