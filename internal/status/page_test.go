package status

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

var (
	idPattern  = regexp.MustCompile(` id="([^"]*)"`)
	rowPattern = regexp.MustCompile(`href="#([^"]*)"`)

	executionPattern = regexp.MustCompile(`href="executions/(wf-[^"]*)"`)
)

// checkLinks holds that every link within a page leads to something on it.
func checkLinks(t *testing.T, body string) {
	t.Helper()
	there := map[string]bool{}
	for _, id := range idPattern.FindAllStringSubmatch(body, -1) {
		there[id[1]] = true
	}
	for _, to := range rowPattern.FindAllStringSubmatch(body, -1) {
		if !there[to[1]] {
			t.Errorf("a link leads to %s, which is not there", to[1])
		}
	}
}

// checkWellFormed holds that what is opened is closed.
func checkWellFormed(t *testing.T, body string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta", "link", "input"}, xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
	}
}

// page returns what a reader gets.
func pageOf(t *testing.T, all []lookup.Snapshot, query string) string {
	t.Helper()
	w := get(t, all, "/executions?"+query, "text/html")
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d: %s", query, w.Code, w.Body)
	}
	return w.Body.String()
}

// TestAPageOfVeryMany holds that it stays of a size that browsers show, and that what is
// on another page can be reached.
func TestAPageOfVeryMany(t *testing.T) {
	const many = 10000
	all := snapshot()
	s := &all[0]
	for n := 1; n <= many; n++ {
		e := executionOf(n, "RUNNING")
		e.Pipeline = fmt.Sprintf("pipeline-%05d", n)
		s.Executions = append(s.Executions, e)
		s.Images = append(s.Images, lookup.Image{Image: &imagebuilder.Image{ARN: e.Value.ImageBuildVersionARN, Status: "BUILDING", Build: e.Value.Image}})
		s.Pipelines = append(s.Pipelines, lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{ARN: arnOf + "image-pipeline/p", Name: e.Pipeline}})
		s.Waiting = append(s.Waiting, lookup.WaitingStep{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: e.ID, Name: "Approve", Since: now}})
	}
	body := pageOf(t, all, "sort=started&order=asc&pipeline=pipeline-10000")
	if !strings.Contains(body, `<option value="pipeline-10000" selected>`) {
		t.Error("what is chosen cannot be seen, for it is not among the first to choose from")
	}
	body = pageOf(t, all, "sort=started&order=asc")
	if rows := strings.Count(body, "<tr"); len(body) > 1<<20 || rows > 3*(pageSize+1) || strings.Count(body, "<option") > maxOptions+10 || !strings.Contains(body, "<option disabled>and 9500 more") {
		t.Errorf("the page has %d bytes, %d rows and %d options", len(body), rows, strings.Count(body, "<option"))
	}
	for _, text := range []string{"Page 1 of 100: 10000 executions, 10000 images, 10000 pipelines", "and 9990 more"} {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	checkLinks(t, body)
	for _, to := range executionPattern.FindAllStringSubmatch(body, -1)[:maxNotices] {
		if w := get(t, all, "/executions/"+to[1], "text/html"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), to[1]) {
			t.Errorf("%s does not lead to its execution: %d", to[1], w.Code)
		}
	}
}

// TestWhatIsNotKnown holds that the page says nothing that it does not know.
func TestWhatIsNotKnown(t *testing.T) {
	old := lookup.Execution{ID: executionOf(1, "").ID, LookedUp: true, Failure: imagebuilder.Throttled, Reason: "too many"}
	fresh := snapshot(executionOf(1, "RUNNING"))
	silent := snapshot()
	silent[0].RefreshEnded, silent[0].Up = false, false
	down := snapshot()
	down[0].Up = false
	both := append(snapshot(), down[0])
	for _, c := range []struct {
		name      string
		all       []lookup.Snapshot
		says, not []string
	}{
		{"not scraped yet", silent, []string{"The exporter has not been scraped yet", "There is no data yet", "not scraped yet"}, []string{"> up<", "> down<"}},
		{"one of two was scraped", append(snapshot(), silent[0]), []string{"1 of 2 targets up, the others have not been scraped yet", "</span> up<"}, []string{"> down<"}},
		{"one is down", both, []string{"1 of 2 targets down", `<a href="executions?region=eu-west-1&amp;target=golden"><bdi>golden eu-west-1</bdi></a>`, "</span> down<"}, nil},
		{"the only one is down", down, []string{"1 of 1 target down"}, nil},
		{"the only one is up", fresh, []string{"The target is up."}, nil},
		{"all three are up", append(snapshot(), fresh[0], fresh[0]), []string{"All 3 targets are up."}, nil},
		{"both are up", append(snapshot(), fresh[0]), []string{"Both targets are up."}, []string{"> down<"}},
		{"the value is too old", snapshot(old), []string{"no recent value", "<strong>throttled</strong>", "not known"}, []string{"not looked up yet"}},
		{"not looked up yet", snapshot(lookup.Execution{ID: old.ID}), []string{"not looked up yet"}, []string{"no recent value"}},
		{"nothing", nil, []string{"No target is configured."}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := pageOf(t, c.all, "")
			for _, text := range c.says {
				if !strings.Contains(body, text) {
					t.Errorf("the page does not say %q", text)
				}
			}
			for _, text := range c.not {
				if strings.Contains(body, text) {
					t.Errorf("the page says %q", text)
				}
			}
		})
	}
	if body := get(t, silent, "/executions", "application/json").Body.String(); strings.Contains(body, `"up"`) {
		t.Errorf("whether it is up is not known, and the JSON says\n%s", body)
	}
}

// TestWhatWasReadJustNow holds that what was read within this second is not of the future.
func TestWhatWasReadJustNow(t *testing.T) {
	e := executionOf(1, "RUNNING")
	e.ReadAt = time.Now()
	if body := pageOf(t, snapshot(e), ""); !strings.Contains(body, `<td class="number wide">0s ago`) {
		t.Errorf("the age of a fresh value is not 0s ago:\n%s", body)
	}
}

func TestCountsLeadToTheirExecutions(t *testing.T) {
	all := snapshot(executionOf(1, "RUNNING"), executionOf(2, "FAILED"), executionOf(3, "RUNNING"))
	body := pageOf(t, all, "q=linux")
	if !strings.Contains(body, "3 executions: 2 RUNNING, 1 FAILED; 3 matching.") || !strings.Contains(body, `<a href="?q=linux&amp;status=FAILED">`) {
		t.Errorf("the counts are not there:\n%s", body)
	}
	p := newPage(twoPipelines(), query{Page: 1, Sort: "started", Pipeline: "Linux", Status: "FAILED"}, now)
	if diff := cmp.Diff([]count{{"RUNNING", 2}}, p.Counts); diff != "" || p.Executions.All != 0 {
		t.Errorf("of another status than the chosen one, Linux has (-want +got):\n%s", diff)
	}
}

// TestWhatIsShownMayBeOld some minutes after the last scrape.
func TestWhatIsShownMayBeOld(t *testing.T) {
	all := append(snapshot(), snapshot()[0])
	for _, c := range []struct {
		age  time.Duration
		says string
	}{{time.Minute, "Both targets are up."}, {6 * time.Minute, "data may be stale: the last complete refresh of a target was 6m"}} {
		all[0].LastSuccess, all[1].LastSuccess = time.Now(), time.Now().Add(-c.age)
		if body := pageOf(t, all, ""); !strings.Contains(body, c.says) || strings.Contains(body, "Both targets are up.") != (c.age == time.Minute) {
			t.Errorf("after %s the page does not say %q alone", c.age, c.says)
		}
	}
	first := snapshot(executionOf(1, "RUNNING"))
	first[0].RefreshEnded, first[0].Up = false, false
	if body := pageOf(t, first, ""); !strings.Contains(body, "The first scrape is still running") || strings.Contains(body, "has not been scraped") {
		t.Errorf("during the first scrape the page says\n%s", body)
	}
}

// TestEveryFieldIsDocumented holds docs/operations.md against the JSON.
func TestEveryFieldIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{page{}, targetSection{}, execution{}, steps{}, step{}, waiting{}, image{}, pipeline{}, build{}, detail{}, found{}, selector{}, imageSelector{}, lookupError{}} {
		for f := range reflect.TypeOf(v).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" && name != "-" && !strings.Contains(string(doc), "`"+name+"`") {
				t.Errorf("docs/operations.md does not have %s of a %T", name, v)
			}
		}
	}
}

func TestManyImagesHavePages(t *testing.T) {
	all := snapshot(lookup.Execution{ID: executionOf(1, "").ID})
	for range pageSize + 1 {
		all[0].Images = append(all[0].Images, lookup.Image{Image: &imagebuilder.Image{ARN: "arn"}})
	}
	if body := pageOf(t, all, ""); !strings.Contains(body, "Page 1 of 2: 1 execution, 101 images") {
		t.Error("the second page of images cannot be reached")
	}
}

func TestWhatIsNotKnownIsNoOption(t *testing.T) {
	body := pageOf(t, snapshot(lookup.Execution{ID: executionOf(1, "").ID}), "")
	if n := strings.Count(body, `<option value=""`); n != 4 {
		t.Errorf("there are %d empty options, want the four that show all", n)
	}
}

// TestProblems holds that the page says what fails, also where there is no execution that
// could bear it.
func TestProblems(t *testing.T) {
	s := snapshot()
	s[0].Selectors = []lookup.SelectorMatches{{Selector: "name=web", Matches: 1}}
	s[0].ImageSelectors = []lookup.SelectorMatches{{Selector: "name=db", Matches: 2}}
	s[0].Images = []lookup.Image{{Image: &imagebuilder.Image{ARN: "arn"}}}
	quiet := pageOf(t, s, "")
	for _, text := range []string{"Selectors that match no pipeline", "Selectors that match no image", "Lookups that fail", "executions: ", "more</"} {
		if strings.Contains(quiet, text) {
			t.Errorf("nothing fails, and the page says %q", text)
		}
	}
	s[0].Images[0].Failure, s[0].Images[0].Reason = imagebuilder.NotFound, "<forgotten>"
	for n := range maxProblems + 2 {
		s[0].Selectors = append(s[0].Selectors, lookup.SelectorMatches{Selector: fmt.Sprintf("name=<%d>", n)})
		s[0].Errors = append(s[0].Errors, lookup.FailedLookup{Operation: "GetImage", Subject: "arn-1", Class: imagebuilder.Denied, Reason: "<no>"})
	}
	s[0].Errors[0].Subject = ""
	s[0].ImageSelectors = append(s[0].ImageSelectors, lookup.SelectorMatches{Selector: "tag:<i>"})
	body := pageOf(t, s, "")
	for text, n := range map[string]int{
		"Selectors that match no image": 1, "<code>tag:&lt;i&gt;</code>": 1, "name=db": 0,
		"Selectors that match no pipeline": 1, "<code>name=&lt;0&gt;</code>": 1, "name=web": 0, "<code>name=": maxProblems,
		"<strong>denied</strong>: <bdi>&lt;no&gt;</bdi>": maxProblems, "<bdi>arn-1</bdi>": maxProblems - 1,
		"the account": 1, "and 2 more": 2, "executions: not_found: <bdi>&lt;forgotten&gt;</bdi>": 1,
	} {
		if got := strings.Count(body, text); got != n {
			t.Errorf("the page says %q %d times, want %d", text, got, n)
		}
	}
	asJSON := get(t, s, "/executions", "application/json").Body.String()
	for _, text := range []string{
		`"selectors":[{"selector":"name=web","pipelines":1}`, `"image_selectors":[{"selector":"name=db","images":2}`, `"lookup_errors_omitted":2`,
		`{"operation":"GetImage","lookup_error_class":"denied","lookup_error":"`, `"lookup_error_class":"not_found"`,
	} {
		if !strings.Contains(asJSON, text) {
			t.Errorf("the JSON does not have %s", text)
		}
	}
}

func TestDiscoveryInterval(t *testing.T) {
	for _, c := range []struct {
		name       string
		interval   time.Duration
		html, json string
	}{
		{"it is shown as it is used", 1153 * time.Second, "discovery interval 19m 13s", `"discovery_interval_seconds":1153`},
		{"there is no discovery", 0, "", ""},
	} {
		all := snapshot(executionOf(1, "RUNNING"))
		all[0].DiscoveryInterval = c.interval
		for accept, want := range map[string]string{"text/html": c.html, "application/json": c.json} {
			body := get(t, all, "/executions", accept).Body.String()
			if want == "" && strings.Contains(body, "discovery") || !strings.Contains(body, want) {
				t.Errorf("%s, as %s: the page lacks %q, or has it without discovery:\n%s", c.name, accept, want, body)
			}
		}
	}
}
