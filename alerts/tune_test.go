package alerts_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// threshold is a number in an alert's expression that people may change.
type threshold struct{ Operator, Default, Meaning string }

// thresholds returns those of thresholds.yml, by alert.
func thresholds(t *testing.T) (all map[string]threshold) {
	t.Helper()
	text, err := os.ReadFile("thresholds.yml")
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestThresholds holds that each one stands once in the rules of its alert, and says what it
// is.
func TestThresholds(t *testing.T) {
	expressions := map[string]string{}
	for _, r := range rules(t) {
		expressions[r.Alert] += r.Expr
	}
	for alert, th := range thresholds(t) {
		expr, ok := expressions[alert]
		if !ok || alert == "" {
			t.Errorf("thresholds.yml has %s, which is no alert", alert)
			continue
		}
		// The chart replaces every occurrence, also one within a longer number.
		text := th.Operator + " " + th.Default
		if whole := regexp.MustCompile(regexp.QuoteMeta(text) + `(?:[^0-9.]|$)`); strings.Count(expr, text) != 1 || !whole.MatchString(expr) {
			t.Errorf("%s does not have %q once:\n%s", alert, text, expr)
		}
		if th.Meaning == "" {
			t.Errorf("thresholds.yml does not say what that of %s means", alert)
		}
	}
}

// TestTextsNameNothingThatIsTuned holds that what people read stays true when they change
// how long an alert waits, or its threshold.
func TestTextsNameNothingThatIsTuned(t *testing.T) {
	duration := regexp.MustCompile(`\b(minutes?|hours?|[0-9]+ days)\b`)
	for _, r := range rules(t) {
		for _, name := range []string{"summary", "description"} {
			if found := duration.FindString(r.Annotations[name]); found != "" {
				t.Errorf("the %s of %s speaks of %q: %s", name, r.Alert, found, r.Annotations[name])
			}
		}
	}
}

// TestTheScriptForTheRules runs the sed script of docs/alerts.md, and holds that it makes of
// the rules what the page says.
func TestTheScriptForTheRules(t *testing.T) {
	page, err := os.ReadFile("testdata/alerts.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile("(?s)```sed\n(.*?)```").FindSubmatch(page)
	if script == nil {
		t.Fatal("testdata/alerts.md.tmpl has no sed script")
	}
	sed := exec.CommandContext(t.Context(), "sed", string(script[1]), "imagebuilder.rules.yml")
	tuned, err := sed.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []rule
	for _, r := range rules(t) {
		switch r.Alert {
		case "NoRecentGoodImage":
			th := thresholds(t)[r.Alert]
			r.Expr = strings.Replace(r.Expr, th.Operator+" "+th.Default, "> 60 * 86400", 1)
		case "ImageStuck":
			r.For, r.Labels["severity"] = "2h", "critical"
		case "PipelineMissedRun":
			continue
		}
		want = append(want, r)
	}
	if diff := cmp.Diff(want, decodeRules(t, tuned)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
