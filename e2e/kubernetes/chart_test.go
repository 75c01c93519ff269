package kubernetes

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
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

// TestPackage holds that the package has the rules and dashboards, has no more than it needs, and
// makes the same manifests as the folder.
func TestPackage(t *testing.T) {
	dir := t.TempDir()
	if _, err := helm(t, "package", chart, "--destination", dir); err != nil {
		t.Fatal(err)
	}
	packages, err := filepath.Glob(dir + "/imagebuilder-exporter-*.tgz")
	if err != nil || len(packages) != 1 {
		t.Fatal(packages, err)
	}
	eachFile(t, func(t *testing.T, file string) {
		if render(t, chart, "-f", file) != render(t, packages[0], "-f", file) {
			t.Error("the manifests of the package are others")
		}
	})
	files := unpack(t, packages[0])
	for name := range files {
		top, _, _ := strings.Cut(name, "/")
		if !slices.Contains([]string{".helmignore", "Chart.yaml", "README.md", "examples", "files", "templates", "values.schema.json", "values.yaml"}, top) {
			t.Errorf("%s is in the package", name)
		}
	}
	want := map[string]string{
		"files/imagebuilder.rules.yml": "../../alerts/imagebuilder.rules.yml",
		"files/thresholds.yml":         "../../alerts/thresholds.yml",
	}
	dashboards, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(dashboards) == 0 {
		t.Fatal(dashboards, err)
	}
	for _, d := range dashboards {
		want["files/dashboards/"+filepath.Base(d)] = d
	}
	for name, original := range want {
		text, err := os.ReadFile(original)
		if err != nil {
			t.Fatal(err)
		}
		if files[name] != string(text) {
			t.Errorf("%s is not that of the package", original)
		}
	}
	for name := range files {
		if strings.HasPrefix(name, "files/") && want[name] == "" {
			t.Errorf("%s is in the package", name)
		}
	}
}

// unpack returns the files of a chart's package by their paths in the chart.
func unpack(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(h.Name, "/")
		files[name] = string(text)
	}
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

// TestCopy holds that a copy of the folder makes the same manifests as the folder.
func TestCopy(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "copy")
	if out, err := exec.CommandContext(t.Context(), "cp", "-r", chart, whole).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	values := chart + "/ci/everything-values.yaml"
	if diff := cmp.Diff(render(t, chart, "-f", values), render(t, whole, "-f", values)); diff != "" {
		t.Errorf("the copy (-folder +copy):\n%s", diff)
	}
}

// TestIncompleteCopy holds that Helm refuses a chart without its rules or dashboards, instead of
// installing none.
func TestIncompleteCopy(t *testing.T) {
	for missing, c := range map[string]struct{ value, want string }{
		"files/imagebuilder.rules.yml": {"prometheusRule.enabled", "files/imagebuilder.rules.yml is missing or empty: copy the whole chart."},
		"files/thresholds.yml":         {"prometheusRule.enabled", "files/thresholds.yml is missing or empty: copy the whole chart."},
		"files/dashboards":             {"dashboards.enabled", "files/dashboards is missing or empty: copy the whole chart."},
	} {
		broken := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(broken, os.DirFS(chart)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(broken, missing)); err != nil {
			t.Fatal(err)
		}
		if _, err := helm(t, "template", "x", broken, "--set", "demo=true,"+c.value+"=true"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", missing, err, c.want)
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

// TestAsADependency holds that another chart can have this one, and switch it off.
func TestAsADependency(t *testing.T) {
	parent := t.TempDir()
	for name, text := range map[string]string{
		"Chart.yaml":  "{apiVersion: v2, name: parent, version: 1.0.0, dependencies: [{name: imagebuilder-exporter, version: '*-0', condition: imagebuilder-exporter.enabled}]}",
		"values.yaml": "{global: {team: images}, imagebuilder-exporter: {enabled: true, demo: true}}",
	} {
		if err := os.WriteFile(filepath.Join(parent, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := helm(t, "package", chart, "--destination", parent+"/charts"); err != nil {
		t.Fatal(err)
	}
	if out := render(t, parent); !strings.Contains(out, "kind: Deployment") {
		t.Errorf("there is no Deployment:\n%s", out)
	}
	if out := render(t, parent, "--set", "imagebuilder-exporter.enabled=false"); strings.Contains(out, "kind:") {
		t.Errorf("it is not off:\n%s", out)
	}
}

// TestNotes holds what Helm prints after an installation. Without a cluster the program
// does not, so notes has its engine.
func TestNotes(t *testing.T) {
	for file, want := range map[string]string{
		"demo":   "This is the demo. It does not use AWS; all executions are made up.\n\nTo see the executions, run this command and open http://localhost:10120/executions:\n",
		"config": "Prometheus does not scrape the exporter yet. Set serviceMonitor.enabled, or add a job with honor_labels: true for http://monitoring-imagebuilder-exporter.imagebuilder.svc:10120/metrics.",
		"existing": `To see the executions, run this command and open https://localhost:10120/executions:

  kubectl -n imagebuilder port-forward service/monitoring-imagebuilder-exporter 10120

To check the permissions of the exporter:

  kubectl -n imagebuilder exec deployment/monitoring-imagebuilder-exporter -- /imagebuilder_exporter --config.file=/etc/imagebuilder_exporter/config.yml --config.check --config.check-aws
`,
	} {
		values := string(read(t, chart+"/ci/"+file+"-values.yaml"))
		if got := notes(t, values); !strings.Contains(got, want) {
			t.Errorf("%s: the notes are\n%s\nwant in them\n%s", file, got, want)
		}
	}
}

// notes returns what Helm prints after an installation with values.
func notes(t *testing.T, values string) string {
	t.Helper()
	c, err := loader.Load(chart)
	if err != nil {
		t.Fatal(err)
	}
	read, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	all, err := chartutil.ToRenderValues(c, read, chartutil.ReleaseOptions{Name: release, Namespace: "imagebuilder"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := engine.Render(c, all)
	if err != nil {
		t.Fatal(err)
	}
	return out["imagebuilder-exporter/templates/NOTES.txt"]
}
