package status_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

// TestThePageOfExecutionsAsksNothing reads the page of the program, before the first scrape
// and after it.
func TestThePageOfExecutionsAsksNothing(t *testing.T) {
	const operation = "GetWorkflowExecution"
	known, unknown := lookuptest.ID(1), lookuptest.ID(2)
	url, api := binarytest.Emulate(t, emulator.Run{
		ID: known, Type: "BUILD", Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Name: "Patch", Takes: time.Minute, Ends: emulator.Failed}},
	})
	file := binarytest.ConfigFile(t, binarytest.Target("golden", url, known, unknown))
	p := binarytest.Start(t, binarytest.WithCredentials(binarytest.Command(t.Context(), t, "--config.file="+file, "--web.listen-address=127.0.0.1:0")))
	page := func() string {
		status, body := p.Do(t, http.MethodGet, "/executions")
		if status != http.StatusOK {
			t.Fatalf("status %d: %s", status, body)
		}
		return body
	}
	if body := page(); api.Requests(operation) != 0 || !strings.Contains(body, known) || !strings.Contains(body, "not looked up yet") {
		t.Errorf("before the first scrape there were %d requests, and the page says\n%s", api.Requests(operation), body)
	}
	p.Metrics(t)
	asked := api.Requests(operation)
	for range 3 {
		body := page()
		for _, text := range []string{"FAILED", "golden", `"executions/` + known + `"`, "not_found"} {
			if !strings.Contains(body, text) {
				t.Errorf("the page does not say %s:\n%s", text, body)
			}
		}
		if strings.Contains(body, "AKID") || strings.Contains(body, binarytest.Secret) {
			t.Error("the page shows a secret")
		}
	}
	if status, body := p.Do(t, http.MethodGet, "/executions/"+known); status != http.StatusOK || !strings.Contains(body, "FAILED") || !strings.Contains(body, "Patch") {
		t.Errorf("the page of the execution answers %d, or does not say what failed:\n%s", status, body)
	}
	if status, body := p.Do(t, http.MethodGet, "/executions/"+lookuptest.ID(3)); status != http.StatusNotFound || !strings.Contains(body, "no target follows") {
		t.Errorf("the page of another execution answers %d: %s", status, body)
	}
	if got := api.Requests(operation); asked == 0 || got != asked {
		t.Errorf("reading the page made %d requests, after %d of the scrape", got-asked, asked)
	}
	for _, link := range []string{`"executions"`, `"metrics"`, `"-/healthy"`, `"-/ready"`, `"executions?region=eu-west-1&amp;target=golden"`, "1 up, 0 down"} {
		if _, body := p.Do(t, http.MethodGet, "/"); !strings.Contains(body, link) {
			t.Errorf("the landing page does not have %s:\n%s", link, body)
		}
	}
	if status, _ := p.Do(t, http.MethodGet, "/executions/style.css"); status != http.StatusOK {
		t.Errorf("the style sheet answers %d", status)
	}
}
