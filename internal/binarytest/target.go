package binarytest

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// Emulate starts an emulator of executions for the time of the test.
func Emulate(t *testing.T, runs ...emulator.Run) (url string, api *emulator.API) {
	t.Helper()
	api = &emulator.API{Scenario: emulator.Runs(runs...)}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	return s.URL, api
}

// Target returns a target of a configuration in eu-west-1.
func Target(name, url string, ids ...string) string {
	return fmt.Sprintf("{name: %s, regions: [eu-west-1], endpoint_url: '%s', workflow_executions: [%s]}", name, url, strings.Join(ids, ", "))
}

// Config returns a configuration of targets.
func Config(targets ...string) string {
	return "targets: [" + strings.Join(targets, ", ") + "]\n"
}

// ConfigFile writes a configuration of targets to a new file, and returns its path.
func ConfigFile(t *testing.T, targets ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yml")
	WriteFile(t, file, Config(targets...))
	return file
}

// WriteFile writes a file.
func WriteFile(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
