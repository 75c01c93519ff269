package imagebuilder

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// total sums the series of a counter that have the label value, or all of them when
// it is empty.
func total(t *testing.T, g prometheus.Gatherer, name, value string) int {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && (l.GetValue() == value || value == "" && l.GetName() == "target") {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return int(sum)
}

func TestErrorCodesAreBounded(t *testing.T) {
	m := NewMetrics(prometheus.NewRegistry())
	for i := range maxCodes {
		code := "Code" + strings.Repeat("x", i)
		if got := m.code(code); got != code {
			t.Errorf("code %d: got %s", i, got)
		}
	}
	for _, code := range []string{"OneMore", "", "a b", "Übel", strings.Repeat("x", 65)} {
		if got := m.code(code); got != "Other" {
			t.Errorf("code %q: got %s, want Other", code, got)
		}
	}
	longest := strings.Repeat("x", 64)
	for code, want := range map[string]string{longest: longest, longest + "x": "Other"} {
		if got := NewMetrics(prometheus.NewRegistry()).code(code); got != want {
			t.Errorf("the first code, %q: got %s, want %s", code, got, want)
		}
	}
	if got := m.code("Code"); got != "Code" {
		t.Errorf("a code that is known: got %s", got)
	}
}

func TestMetricsAreDeclared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, reg := newTestClient(t, always(nil))
		if n, err := testutil.GatherAndCount(reg, "imagebuilder_exporter_api_requests_total", "imagebuilder_exporter_invalid_responses_total"); n != 12 || err != nil {
			t.Errorf("%d series exist before the first request, want 12 (%v)", n, err)
		}
		problems, err := testutil.GatherAndLint(reg)
		if err != nil || len(problems) > 0 {
			t.Error(problems, err)
		}
	})
}
