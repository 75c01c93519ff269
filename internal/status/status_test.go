package status

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

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
	h, err := New(Config{Snapshots: func() []lookup.Snapshot { return all }, Version: "1.2.3"})
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

func hostileFailure(text string) *imagebuilder.Failure {
	return &imagebuilder.Failure{
		Stage: imagebuilder.ImageStatus(text), Step: text, ExecutionID: text,
		Component: &imagebuilder.ComponentFailure{ARN: text, Phase: text, Step: text, Action: text, Message: text},
		Distribution: &imagebuilder.DistributionFailure{Message: text, Regions: []imagebuilder.RegionFailure{
			{Region: text, AccountID: text, Status: text, ConfigurationStep: text, Message: text},
		}},
	}
}

func TestHostileTextsAreText(t *testing.T) {
	for _, text := range hostile {
		e := executionOf(1, imagebuilder.Status(text))
		e.Value.Message, e.Value.WorkflowType, e.Value.Image.Name, e.Pipeline, e.Reason, e.Failure = text, text, text, text, text, "denied"
		e.Value.ImageBuildVersionARN = text
		e.Steps = []imagebuilder.Step{{ID: text, Name: text, Action: text, Status: text, Message: text}}
		all := snapshot(e)
		all[0].Name = text
		all[0].TagLabels = []string{text}
		all[0].Pipelines = []lookup.Pipeline{{Pipeline: &imagebuilder.Pipeline{
			ARN: text, Name: text, Status: text, LogGroup: text, Tags: map[string]string{text: text},
			Schedule: &imagebuilder.Schedule{Expression: text, Timezone: text, StartCondition: text},
		}}}
		all[0].Images = []lookup.Image{
			{Image: &imagebuilder.Image{ARN: text, Reason: text, Outputs: []imagebuilder.Output{{Region: text, ID: text, AccountID: text, State: text, Reason: text}}}},
			{Pipeline: text, Failed: hostileFailure(text), Image: &imagebuilder.Image{
				ARN: arnOf + "image/linux/1.0.0/2", Build: imagebuilder.ImageBuildVersion{Name: text, Version: text}, Status: "FAILED", LogGroup: text,
			}},
		}
		for _, path := range []string{"/", "/executions", "/executions/" + e.ID} {
			w := get(t, all, path, "text/html")
			body := w.Body.String()
			for _, bad := range []string{"<script", "<img", " onmouseover", " onerror=alert(1)>", "style=", "javascript:"} {
				if strings.Contains(strings.ReplaceAll(body, "&#39; onmouseover", ""), bad) {
					t.Errorf("%q: %s contains %q", text, path, bad)
				}
			}
			if w.Code != http.StatusOK {
				t.Errorf("%q: %s: status %d", text, path, w.Code)
			}
		}
	}
}

// TestAShutdownShowsThePage has a request whose context has ended, and nobody else.
func TestAShutdownShowsThePage(t *testing.T) {
	h, err := New(Config{Snapshots: func() []lookup.Snapshot { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/executions", http.NoBody))
	if w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPagesAtATime(t *testing.T) {
	begun, end := make(chan struct{}, 10), make(chan struct{})
	h, err := New(Config{Snapshots: func() []lookup.Snapshot { begun <- struct{}{}; <-end; return nil }})
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
	h, err := New(Config{Snapshots: func() []lookup.Snapshot { panic("a bug") }})
	if err != nil {
		t.Fatal(err)
	}
	for range maxRenders + 1 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/executions", nil))
		if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "rendering the page failed: panic: a bug") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

// TestThePage reads the page as a browser does: well formed, every id once, every link
// within it leads somewhere, and nothing is fetched from elsewhere.
func TestThePage(t *testing.T) {
	e := executionOf(1, "RUNNING")
	e.Steps = []imagebuilder.Step{{ID: "step-1", Name: "Patch", Action: "ExecuteComponents", Status: "WAITING", Start: now}}
	all := snapshot(e, executionOf(2, "FAILED"))
	all[0].Waiting = []lookup.WaitingStep{{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: e.ID, ID: "step-1", Name: "Patch", Since: now}}}
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
	checkWellFormed(t, body)
	for _, text := range []string{"6 of 7 steps ended: 4 succeeded, 1 skipped, 1 failed", "6/7", "Waiting for an approval", "not scraped yet", `aria-sort="descending"`} {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q", text)
		}
	}
}

func TestClassesOfStatuses(t *testing.T) {
	for status, want := range map[string]string{
		"": "unknown", "RUNNING": "running", "ROLLBACK_IN_PROGRESS": "failed", "ROLLBACK_COMPLETED": "failed", "FAILED": "failed",
		"COMPLETED": "good", "PENDING": "idle", "SKIPPED": "idle", "CANCELLED": "idle", "WAITING": "waiting",
		"AVAILABLE": "good", "CREATING": "running", "BUILDING": "running", "TESTING": "running", "DISTRIBUTING": "running", "INTEGRATING": "running",
		"DEPRECATED": "idle", "DELETED": "idle", "DISABLED": "idle", "not in the API reference": "idle",
	} {
		if got := class(status); got != want {
			t.Errorf("%q is %s, want %s", status, got, want)
		}
	}
}
