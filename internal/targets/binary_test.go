package targets_test

import (
	"context"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// TestReloads reloads the program in all three ways, good files and bad ones, and by a
// signal that comes while the program starts.
func TestReloads(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	id := lookuptest.ID(1)
	url, api := binarytest.Emulate(t, emulator.Run{ID: id, Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: time.Minute}}})
	file := binarytest.ConfigFile(t, binarytest.Target("a", url, id))
	p := binarytest.Start(t, binarytest.WithCredentials(binarytest.Command(ctx, t,
		"--config.file="+file, "--web.listen-address=127.0.0.1:0", "--config.auto-reload-interval=1s", "--log.format=json")))
	until := func(want string) {
		t.Helper()
		for !strings.Contains(p.Metrics(t), want) {
			if ctx.Err() != nil {
				t.Fatalf("there is no %s in\n%s", want, p.Metrics(t))
			}
		}
	}
	until(`steps{region="eu-west-1",target="a",workflow_execution_id="` + id + `"} 1`)
	p.Signal(t, syscall.SIGHUP)
	if status, body := p.Do(t, http.MethodGet, "/-/reload"); status != http.StatusMethodNotAllowed {
		t.Errorf("GET /-/reload: %d %s", status, body)
	}

	binarytest.WriteFile(t, file, "targets: [{name: a, role_arn: none, external_id: very-external}]\n")
	sentence, _ := binarytest.Command(ctx, t, "--config.check", "--config.file="+file).CombinedOutput()
	if status, body := p.Do(t, http.MethodPost, "/-/reload"); status != http.StatusInternalServerError || body != string(sentence) {
		t.Errorf("a bad file: %d %s; --config.check says %s", status, body, sentence)
	}
	if body := p.Metrics(t); !strings.Contains(body, "config_last_reload_successful 0") || !strings.Contains(body, `imagebuilder_up{region="eu-west-1",target="a"} 1`) {
		t.Errorf("with a bad file:\n%s", body)
	}
	binarytest.WriteFile(t, file, binarytest.Config(binarytest.Target("b", url, id))) // nobody tells: it looks for itself
	until(`imagebuilder_up{region="eu-west-1",target="b"} 1`)
	until("config_last_reload_successful 1")
	if body := p.Metrics(t); strings.Contains(body, `target="a"`) {
		t.Errorf("something is left of what is gone:\n%s", body)
	}
	if n := api.Requests("GetWorkflowExecution"); n != 2 {
		t.Errorf("%d requests, want one for each target", n)
	}
	log := p.Stop(t)
	if strings.Contains(log, "very-external") {
		t.Errorf("the external id is logged:\n%s", log)
	}
	for _, line := range []string{`"credentials":"environment"`, `"msg":"target removed"`, `"msg":"shutting down"`} {
		if !strings.Contains(log, line) {
			t.Errorf("no line with %s is logged:\n%s", line, log)
		}
	}
}
