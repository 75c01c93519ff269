package dashboards_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// file is where labels and statuses stand in a file of dashboards/.
type file struct {
	Templating struct{ List []struct{ Query any } }
	Panels     []panel
}

type panel struct {
	Title           string
	Targets         []struct{ Expr, LegendFormat string }
	Transformations []struct {
		Options struct {
			ExcludeByName, IndexByName map[string]any
			RenameByName               map[string]string
			ColumnField, RowField      string
		}
	}
	FieldConfig struct {
		Defaults  struct{ Mappings []mapping }
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
}

// mapping says how values are shown.
type mapping struct {
	Type    string
	Options json.RawMessage
}

// exprs returns the expressions of p, and what is shown of each series.
func (p *panel) exprs() (exprs, legends []string) {
	for _, q := range p.Targets {
		exprs, legends = append(exprs, q.Expr), append(legends, q.LegendFormat)
	}
	return exprs, legends
}

// columns returns the columns that the transformations of p name, and the names that they
// get.
func (p *panel) columns() (from, to []string) {
	for _, tr := range p.Transformations {
		o := tr.Options
		for _, names := range []map[string]any{o.ExcludeByName, o.IndexByName} {
			from = slices.AppendSeq(from, maps.Keys(names))
		}
		for name, renamed := range o.RenameByName {
			from, to = append(from, name), append(to, renamed)
		}
		from = append(from, o.ColumnField, o.RowField)
	}
	from = slices.DeleteFunc(from, func(name string) bool {
		return name == "" || name == "Time" || name == "Value" || strings.HasPrefix(name, "Value #") || strings.Contains(name, `\`)
	})
	return from, to
}

// TestDashboardsUseLabelsAndStatusesThatThereAre holds queries, legends, columns, links and
// mappings of values against the labels of the metrics and the tables of statuses.
func TestDashboardsUseLabelsAndStatusesThatThereAre(t *testing.T) {
	labels := promqltest.Published(t, "../testdata/metrics.txt")
	_, text := dashboards(t)
	for name, raw := range text {
		var f file
		if err := json.Unmarshal([]byte(raw), &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, v := range f.Templating.List {
			if query, ok := v.Query.(map[string]any); ok {
				labels.Check(t, name+": a variable", query["query"].(string))
			}
		}
		for _, p := range f.Panels {
			where := name + ": " + p.Title
			p.checkLabels(t, where, labels)
			p.checkStatuses(t, where, labels)
		}
		for _, field := range linkField.FindAllStringSubmatch(raw, -1) {
			labels.CheckNames(t, name+": a link", "", []string{field[1]}, f.renamed()...)
		}
	}
}

// renamed returns the names that columns get in any panel of f.
func (f *file) renamed() (all []string) {
	for _, p := range f.Panels {
		_, to := p.columns()
		all = append(all, to...)
	}
	return all
}

var (
	linkField   = regexp.MustCompile(`\$\{__data\.fields\.(\w+)\}`)
	legendLabel = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
)

func (p *panel) checkLabels(t *testing.T, where string, labels promqltest.Labels) {
	t.Helper()
	exprs, legends := p.exprs()
	for i, expr := range exprs {
		labels.Check(t, where, expr)
		for _, l := range legendLabel.FindAllStringSubmatch(legends[i], -1) {
			labels.CheckNames(t, where+", a legend", expr, []string{l[1]})
		}
	}
	from, _ := p.columns()
	labels.CheckNames(t, where+", a column", strings.Join(exprs, "\n"), from)
}

func (p *panel) checkStatuses(t *testing.T, where string, labels promqltest.Labels) {
	t.Helper()
	exprs, _ := p.exprs()
	for _, expr := range exprs {
		promqltest.CheckStatuses(t, where, expr)
	}
	mappings := p.FieldConfig.Defaults.Mappings
	var fields []string
	for _, o := range p.FieldConfig.Overrides {
		if o.Matcher.ID == "byName" {
			fields = append(fields, o.Matcher.Options)
		}
		for _, property := range o.Properties {
			if property.ID == "mappings" {
				var more []mapping
				if err := json.Unmarshal(property.Value, &more); err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				mappings = append(mappings, more...)
			}
		}
	}
	labels.CheckShown(t, where+", its colours", fields, exprs)
	for _, m := range mappings {
		p.checkMapping(t, where, m, labels)
	}
}

// checkMapping holds that a mapping has every status that p shows, and that a timeline names
// its numbers as its expression makes them.
func (p *panel) checkMapping(t *testing.T, where string, m mapping, labels promqltest.Labels) {
	t.Helper()
	if m.Type != "value" {
		return
	}
	var options map[string]struct{ Text string }
	if err := json.Unmarshal(m.Options, &options); err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	exprs, _ := p.exprs()
	labels.CheckShown(t, where+", its mapping", slices.Collect(maps.Keys(options)), exprs)
	made := map[string]string{}
	for _, s := range numberedStatus.FindAllStringSubmatch(strings.Join(exprs, "\n"), -1) {
		made[s[1]] = s[2]
	}
	if len(made) == 0 {
		return
	}
	named := map[string]string{}
	for number, o := range options {
		named[number] = o.Text
	}
	if diff := cmp.Diff(made, named); diff != "" {
		t.Errorf("%s: statuses by their numbers (-expression +mapping):\n%s", where, diff)
	}
}

var numberedStatus = regexp.MustCompile(`(\d+) \* \(?imagebuilder_\w+\{[^}]*\bstatus="(\w+)"\}`)
