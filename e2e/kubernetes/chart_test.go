package kubernetes

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	chart   = "../../deploy/helm"
	release = "monitoring"
)

// valueFiles returns the files of values with which the chart is tried.
func valueFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(chart + "/ci/*-values.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("there are only %q, %v", files, err)
	}
	return files
}

// eachFile runs a test for each file of values.
func eachFile(t *testing.T, test func(t *testing.T, file string)) {
	t.Helper()
	for _, file := range valueFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), "-values.yaml"), func(t *testing.T) { test(t, file) })
	}
}

// helm runs Helm and returns what it prints, or an error that has its standard error.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	c := exec.CommandContext(t.Context(), "../../bin/helm", args...)
	c.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%v: run make helm-test, which builds it", err)
	}
	if err != nil {
		err = errors.New(stderr.String())
	} else if known := "coalesce.go:316: warning: cannot overwrite table with non table for config (map[])\n"; strings.ReplaceAll(stderr.String(), known, "") != "" {
		t.Errorf("helm %s warns: %s", args[0], stderr.String())
	}
	return stdout.String(), err
}

// render returns the manifests of a chart with values, which a file or flags have.
func render(t *testing.T, chart string, values ...string) string {
	t.Helper()
	out, err := helm(t, append([]string{"template", release, chart, "--namespace", "imagebuilder"}, values...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLint(t *testing.T) {
	eachFile(t, func(t *testing.T, file string) {
		if out, err := helm(t, "lint", "--strict", chart, "-f", file); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	out, err := helm(t, "lint", "--strict", chart, "-f", file(t, "values.yaml", "demo: perhaps"))
	if err == nil {
		t.Errorf("a mistake was not found:\n%s", out)
	}
}

// file writes a file for the time of the test and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestNamesOfDigits holds that a name that looks like a number stays a text.
func TestNamesOfDigits(t *testing.T) {
	out, err := helm(t, "template", "0123", chart, "-f", file(t, "values.yaml",
		`{fullnameOverride: exporter, existingSecret: "0123", web: {existingSecret: "0123"}, serviceAccount: {name: "0123"}, priorityClassName: "0123", image: {repository: "0123", tag: "0123"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if result, err := kubeconform(t, out); err != nil {
		t.Errorf("%v: %s\n%s", err, result, out)
	}
}

// TestNamesOfWords holds that a name that YAML reads as a boolean or as null stays a text.
func TestNamesOfWords(t *testing.T) {
	for _, values := range []string{
		`{demo: true, replicas: 2, nameOverride: "yes", fullnameOverride: "null", serviceMonitor: {enabled: true}, scrapeConfig: {enabled: true}, networkPolicy: {enabled: true}, prometheusRule: {enabled: true}}`,
		`{config: {targets: []}, nameOverride: "on", fullnameOverride: "true"}`,
	} {
		out := render(t, chart, "-f", file(t, "values.yaml", values))
		if result, err := kubeconform(t, out); err != nil {
			t.Errorf("%s: %v: %s\n%s", values, err, result, out)
		}
	}
}

// TestGoodValues holds that the chart takes values that look unusual.
func TestGoodValues(t *testing.T) {
	for _, values := range []string{
		"{demo: true, serviceMonitor: {enabled: true, interval: 1d, scrapeTimeout: 23h59m59s999ms}}",
		"{demo: true, serviceMonitor: {enabled: true, interval: 1m, scrapeTimeout: 1m}}",
		"{demo: true, serviceAccount: {name: my.account-1}}",
		"{existingSecret: x, accounts: ''}",
		"{config: {targets: [{accounts_file: /etc/other/accounts.txt}]}}",
		"{config: {targets: [{accounts_file: accounts.txt}]}, accounts: '111122223333'}",
	} {
		render(t, chart, "-f", file(t, "values.yaml", values))
	}
}

// TestNamesOfServices holds that a release whose name cannot be that of a Service is
// refused with a sentence, before Kubernetes does so with another one.
func TestNamesOfServices(t *testing.T) {
	for _, release := range []string{"0123", "my.release"} {
		want := release + "-imagebuilder-exporter is not a valid Service name: use lower-case letters, digits and dashes, and start with a letter. Set fullnameOverride."
		if _, err := helm(t, "template", release, chart, "--set", "demo=true"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", release, err, want)
		}
	}
}

// read returns the bytes of a file.
func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
