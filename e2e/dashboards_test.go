package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

// dashboard is what a test has to know of a file in dashboards/.
type dashboard struct {
	Title      string
	Panels     []panel
	Templating struct {
		List []variable
	}
}

type panel struct {
	Type, Title string
	Targets     []struct {
		RefID, Expr string
		Instant     bool
	}
	Transformations []struct {
		Options struct {
			ExcludeByName map[string]bool
			IndexByName   map[string]int
		}
	}
}

// hasPlaceFor says whether a label of an answer is a column of p, or is left out of it.
func (p *panel) hasPlaceFor(label string) bool {
	if p.Type != "table" || len(p.Transformations) == 0 {
		return true
	}
	o := p.Transformations[len(p.Transformations)-1].Options
	_, column := o.IndexByName[label]
	return column || o.ExcludeByName[label]
}

type variable struct {
	Name, Type, Definition, Regex, AllValue string
	Multi                                   bool
}

// TestDashboards runs every query of every dashboard against a Prometheus that has
// scraped the demo, with everything chosen and with each single value of the variables. With
// everything chosen none is empty. Of what can only be chosen alone, as an execution, one has
// to have something: only some have failed or ended.
func TestDashboards(t *testing.T) {
	s := startDemo(t)
	files, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(files) != 4 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		t.Run(d.Title, func(t *testing.T) {
			values := map[string][]string{}
			all := map[string]string{}
			for _, v := range d.Templating.List {
				if v.Type != "query" {
					continue
				}
				if values[v.Name] = s.values(t, v, all); len(values[v.Name]) == 0 {
					t.Fatalf("the variable %s has no values", v.Name)
				}
				if all[v.Name] = v.AllValue; !v.Multi {
					all[v.Name] = values[v.Name][0]
				}
			}
			for _, p := range d.Panels {
				empty := s.show(t, p, all)
				for _, v := range d.Templating.List {
					each := values[v.Name]
					for i, value := range each {
						if i >= 4 && (v.Multi || len(empty) == 0) {
							break
						}
						chosen := maps.Clone(all)
						chosen[v.Name] = regexp.QuoteMeta(value)
						if still := s.show(t, p, chosen); !v.Multi {
							empty = slices.DeleteFunc(empty, func(ref string) bool { return !slices.Contains(still, ref) })
						}
					}
				}
				for _, ref := range empty {
					t.Errorf("%s, %s: nothing", p.Title, ref)
				}
			}
		})
	}
}

// startDemo starts the demo and a Prometheus, and returns when the rates of everything
// can be known, and alerts fire.
func startDemo(t *testing.T) testStack {
	t.Helper()
	prometheus, err := stack.Find("", "../bin/prometheus")
	if err != nil {
		t.Fatalf("%v: run make e2e, which builds it", err)
	}
	s := runStack(t, stack.Options{Dir: t.TempDir(), Exporter: exec.Command(binarytest.Path(t), "--demo", "--web.external-url=http://exporter.example"), Prometheus: prometheus, Interval: time.Second, Fast: true})
	s.until(t, "Prometheus has scraped the demo ten times, and alerts fire", func() bool {
		return len(s.query(t, "count_over_time(imagebuilder_up[1m]) >= 10")) == 2 && // targets
			len(s.query(t, `ALERTS{service="imagebuilder", alertstate="firing"}`)) > 0
	})
	return s
}

// answer is Prometheus' answer to a query.
type answer struct {
	Data struct {
		Result []struct {
			Metric map[string]string
		}
	}
	Warnings, Infos []string
}

// values returns what Grafana offers for a variable.
func (s testStack) values(t *testing.T, v variable, chosen map[string]string) []string {
	t.Helper()
	if m := labelValues.FindStringSubmatch(v.Definition); m != nil {
		var got struct{ Data []string }
		get(t, s.Prometheus.URL+"/api/v1/label/"+m[2]+"/values?match[]="+url.QueryEscape(expand(m[1], chosen)), &got)
		return got.Data
	}
	m := queryResult.FindStringSubmatch(v.Definition)
	if m == nil {
		t.Fatalf("variable %s: %s is neither label_values nor query_result", v.Name, v.Definition)
	}
	var got answer
	get(t, s.Prometheus.URL+"/api/v1/query?query="+url.QueryEscape(expand(m[1], chosen)), &got)
	var all []string
	for _, r := range got.Data.Result {
		text := fmt.Sprintf("{text=%q, workflow_execution_id=%q} 1 1", r.Metric["text"], r.Metric["workflow_execution_id"])
		pattern := regexp.MustCompile(strings.ReplaceAll(strings.Trim(v.Regex, "/"), "(?<", "(?P<"))
		match := pattern.FindStringSubmatch(text)
		if match == nil {
			t.Fatalf("variable %s: %s does not match %s", v.Name, v.Regex, text)
		}
		all = append(all, match[pattern.SubexpIndex("value")])
	}
	return all
}

var (
	labelValues = regexp.MustCompile(`^label_values\((.*), ([a-z_]+)\)$`)
	queryResult = regexp.MustCompile(`^query_result\((.*)\)$`)
	left        = regexp.MustCompile(`\$[a-zA-Z_{]+`)
)

// expand puts values in place of variables, as Grafana does.
func expand(expr string, chosen map[string]string) string {
	pairs := []string{"$__rate_interval", "30s", "$__range_s", "3600", "$__range", "1h", "$__interval", "15s"}
	for name, value := range chosen {
		pairs = append(pairs, "$"+name, strings.ReplaceAll(value, `\`, `\\`))
	}
	return strings.NewReplacer(pairs...).Replace(expr)
}

// show runs the queries of a panel, and returns those that are empty.
func (s testStack) show(t *testing.T, p panel, chosen map[string]string) (empty []string) {
	t.Helper()
	for _, target := range p.Targets {
		expr := expand(target.Expr, chosen)
		if v := left.FindString(expr); v != "" {
			t.Fatalf("%s, %s: there is no variable %s", p.Title, target.RefID, v)
		}
		now := time.Now()
		address := fmt.Sprintf("%s/api/v1/query_range?start=%d&end=%d&step=5&query=", s.Prometheus.URL, now.Add(-time.Minute).Unix(), now.Unix())
		if target.Instant {
			address = s.Prometheus.URL + "/api/v1/query?query="
		}
		var got answer
		get(t, address+url.QueryEscape(expr), &got)
		if len(got.Warnings)+len(got.Infos) > 0 {
			t.Errorf("%s, %s: %v %v\n%s", p.Title, target.RefID, got.Warnings, got.Infos, expr)
		}
		for _, r := range got.Data.Result {
			for label := range r.Metric {
				if !p.hasPlaceFor(label) {
					t.Fatalf("%s, %s: the label %s is neither a column nor left out", p.Title, target.RefID, label)
				}
			}
		}
		if len(got.Data.Result) == 0 {
			empty = append(empty, target.RefID)
		}
	}
	return empty
}
