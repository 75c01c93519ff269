package e2e

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/status"
)

var update = flag.Bool("update", false, "take the pictures of docs/images anew")

// browser is a Chromium that belongs to a test, and what it complains about.
type browser struct {
	context.Context
	mu         sync.Mutex
	complaints []string
}

// newBrowser starts a Chromium. Complaints are what stands on its console, dialogs, and
// requests to other hosts than own.
func newBrowser(t *testing.T, own string) *browser {
	t.Helper()
	path, err := stack.Find("", "chromium")
	if err != nil {
		t.Fatalf("%v: apt-get install chromium", err)
	}
	profile, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		t.Fatal(err)
	}
	// Chromium's children go on writing for a moment after it has ended.
	t.Cleanup(func() {
		late := time.After(10 * time.Second)
		for err := os.RemoveAll(profile); err != nil; err = os.RemoveAll(profile) {
			select {
			case <-time.After(50 * time.Millisecond):
			case <-late:
				t.Errorf("removing Chromium's profile: %v", err)
				return
			}
		}
	})
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(profile), chromedp.WindowSize(1280, 900), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(cancelTab)
	ctx, cancelLate := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancelLate)
	b := &browser{Context: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			b.complain("console: %v", e.Args)
		case *runtime.EventExceptionThrown:
			b.complain("exception: %v", e.ExceptionDetails)
		case *log.EventEntryAdded:
			b.complain("log: %s", e.Entry.Text)
		case *page.EventJavascriptDialogOpening:
			b.complain("dialog: %s", e.Message)
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(e.Request.URL); err != nil || u.Host != own {
				b.complain("request: %s", e.Request.URL)
			}
		}
	})
	b.run(t, network.Enable(), log.Enable(), page.Enable())
	return b
}

func (b *browser) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
}

func (b *browser) run(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b, actions...); err != nil {
		t.Fatal(err)
	}
}

// content is that the browser has nothing to complain about.
func (b *browser) content(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(b.complaints, "\n"))
	}
}

// hostile is what names and messages can be.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=//evil.example/x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`,
	"\u202egnp.exe", strings.Repeat("long ", 400), strings.Repeat("word", 500), `</title><svg onload=alert(1)>`,
}

// hostilePage serves a status page of executions with such names.
func hostilePage(t *testing.T) (address string) {
	t.Helper()
	now := time.Now()
	s := lookup.Snapshot{Name: hostile[1], Region: "eu-west-1", Up: true, RefreshEnded: true}
	for i, text := range hostile {
		id := fmt.Sprintf("wf-00000000-0000-4000-8000-%012d", i)
		s.Executions = append(s.Executions, lookup.Execution{
			ID: id, Pipeline: text, ReadAt: now, LookedUp: true, Failure: imagebuilder.Denied, Reason: text,
			Steps: []imagebuilder.Step{{ID: "step", Name: text, Action: text, Status: "FAILED", Start: now}},
			Value: &imagebuilder.Execution{
				ID: id, Status: "FAILED", WorkflowType: text, Message: text, ImageBuildVersionARN: account + "image/linux/1.0.0/" + fmt.Sprint(i),
				Image: imagebuilder.ImageBuildVersion{Name: text, Version: "1.0.0/1"}, Start: now.Add(-time.Hour), End: now.Add(-time.Duration(i) * time.Minute),
				Steps: &imagebuilder.StepCounts{Total: 7, Succeeded: i % 7, Failed: 1 - min(1, i%7)},
			},
		})
		s.Waiting = append(s.Waiting, lookup.WaitingStep{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: id, ID: "step", Name: text, Action: text, Since: now}})
		s.Images = append(s.Images, lookup.Image{Pipeline: text, Image: &imagebuilder.Image{ARN: text, Status: imagebuilder.ImageStatus(text), Reason: text}})
		s.Pipelines = append(s.Pipelines, lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{ARN: text, Name: text, LastRunStatus: imagebuilder.ImageStatus(text)}})
	}
	h, err := status.New(status.Config{
		Snapshots: func() []lookup.Snapshot { s.Time = time.Now(); return []lookup.Snapshot{s} }, Version: "1.2.3", MetricsPath: "/metrics",
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.HandleFunc("/favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// TestBrowserHostile shows names that want to be code, with and without scripts.
func TestBrowserHostile(t *testing.T) {
	address := hostilePage(t)
	b := newBrowser(t, address)
	pages := []struct{ path, title string }{
		{"/", "imagebuilder_exporter"}, {"/executions", "Workflow executions – imagebuilder_exporter"}, {"/executions/wf-00000000-0000-4000-8000-000000000000", hostile[0] + " of " + hostile[0]},
	}
	for _, p := range pages {
		for _, without := range []bool{false, true} {
			var scripts, images int
			var title string
			b.run(t, emulation.SetScriptExecutionDisabled(without), chromedp.Navigate("http://"+address+p.path), chromedp.WaitVisible("main"),
				chromedp.Evaluate(`document.querySelectorAll("script, iframe, object, embed, [onmouseover], [onerror], [onload]").length`, &scripts),
				chromedp.Evaluate(`document.querySelectorAll("img").length`, &images), chromedp.Title(&title))
			if scripts != 0 || images != 0 || !strings.HasPrefix(title, p.title) {
				t.Errorf("%s has %d scripts or handlers, %d images, and the title %q", p.path, scripts, images, title)
			}
		}
		for _, width := range []int64{1280, 400} {
			var wide, inner int64
			var over string
			b.run(t, emulation.SetScriptExecutionDisabled(false), chromedp.EmulateViewport(width, 900), chromedp.Navigate("http://"+address+p.path), chromedp.WaitVisible("main"),
				chromedp.Evaluate(`[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll")).map(e => e.outerHTML.slice(0, 200)).slice(0, 5).join("\n")`, &over),
				chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide), chromedp.Evaluate(`window.innerWidth`, &inner))
			if wide > inner {
				t.Errorf("at a width of %d %s is %d wide:\n%s", inner, p.path, wide, over)
			}
		}
	}
	b.content(t)
}

// TestBrowserSortAndFilter uses the page with the mouse and with the keyboard.
func TestBrowserSortAndFilter(t *testing.T) {
	address := demoPage(t)
	b := newBrowser(t, address)
	var sorted, chosen string
	var rows, failed int
	b.run(t, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate("http://"+address+"/executions"),
		chromedp.Click(`//th/a[starts-with(., "duration")]`, chromedp.BySearch), chromedp.WaitVisible(`th[aria-sort="ascending"]`),
		chromedp.Text(`th[aria-sort]`, &sorted))
	if !strings.HasPrefix(sorted, "duration") {
		t.Errorf("after a click on duration it is sorted by %q", sorted)
	}
	b.run(t, chromedp.SendKeys(`//th/a[starts-with(., "duration")]`, kb.Enter, chromedp.BySearch), chromedp.WaitVisible(`th[aria-sort="descending"]`),
		chromedp.Text(`th[aria-sort]`, &sorted))
	if !strings.HasPrefix(sorted, "duration") {
		t.Errorf("after Enter on duration it is sorted by %q", sorted)
	}
	b.run(t, chromedp.Focus(`input[name="q"]`), chromedp.SendKeys(`input[name="q"]`, "windows"+kb.Enter), chromedp.WaitVisible(`//a[.="Show all"]`, chromedp.BySearch),
		chromedp.Evaluate(`document.querySelectorAll(".executions tbody tr").length`, &rows),
		chromedp.Evaluate(`[...document.querySelectorAll(".executions tbody tr")].filter(r => !r.textContent.toLowerCase().includes("windows")).length`, &failed),
		chromedp.Value(`input[name="q"]`, &chosen))
	if rows == 0 || failed != 0 || chosen != "windows" {
		t.Errorf("filtered by windows there are %d rows, %d of them others; the form says %q", rows, failed, chosen)
	}
	b.content(t)
}

// TestBrowserKeyboard holds that the tabulator reaches every control, and that one sees
// where it is.
func TestBrowserKeyboard(t *testing.T) {
	address := demoPage(t)
	b := newBrowser(t, address)
	var controls int
	b.run(t, chromedp.Navigate("http://"+address+"/executions?target=containers"), chromedp.WaitVisible("main"),
		chromedp.Evaluate(`document.querySelectorAll("a[href], button, select, input:not([type=hidden]), summary, [tabindex]").length`, &controls))
	seen := map[string]bool{}
	for range controls {
		var at struct {
			Path    string
			Outline string
			Left    float64
		}
		b.run(t, chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`(() => {
			const e = document.activeElement, s = getComputedStyle(e.closest("svg") && e.querySelector("rect") || e);
			const all = [...document.querySelectorAll("*")];
			return {Path: e.tagName + all.indexOf(e), Outline: (s.outlineStyle != "none" || (e.closest("svg") && s.strokeWidth == "2px")) ? "yes" : "", Left: e.getBoundingClientRect().left};
		})()`, &at))
		if seen[at.Path] = true; at.Outline == "" || at.Left < 0 {
			t.Errorf("%s has the focus, and nothing shows it (left %v)", at.Path, at.Left)
		}
	}
	if len(seen) != controls {
		t.Errorf("the tabulator reaches %d of %d controls", len(seen), controls)
	}
	b.content(t)
}

// value is a text in the accessibility tree.
type value struct {
	Value any `json:"value"`
}

// TestBrowserAccessibility reads the tree that a screen reader gets.
func TestBrowserAccessibility(t *testing.T) {
	address := demoPage(t)
	b := newBrowser(t, address)
	var tree struct {
		Nodes []struct {
			Ignored bool  `json:"ignored"`
			Role    value `json:"role"`
			Name    value `json:"name"`
		} `json:"nodes"`
	}
	var levels []int
	b.run(t, chromedp.Navigate("http://"+address+"/executions"), chromedp.WaitVisible("main"),
		chromedp.ActionFunc(func(ctx context.Context) error { return cdp.Execute(ctx, "Accessibility.enable", nil, nil) }),
		chromedp.ActionFunc(func(ctx context.Context) error {
			return cdp.Execute(ctx, "Accessibility.getFullAXTree", nil, &tree)
		}),
		chromedp.Evaluate(`[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(h => Number(h.tagName[1]))`, &levels))
	roles := map[string]int{}
	for _, n := range tree.Nodes {
		if n.Ignored {
			continue
		}
		role, name := fmt.Sprint(n.Role.Value), fmt.Sprint(n.Name.Value)
		roles[role]++
		switch role {
		case "table", "link", "button", "combobox", "searchbox", "textbox", "image", "img", "region", "navigation", "search", "columnheader":
			if strings.TrimSpace(name) == "" {
				t.Errorf("a %s has no name", role)
			}
		}
	}
	for _, role := range []string{"banner", "main", "navigation", "search", "table", "region", "columnheader", "caption"} {
		if roles[role] == 0 {
			t.Errorf("there is no %s; there are %v", role, roles)
		}
	}
	for i, level := range levels {
		if i == 0 && level != 1 || i > 0 && (level == 1 || level > levels[i-1]+1) {
			t.Errorf("the levels of the headings are %v", levels)
			break
		}
	}
	b.content(t)
}

// TestBrowserPictures looks at the page in light and dark, and with -update keeps the
// pictures.
func TestBrowserPictures(t *testing.T) {
	address := demoPage(t)
	b := newBrowser(t, address)
	var pages []string
	for _, scheme := range []string{"light", "dark"} {
		var picture []byte
		var background string
		b.run(t, chromedp.EmulateViewport(1280, 1180), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
			chromedp.Navigate("http://"+address+"/executions"), chromedp.WaitVisible("main"),
			chromedp.Evaluate(`getComputedStyle(document.body).backgroundColor`, &background), chromedp.CaptureScreenshot(&picture))
		pages = append(pages, background)
		if *update {
			if err := os.WriteFile(filepath.Join("../docs/images", "executions-"+scheme+".png"), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := []string{"rgb(255, 255, 255)", "rgb(13, 17, 23)"}; !slices.Equal(pages, want) {
		t.Errorf("the page's colours, light and dark, are %v, want %v", pages, want)
	}
	b.content(t)
}

// demoPage starts the demo, scrapes it once, and returns its address.
func demoPage(t *testing.T) string {
	t.Helper()
	address, err := stack.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	p, err := stack.Run(context.Background(), t.TempDir(), address, "/metrics", exec.Command(binarytest.Path(t), "--demo", "--web.listen-address="+address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return address
}
