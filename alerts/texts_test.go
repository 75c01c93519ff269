package alerts_test

import (
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

// hostile is a value of a label that would break out of a query.
const hostile = `a"} or vector(1) #`

// sample is what a query in an annotation is answered with.
type sample struct {
	Labels map[string]string
	Value  float64
}

// queriesOf executes an annotation as Prometheus does and returns the queries that it asks,
// each of which has the same answer. Every label of the alert is hostile.
func queriesOf(t *testing.T, r rule, text string, answer []sample) (queries []string) {
	t.Helper()
	labels := map[string]string{}
	for _, l := range usedLabel.FindAllStringSubmatch(text, -1) {
		labels[l[1]] = hostile
	}
	functions := template.FuncMap{
		"query": func(q string) []sample {
			queries = append(queries, q)
			return answer
		},
		"first":            func(all []sample) sample { return all[0] },
		"sortByLabel":      func(_ string, all []sample) []sample { return all },
		"match":            regexp.MatchString,
		"reReplaceAll":     func(pattern, to, text string) string { return regexp.MustCompile(pattern).ReplaceAllString(text, to) },
		"humanize":         func(any) string { return "" },
		"humanizeDuration": func(any) string { return "" },
	}
	parsed, err := template.New(r.Alert).Option("missingkey=zero").Funcs(functions).Parse(`{{ $labels := .Labels }}{{ $value := .Value }}` + text)
	if err == nil {
		err = parsed.Execute(io.Discard, map[string]any{"Labels": labels, "Value": 1.0})
	}
	if err != nil {
		t.Fatalf("%s: %v", r.Alert, err)
	}
	return queries
}

// TestQueriesOfTexts holds that annotations ask about labels that there are, about the target
// and region or the job of the alert alone, and that no value of a label breaks out of its quotes.
func TestQueriesOfTexts(t *testing.T) {
	published := publishedOrRenamed(t)
	asked := 0
	for _, r := range rules(t) {
		for name, text := range r.Annotations {
			where := "imagebuilder.rules.yml: " + r.Alert + ", " + name
			known := queriesOf(t, r, text, []sample{{Labels: map[string]string{"tag_team": hostile}, Value: 1}})
			queries := slices.Concat(known, queriesOf(t, r, text, nil))
			for _, q := range queries {
				checkQuery(t, published, where, q)
			}
			asked += len(queries)
			var read []string
			for _, l := range readLabel.FindAllStringSubmatch(text, -1) {
				read = append(read, l[1])
			}
			published.CheckNames(t, where, strings.Join(queries, " "), read)
		}
	}
	if asked < 70 {
		t.Errorf("the texts ask only %d queries", asked)
	}
}

// checkQuery holds what a query of hostile labels has to be.
func checkQuery(t *testing.T, published promqltest.Labels, where, query string) {
	t.Helper()
	quoted := strings.ReplaceAll(query, strconv.Quote(hostile), `"x"`)
	if strings.Contains(quoted, "vector") {
		t.Errorf("%s: a label breaks out of %s", where, query)
	}
	published.Check(t, where, quoted)
	promqltest.CheckStatuses(t, where, quoted)
	for _, s := range selected.FindAllString(quoted, -1) {
		if !strings.Contains(s, `{target="x", region="x"`) && !strings.Contains(s, `{job="x"`) {
			t.Errorf("%s: %s is not limited to the alert", where, s)
		}
	}
}

var (
	readLabel = regexp.MustCompile(`[ (]\.Labels\.(\w+)`)
	selected  = regexp.MustCompile(`\bimagebuilder[_:][a-z0-9_:]+(\{[^}]*\})?`)
)

// page is where a description begins to lead to a page of the exporter.
var page = regexp.MustCompile(`\s*\{\{-? range \$i, \$_ := sortByLabel "url"`)

// TestTextsSayWhyAndWhoseInTheSameWords holds that what several alerts say has one wording:
// each alert on a pipeline ends with its tags and a link to a page of the exporter, and four alerts
// say why an image failed.
func TestTextsSayWhyAndWhoseInTheSameWords(t *testing.T) {
	reasons, tags, pages := map[string][]string{}, map[string][]string{}, map[string][]string{}
	for _, r := range rules(t) {
		text := r.Annotations["description"]
		if at := page.FindStringIndex(text); at != nil {
			pages[text[at[1]:]] = append(pages[text[at[1]:]], r.Alert)
			text = text[:at[0]]
		}
		if strings.Contains(text, "$labels.pipeline ") {
			_, words, _ := strings.Cut(text, `$sep := " Tags: "`)
			tags[words] = append(tags[words], r.Alert)
		}
		if _, words, found := strings.Cut(text, "{{- $image := "); found {
			words, _, _ = strings.Cut(words, " It failed in stage ")
			reasons[words] = append(reasons[words], r.Alert)
		}
	}
	if len(pages) != 3 { // of an execution, a pipeline and a target
		t.Errorf("pages: %q", pages)
	}
	if len(tags) != 1 || tags[""] != nil {
		t.Errorf("tags: %q", slices.Collect(maps.Values(tags)))
	}
	if len(reasons) != 1 {
		t.Errorf("reasons: %q", slices.Collect(maps.Values(reasons)))
	}
	for _, alerts := range reasons {
		if want := []string{"WorkflowFailed", "WorkflowFailedButImageAvailable", "ImageFailed", "PipelineFailingRepeatedly"}; !slices.Equal(alerts, want) {
			t.Errorf("%q say why, want %q", alerts, want)
		}
	}
}
