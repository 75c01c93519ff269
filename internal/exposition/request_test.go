package exposition

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The other Accept headers of Prometheus: version 3 with each of its scrape protocols alone,
// and with those of native histograms.
const (
	protobuf   = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	protobuf2  = protobuf + "," + prometheus2
	protobuf3  = protobuf + ";q=0.6," + prometheus3
	metrics100 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.2,*/*;q=0.1"
	metrics001 = "application/openmetrics-text;version=0.0.1;q=0.2,*/*;q=0.1"
	text100    = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.2,*/*;q=0.1"
	text004    = "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)

// accepts are what clients may send as Accept; "" stands for none.
func accepts() []string {
	all := []string{prometheus2, prometheus3, protobuf2, protobuf3, metrics100, metrics001, text100, text004, "", "*/*", "text/html", "nonsense;;q=x"}
	for _, scheme := range []string{"allow-utf-8", "underscores", "dots", "values", "nonsense"} {
		all = append(all, "text/plain;version=1.0.0;escaping="+scheme, "application/openmetrics-text;version=1.0.0;escaping="+scheme)
	}
	return all
}

// encodings are what clients may send as Accept-Encoding.
var encodings = []string{"gzip", "gzip", "gzip", "", "identity", "gzip;q=0", "deflate, gzip;q=1.0, *;q=0.5", "*", "nonsense;;q=x", "GZIP", "br"}

// selectedNames are what clients may send as name[].
var selectedNames = [][]string{
	nil, nil, nil,
	{"imagebuilder_up"},
	{"z", "imagebuilder_image_info", "a_total", "nothing"},
	{"nothing"},
	{""},
	{"imagebuilder_workflow_execution_info", "imagebuilder_workflow_execution_info"},
}

// pick returns one of all.
func pick[T any](random *rand.Rand, all []T) T { return all[random.IntN(len(all))] }

// randomRequest returns a scrape in some format.
func randomRequest(random *rand.Rand) *http.Request {
	r := request(pick(random, accepts()), pick(random, encodings), pick(random, selectedNames)...)
	for _, name := range []string{"Accept", "Accept-Encoding"} {
		if r.Header.Get(name) == "" {
			r.Header.Del(name)
		}
	}
	return r
}

// checkText holds that an answer is whole: each family has one HELP and one TYPE, and its rows
// in one place; families stand in the order of their names; the end is marked once, in
// OpenMetrics only.
func checkText(t testing.TB, text string, openMetrics bool) {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	if last := lines[len(lines)-1]; last != "" {
		t.Fatalf("the last line has no end: %q", last)
	}
	var comments, families []string
	for i, line := range lines[:len(lines)-1] {
		name, _, _ := strings.Cut(strings.TrimLeft(line, "#"), "{")
		fields := append(strings.Fields(name), "", "", "")
		switch {
		case line == "# EOF\n":
			comments = append(comments, "EOF")
			if i != len(lines)-2 {
				t.Errorf("# EOF stands in line %d of %d", i+1, len(lines)-1)
			}
		case strings.HasPrefix(line, "# HELP "):
			comments, families = append(comments, "HELP "+fields[1]), append(families, fields[1])
		case strings.HasPrefix(line, "# TYPE "):
			comments = append(comments, "TYPE "+fields[1])
		case strings.HasPrefix(line, "#") || len(families) == 0 || strings.TrimSuffix(fields[0], "_total") != strings.TrimSuffix(families[len(families)-1], "_total"):
			t.Errorf("line %d is in no family: %q", i+1, line)
		}
	}
	var want []string
	for _, name := range families {
		want = append(want, "HELP "+name, "TYPE "+name)
	}
	if openMetrics {
		want = append(want, "EOF")
	}
	if diff := cmp.Diff(want, comments); diff != "" {
		t.Errorf("comments (-want +got):\n%s", diff)
	}
	if !slices.IsSorted(families) || len(slices.Compact(families)) != len(want)/2 {
		t.Errorf("the families are %q", families)
	}
}
