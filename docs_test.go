package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// families returns the names of all metrics that there can be.
func families(t *testing.T, e *Exporter) map[string]bool {
	t.Helper()
	descs := make(chan *prometheus.Desc, 100)
	collector.New(t.Context(), e.sources, e.options).Describe(descs)
	e.own.Describe(descs)
	close(descs)
	names := map[string]bool{}
	for d := range descs {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		names[name] = true
	}
	return names
}

// TestDocs holds docs/metrics.md and the code against each other, and every metric
// that any document or dashboard names against both.
func TestDocs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		e := newTestExporter(t, api, defaultLimits(), ids...)
		doc, err := os.ReadFile("docs/metrics.md")
		if err != nil {
			t.Fatal(err)
		}
		documented := map[string]bool{}
		for _, line := range strings.Split(string(doc), "\n") {
			if name, ok := strings.CutPrefix(line, "| `imagebuilder_"); ok {
				name, _, _ = strings.Cut(name, "`")
				documented["imagebuilder_"+name] = true
			}
		}
		code := families(t, e)
		code["imagebuilder_exporter_build_info"] = true // main adds it
		if diff := cmp.Diff(code, documented); diff != "" {
			t.Errorf("metrics in the code and in docs/metrics.md (-code +docs):\n%s", diff)
		}
		for _, file := range []string{"README.md", "docs/*.md", "dashboards/*"} {
			checkNames(t, file, code)
		}
	})
}

// TestTheGoldenIsComplete holds that no metric escapes the golden, and so promtool.
func TestTheGoldenIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		e := newTestExporter(t, api, defaultLimits(), ids...)
		golden, err := os.ReadFile("testdata/metrics.txt")
		if err != nil {
			t.Fatal(err)
		}
		for name := range families(t, e) {
			if !strings.Contains(string(golden), "\n# TYPE "+name+" ") && !strings.HasPrefix(string(golden), "# HELP "+name+" ") {
				t.Errorf("testdata/metrics.txt has no %s", name)
			}
		}
	})
}

// checkNames holds that there are all metrics that the files name.
func checkNames(t *testing.T, pattern string, code map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metricName.FindAllString(string(text), -1) {
			if base := strings.TrimSuffix(name, "_bucket"); !code[base] && base != "imagebuilder_exporter" {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
}

var metricName = regexp.MustCompile(`\bimagebuilder_[a-z_]+`)

// TestEveryFlagIsDocumented holds docs/configuration.md against the command line.
func TestEveryFlagIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	app, _ := newApp()
	for _, f := range app.Model().Flags {
		long := "`--" + f.Name + "`"
		if f.IsBoolFlag() && !f.Hidden && strings.HasPrefix(f.Name, "collector.") {
			long = "`--[no-]" + f.Name + "`"
		}
		if !f.Hidden && !strings.Contains(string(doc), long) {
			t.Errorf("docs/configuration.md does not have %s", long)
		}
	}
}

// TestWhatItCosts plays two hours of each set-up in docs/configuration.md and counts
// the requests.
func TestWhatItCosts(t *testing.T) {
	doc, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := costRow.FindAllStringSubmatch(string(doc), -1)
	if len(rows) < 6 {
		t.Fatalf("%d set-ups are documented", len(rows))
	}
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			interval, err := time.ParseDuration(row[5])
			if err != nil {
				t.Fatal(err)
			}
			n := func(i int) int {
				v, _ := strconv.Atoi(strings.ReplaceAll(row[i], ",", "")) // digits, by the pattern
				return v
			}
			synctest.Test(t, func(t *testing.T) {
				first, further := requests(t, n(1), n(2), n(3), n(4), interval)
				if first != n(6) || further != n(7) {
					t.Errorf("%d requests in the first hour and %d in the second; documented are %d, %d", first, further, n(6), n(7))
				}
			})
		})
	}
}

// costRow is: running, ended and forgotten executions, Prometheus servers, their
// interval, requests in the first hour and in each further one.
var costRow = regexp.MustCompile(`(?m)^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\w+) \| ([\d,]+) \| ([\d,]+) \|$`)

// requests returns how many requests a set-up makes in its first two hours.
func requests(t *testing.T, running, ended, forgotten, servers int, interval time.Duration) (first, second int) {
	var runs []emulator.Run
	var ids []string
	for i := range running + ended + forgotten {
		takes := 1000 * time.Hour
		if i >= running {
			takes = time.Minute
		}
		if i < running+ended {
			runs = append(runs, emulator.Run{ID: testID(i), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: takes}}})
		}
		ids = append(ids, testID(i))
	}
	api := &emulator.API{Scenario: emulator.Runs(runs...)}
	e := newTestExporter(t, api, defaultLimits(), ids...)
	begin := time.Now()
	hour := func(n int) int {
		before := api.Requests("GetWorkflowExecution")
		var all sync.WaitGroup
		for i := range servers {
			all.Go(func() {
				at := begin.Add(time.Duration(n)*time.Hour + time.Duration(i)*interval/time.Duration(servers))
				for ; at.Before(begin.Add(time.Duration(n+1) * time.Hour)); at = at.Add(interval) {
					<-time.After(time.Until(at))
					ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
					e.sources[0].Lookup(ctx)
					cancel()
				}
			})
		}
		all.Wait()
		return api.Requests("GetWorkflowExecution") - before
	}
	return hour(0), hour(1)
}
