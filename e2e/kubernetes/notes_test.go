package kubernetes

import (
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

// TestNotes holds what Helm prints after an installation. Without a cluster the program
// does not, so notes has its engine.
func TestNotes(t *testing.T) {
	for file, want := range map[string]string{
		"demo":     "This is the demo. It does not use AWS; all executions are made up.\n\nTo see the executions, run this command and open http://localhost:10120/executions:\n",
		"replicas": "\n\nThe NetworkPolicy allows connections only from networkPolicy.from: [{\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"monitoring\"}}}]\n",
		"config":   "Prometheus does not scrape the exporter yet. Set serviceMonitor.enabled, or add a job with honor_labels: true for http://monitoring-imagebuilder-exporter.imagebuilder.svc:10120/metrics.",
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

// TestNotesOfOpenPorts holds that the notes say when everyone may connect.
func TestNotesOfOpenPorts(t *testing.T) {
	const (
		everyone = "The NetworkPolicy allows connections from everyone: networkPolicy.from is []."
		warning  = "WARNING: service.type is NodePort. Everyone who can connect to the Service can read /metrics, reload the configuration and cause AWS calls, without a password and without encryption. Set web.existingSecret."
	)
	for values, want := range map[string][2]bool{
		"{demo: true}": {},
		"{demo: true, networkPolicy: {enabled: true}}":                      {},
		"{demo: true, networkPolicy: {enabled: true, from: []}}":            {true, false},
		"{demo: true, service: {type: NodePort}}":                           {false, true},
		"{demo: true, service: {type: NodePort}, web: {existingSecret: x}}": {},
	} {
		got := notes(t, values)
		if open := [2]bool{strings.Contains(got, everyone), strings.Contains(got, warning)}; open != want {
			t.Errorf("%s: the notes say that everyone may connect: %v, want %v\n%s", values, open, want, got)
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
