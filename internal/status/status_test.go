package status

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const arnOf = "arn:aws:imagebuilder:eu-west-1:111122223333:"

// executionOf returns an execution with this number of the build with it.
func executionOf(n int, status imagebuilder.Status) lookup.Execution {
	v := &imagebuilder.Execution{
		ID: fmt.Sprintf("wf-00000000-0000-4000-8000-%012d", n), Status: status, WorkflowType: "BUILD",
		ImageBuildVersionARN: fmt.Sprintf("%simage/linux/1.0.0/%d", arnOf, n),
		Image:                imagebuilder.ImageBuildVersion{AccountID: "111122223333", Name: "linux", Version: fmt.Sprintf("1.0.0/%d", n)},
		Steps:                &imagebuilder.StepCounts{Total: 7, Succeeded: 4, Skipped: 1, Failed: 1},
		Start:                now.Add(-time.Duration(n) * time.Minute),
	}
	return lookup.Execution{ID: v.ID, Value: v, Pipeline: "Linux", ReadAt: now, LookedUp: true}
}

// get asks a page of snapshots.
func get(t *testing.T, all []lookup.Snapshot, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	h, err := New(func() []lookup.Snapshot { return all }, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func snapshot(executions ...lookup.Execution) []lookup.Snapshot {
	return []lookup.Snapshot{{Name: "golden", Region: "eu-west-1", Time: now, Up: true, RefreshEnded: true, Executions: executions}}
}

// hostile is what names and messages can be.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, "\u202egnp.exe\u2066", strings.Repeat("long", 2000), "{{.}}", "\x00\x1b[31m",
}

func TestHostileTextsAreText(t *testing.T) {
	for _, text := range hostile {
		e := executionOf(1, imagebuilder.Status(text))
		e.Value.Message, e.Value.WorkflowType, e.Value.Image.Name, e.Pipeline, e.Reason, e.Failure = text, text, text, text, text, "denied"
		e.Value.ImageBuildVersionARN = text
		e.Steps = []imagebuilder.Step{{ID: text, Name: text, Action: text, Status: text}}
		all := snapshot(e)
		all[0].Name = text
		all[0].Pipelines = []lookup.Pipeline{{Pipeline: &imagebuilder.Pipeline{ARN: text, Name: text, Status: text}}}
		all[0].Images = []lookup.Image{{Image: &imagebuilder.Image{ARN: text, Reason: text, Outputs: []imagebuilder.Output{{Region: text, ID: text}}}}}
		w := get(t, all, "/executions", "text/html")
		body := w.Body.String()
		for _, bad := range []string{"<script", "<img", " onmouseover", " onerror=alert(1)>", "style=", "javascript:"} {
			if strings.Contains(strings.ReplaceAll(body, "&#39; onmouseover", ""), bad) {
				t.Errorf("%q: the page contains %q", text, bad)
			}
		}
		if w.Code != http.StatusOK {
			t.Errorf("%q: status %d", text, w.Code)
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, path := range []string{"/executions", "/executions" + StylePath} {
		h := get(t, nil, path, "").Header()
		if got := h.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; style-src 'self'; form-action 'self'") || strings.Contains(got, "unsafe") {
			t.Errorf("%s: Content-Security-Policy %q", path, got)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestPagesAtATime(t *testing.T) {
	begun, end := make(chan struct{}, 10), make(chan struct{})
	h, err := New(func() []lookup.Snapshot { begun <- struct{}{}; <-end; return nil }, "")
	if err != nil {
		t.Fatal(err)
	}
	var pages sync.WaitGroup
	for range maxRenders {
		pages.Go(func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/executions", nil)) })
		<-begun
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/executions", nil))
	if w.Code != http.StatusServiceUnavailable || len(begun) > 0 {
		t.Errorf("one page too many got %d", w.Code)
	}
	close(end)
	pages.Wait()
}

// TestAPanicBlocksNoOtherPage asks for more pages than are rendered at a time.
func TestAPanicBlocksNoOtherPage(t *testing.T) {
	h, err := New(func() []lookup.Snapshot { panic("a bug") }, "")
	if err != nil {
		t.Fatal(err)
	}
	for range maxRenders + 1 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/executions", nil))
		if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "the page cannot be made: panic: a bug") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestQueriesThatCannotBe(t *testing.T) {
	for query, want := range map[string]string{
		"x=1":                    `the parameter "x" is unknown; allowed are order, page, pipeline, q, refresh, sort, status, target`,
		"sort=size":              `the parameter "sort" must be one of age, duration, image, pipeline, started, status, type`,
		"order=up":               `the parameter "order" must be asc or desc`,
		"page=0":                 `the parameter "page" must be a whole number from 1 to 100000`,
		"refresh=1":              `the parameter "refresh" must be a whole number from 5 to 3600`,
		"status=A&status=B":      `the parameter "status" must be given once`,
		"q=%zz":                  `the query cannot be read: invalid URL escape "%zz"`,
		"page=99999999999999999": `the parameter "page" must be a whole number from 1 to 100000`,
	} {
		w := get(t, nil, "/executions?"+query, "")
		if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusBadRequest || got != want {
			t.Errorf("%s: %d %s, want %s", query, w.Code, got, want)
		}
	}
}

// ids returns the executions of an answer as JSON, by their last digits.
func ids(t *testing.T, all []lookup.Snapshot, query string) []string {
	t.Helper()
	w := get(t, all, "/executions?"+query, "application/json")
	var p page
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	var got []string
	for _, target := range p.Targets {
		for _, e := range target.Executions {
			got = append(got, strings.TrimLeft(e.ID[len(e.ID)-12:], "0"))
		}
	}
	return got
}

func TestSortAndFilter(t *testing.T) {
	a, b, c := executionOf(1, "RUNNING"), executionOf(2, "FAILED"), executionOf(3, "COMPLETED")
	b.Value.Message, b.Pipeline, c.ReadAt = "Step 'Patch' failed", "Other", now.Add(-time.Hour)
	a.Value.Start, c.Value.End = time.Time{}, c.Value.Start.Add(time.Second)
	b.Value.End = b.Value.Start.Add(time.Minute)
	never := lookup.Execution{ID: "wf-00000000-0000-4000-8000-000000000004", LookedUp: true, Failure: imagebuilder.NotFound, Reason: "not there"}
	all := snapshot(a, b, c, never)
	for query, want := range map[string][]string{
		"":                        {"2", "3", "4", "1"},
		"sort=started&order=asc":  {"1", "4", "3", "2"},
		"sort=status":             {"4", "3", "2", "1"},
		"sort=status&order=desc":  {"1", "2", "3", "4"},
		"sort=duration":           {"1", "4", "3", "2"},
		"sort=pipeline":           {"4", "1", "3", "2"},
		"sort=age&order=desc":     {"4", "3", "2", "1"},
		"status=FAILED":           {"2"},
		"pipeline=Linux":          {"3", "1"},
		"q=patch":                 {"2"},
		"q=NOT+THERE":             {"4"},
		"target=golden&q=1.0.0/3": {"3"},
		"target=other":            nil,
		"status=&sort=&q=":        {"2", "3", "4", "1"},
	} {
		if diff := cmp.Diff(want, ids(t, all, query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

func TestPages(t *testing.T) {
	var many []lookup.Execution
	for n := range 2*pageSize + 1 {
		many = append(many, executionOf(n+1, "COMPLETED"))
	}
	all := snapshot(many...)
	seen := map[string]bool{}
	for page, want := range map[int]int{1: pageSize, 2: pageSize, 3: 1, 4: 0} {
		got := ids(t, all, "page="+strconv.Itoa(page))
		for _, id := range got {
			seen[id] = true
		}
		if len(got) != want {
			t.Errorf("page %d has %d executions, want %d", page, len(got), want)
		}
	}
	if len(seen) != len(many) {
		t.Errorf("the pages have %d executions of %d", len(seen), len(many))
	}
	if body := get(t, all, "/executions?page=2&status=COMPLETED", "").Body.String(); !strings.Contains(body, "Page 2 of 3") || !strings.Contains(body, "?page=3&amp;status=COMPLETED") {
		t.Error("the second page does not lead to the third")
	}
}

func TestConsole(t *testing.T) {
	for arn, want := range map[string]string{
		arnOf + "image/linux/1.0.0/1":                                            "https://eu-west-1.console.aws.amazon.com/imagebuilder/home?region=eu-west-1#/images/" + arnOf + "image/linux/1.0.0/1",
		"arn:aws-cn:imagebuilder:cn-north-1:111122223333:image-pipeline/a":       "https://cn-north-1.console.amazonaws.cn/imagebuilder/home?region=cn-north-1#/pipelines/arn:aws-cn:imagebuilder:cn-north-1:111122223333:image-pipeline/a",
		"arn:aws-us-gov:imagebuilder:us-gov-west-1:111122223333:image/a/1.0.0/1": "https://us-gov-west-1.console.amazonaws-us-gov.com/imagebuilder/home?region=us-gov-west-1#/images/arn:aws-us-gov:imagebuilder:us-gov-west-1:111122223333:image/a/1.0.0/1",
		"arn:aws-iso:imagebuilder:us-iso-east-1:111122223333:image/a/1.0.0/1":    "",
		"arn:aws:imagebuilder:evil.example/:111122223333:image/a/1.0.0/1":        "",
		"arn:aws:imagebuilder:eu-west-1:111122223333:image/\"><script>/1.0.0/1":  "",
		"arn:aws:imagebuilder:eu-west-1:111122223333:component/linux/1.0.0/1":    "",
		"": "",
	} {
		if got := consoleURL(arn); got != want {
			t.Errorf("%s: %q, want %q", arn, got, want)
		}
	}
}

func TestWhoGetsJSON(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": true, "text/html": false,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": false,
		"application/json;q=0.5, text/html":                               false, "application/json, text/html;q=0.5": true, "application/*": true, "nonsense;;": false,
	} {
		if got := wantsJSON([]string{accept}); got != want {
			t.Errorf("%q: JSON is %t, want %t", accept, got, want)
		}
	}
}

// TestThePage reads the page as a browser does: well formed, every id once, every link
// within it leads somewhere, and nothing is fetched from elsewhere.
func TestThePage(t *testing.T) {
	e := executionOf(1, "RUNNING")
	e.Steps = []imagebuilder.Step{{ID: "step-1", Name: "Patch", Action: "ExecuteComponents", Status: "WAITING", Start: now}}
	all := snapshot(e, executionOf(2, "FAILED"))
	all[0].Waiting = []imagebuilder.WaitingStep{{ExecutionID: e.ID, ID: "step-1", Name: "Patch", Since: now}}
	all = append(all, all[0], lookup.Snapshot{Name: "empty", Region: "eu-west-1", Time: now})
	body := get(t, all, "/executions", "").Body.String()
	seen := map[string]bool{}
	for _, id := range idPattern.FindAllStringSubmatch(body, -1) {
		if seen[id[1]] {
			t.Errorf("the id %s is there twice", id[1])
		}
		seen[id[1]] = true
	}
	checkLinks(t, body)
	if got := regexp.MustCompile(`(?:src|<link[^>]* href)="([^"]*)"`).FindAllString(body, -1); len(got) != 1 || !strings.Contains(got[0], `href="executions/style.css"`) {
		t.Errorf("it fetches %v", got)
	}
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta", "link", "input"}, xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the page is not well formed: %v", err)
		}
	}
	for _, text := range []string{"6 of 7 steps ended: 4 succeeded, 1 skipped, 1 failed", "6/7", "Waiting for an approval", "Nothing is known yet", `aria-sort="descending"`} {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

// TestContrast holds that text can be read on what it stands on, light and dark
// (WCAG 2.2, 1.4.3).
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("style.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(css), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("there are no dark colours")
	}
	for name, part := range map[string]string{"light": light, "dark": dark} {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z]+): #([0-9a-f]{6})`).FindAllStringSubmatch(part, -1) {
			colour[m[1]] = m[2]
		}
		for _, text := range []string{"text", "quiet", "link", "good", "failed", "running", "waiting"} {
			for _, on := range []string{"page", "raised"} {
				if c := contrast(t, colour[text], colour[on]); c < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want 4.5", name, text, on, c)
				}
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	l := []float64{luminance(t, a), luminance(t, b)}
	slices.Sort(l)
	return (l[1] + 0.05) / (l[0] + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatalf("%q is no colour", hex)
	}
	linear := func(shift int) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}
