package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// TestThePageOfExecutionsAsksNothing reads the page of the built program, before the first
// scrape and after it.
func TestThePageOfExecutionsAsksNothing(t *testing.T) {
	url, api := serveRuns(t, emulator.Run{ID: testID(1), Type: "BUILD", Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Name: "Patch", Takes: time.Minute, Ends: emulator.Failed}}})
	file := t.TempDir() + "/config.yml"
	writeFile(t, file, configOf("golden", url, testID(1), testID(2)))
	address, _ := start(t, withAWS(command(t.Context(), binary(t), "--config.file="+file, "--web.listen-address=127.0.0.1:0")))
	defer http.DefaultClient.CloseIdleConnections()
	page := func() string {
		status, body := fetch(t, http.MethodGet, "http://"+address+"/executions")
		if status != http.StatusOK {
			t.Fatalf("status %d: %s", status, body)
		}
		return body
	}
	if body := page(); api.Requests("GetWorkflowExecution") != 0 || !strings.Contains(body, testID(1)) || !strings.Contains(body, "not asked yet") {
		t.Errorf("before the first scrape there were %d requests, and the page says\n%s", api.Requests("GetWorkflowExecution"), body)
	}
	fetch(t, http.MethodGet, "http://"+address+"/metrics")
	asked := api.Requests("GetWorkflowExecution")
	for range 3 {
		body := page()
		for _, text := range []string{"FAILED", "golden", "Patch", "not_found"} {
			if !strings.Contains(body, text) {
				t.Errorf("the page does not say %s:\n%s", text, body)
			}
		}
		if strings.Contains(body, "AKID") || strings.Contains(body, "verysecret") {
			t.Error("the page shows a secret")
		}
	}
	if got := api.Requests("GetWorkflowExecution"); asked == 0 || got != asked {
		t.Errorf("reading the page made %d requests, after %d of the scrape", got-asked, asked)
	}
	if _, body := fetch(t, http.MethodGet, "http://"+address+"/"); !strings.Contains(body, `"/executions"`) {
		t.Errorf("the landing page does not link to it:\n%s", body)
	}
	if status, _ := fetch(t, http.MethodGet, "http://"+address+"/executions/style.css"); status != http.StatusOK {
		t.Errorf("the style sheet answers %d", status)
	}
}
