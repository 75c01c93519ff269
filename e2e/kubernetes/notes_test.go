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
