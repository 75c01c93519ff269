package kubernetes

import (
	"archive/tar"
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
	appsv1 "k8s.io/api/apps/v1"
)

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

// TestAsADependency holds that another chart can have this one, switch it off, and remove keys of
// its values.
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
	all := parse(t, render(t, parent, "-f", file(t, "values.yaml", "{imagebuilder-exporter: {podSecurityContext: {runAsUser: null}, securityContext: null}}")))
	spec := named[appsv1.Deployment](t, all, "Deployment/monitoring-imagebuilder-exporter").Spec.Template.Spec
	if spec.SecurityContext.RunAsUser != nil || spec.SecurityContext.RunAsGroup == nil || spec.Containers[0].SecurityContext != nil {
		t.Errorf("the security contexts are %+v and %+v", spec.SecurityContext, spec.Containers[0].SecurityContext)
	}
}
