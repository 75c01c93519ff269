package kubernetes

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// manifests are those of a release: their texts by kind and name, "Secret/x".
type manifests map[string]string

// parse returns the manifests in what Helm has printed.
func parse(t *testing.T, text string) manifests {
	t.Helper()
	all := manifests{}
	for _, m := range strings.SplitAfter(strings.TrimPrefix(text, "---\n"), "\n---\n") {
		m = strings.TrimSuffix(m, "---\n")
		var head struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal([]byte(m), &head); err != nil {
			t.Fatalf("%v\n%s", err, m)
		}
		key := head.Kind + "/" + head.Metadata.Name
		if head.Kind == "" || all[key] != "" {
			t.Fatalf("%s is there twice, or has no kind:\n%s", key, m)
		}
		all[key] = m
	}
	return all
}

// get returns the one manifest of a kind, and whether there is one.
func get[T any](t *testing.T, all manifests, kind string) (m T, ok bool) {
	t.Helper()
	for key, text := range all {
		if !strings.HasPrefix(key, kind+"/") {
			continue
		}
		if ok {
			t.Fatalf("there is more than one %s", kind)
		}
		if err := yaml.UnmarshalStrict([]byte(text), &m); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		ok = true
	}
	return m, ok
}

// named returns the manifest of a kind and name, as in "Secret/x".
func named[T any](t *testing.T, all manifests, key string) (m T) {
	t.Helper()
	if all[key] == "" {
		t.Fatalf("there is no %s: %q", key, slices.Sorted(maps.Keys(all)))
	}
	if err := yaml.UnmarshalStrict([]byte(all[key]), &m); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return m
}

// deployment returns the Deployment of a release with a file of values.
func deployment(t *testing.T, file string) (appsv1.Deployment, manifests) {
	t.Helper()
	all := parse(t, render(t, chart, "-f", file))
	d, ok := get[appsv1.Deployment](t, all, "Deployment")
	if !ok || len(d.Spec.Template.Spec.Containers) != 1 {
		t.Fatalf("there is no Deployment of one container: %v", slices.Sorted(maps.Keys(all)))
	}
	return d, all
}

// kubeconform checks manifests as strictly as it can. Of Cilium's it has no schema.
func kubeconform(t *testing.T, text string) (string, error) {
	t.Helper()
	schemas, err := filepath.Abs("../../bin/kubernetes-schemas")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "../../bin/kubeconform", "-strict", "-summary", "-skip", "CiliumNetworkPolicy", "-schema-location", schemas+"/{{.ResourceKind}}{{.KindSuffix}}.json", "-")
	c.Stdin = strings.NewReader(text)
	out, err := c.CombinedOutput()
	return string(out), err
}

// TestManifestsAreValid holds them against the schemas of Kubernetes and of the
// Prometheus Operator.
func TestManifestsAreValid(t *testing.T) {
	eachFile(t, func(t *testing.T, file string) {
		out, err := kubeconform(t, render(t, chart, "-f", file))
		if err != nil || !strings.Contains(out, "Invalid: 0, Errors: 0, Skipped: 0") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// TestTheSchemasAreStrict holds that what is wrong would be found.
func TestTheSchemasAreStrict(t *testing.T) {
	good := render(t, chart, "-f", chart+"/ci/everything-values.yaml")
	for what, c := range map[string]struct{ old, mistake, want string }{
		"an unknown field":               {"replicas: 2", "replicas: 2\n  replica: 2", "'replica' not allowed"},
		"an unknown field, deep inside":  {"path: /-/ready", "path: /-/ready\n              paths: 1", "'paths' not allowed"},
		"another type":                   {"replicas: 2", "replicas: two", "got string, want integer"},
		"a number in place of a text":    {`grafana_dashboard: "yes"`, "grafana_dashboard: 1", "got number, want string"},
		"an unknown field of metadata":   {"kind: PrometheusRule\nmetadata:\n", "kind: PrometheusRule\nmetadata:\n  names: x\n", "'names' not allowed"},
		"an unknown field of an alert":   {"- alert: ExporterAbsent\n", "- alert: ExporterAbsent\n      runbook: x\n", "'runbook' not allowed"},
		"an unknown field of a scrape":   {"scrapeTimeout: 20s", "timeout: 20s", "'timeout' not allowed"},
		"a field that is there twice":    {"replicas: 2", "replicas: 2\n  replicas: 2", "already set"},
		"a kind that does not exist":     {"kind: NetworkPolicy", "kind: NetworkPolice", "could not find schema"},
		"a version that does not exist":  {"apiVersion: apps/v1\n", "apiVersion: apps/v1beta1\n", "could not find schema"},
		"something required that is not": {"topologyKey: kubernetes.io/hostname", "", "missing property 'topologyKey'"},
	} {
		bad := strings.Replace(good, c.old, c.mistake, 1)
		if bad == good {
			t.Errorf("%s: there is no %q to replace", what, c.old)
		}
		if out, err := kubeconform(t, bad); err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v, want %s in\n%s", what, err, c.want, out)
		}
	}
}

// monitor is what a test has to know of a ServiceMonitor.
type monitor struct {
	Metadata struct{ Labels map[string]string }
	Spec     struct {
		Selector  struct{ MatchLabels map[string]string }
		Endpoints []struct {
			Port, Path, Scheme string
			HonorLabels        *bool
		}
	}
}

// TestManifestsBelongTogether holds that what names another thing names one that is there.
func TestManifestsBelongTogether(t *testing.T) {
	eachFile(t, func(t *testing.T, file string) {
		d, all := deployment(t, file)
		pod := d.Spec.Template
		port := pod.Spec.Containers[0].Ports[0]
		selects(t, "the Deployment", d.Spec.Selector.MatchLabels, pod.Labels)

		service := named[corev1.Service](t, all, "Service/"+d.Name)
		if len(service.Spec.Ports) != 1 || service.Spec.Ports[0].TargetPort.String() != port.Name || service.Spec.Ports[0].Port != port.ContainerPort {
			t.Errorf("the Service has the ports %v, the container %v", service.Spec.Ports, port)
		}
		selects(t, "the Service", service.Spec.Selector, pod.Labels)

		if p, ok := get[networkingv1.NetworkPolicy](t, all, "NetworkPolicy"); ok {
			selects(t, "the NetworkPolicy", p.Spec.PodSelector.MatchLabels, pod.Labels)
			if got := p.Spec.Ingress[0].Ports[0].Port.IntValue(); got != int(port.ContainerPort) {
				t.Errorf("the NetworkPolicy allows the port %d", got)
			}
		}
		if text := all["ServiceMonitor/"+service.Name]; text != "" {
			var m monitor
			if err := yaml.Unmarshal([]byte(text), &m); err != nil {
				t.Fatal(err)
			}
			selected := service
			if *d.Spec.Replicas > 1 {
				selected = named[corev1.Service](t, all, "Service/"+d.Name+"-replicas")
			}
			selects(t, "the ServiceMonitor", m.Spec.Selector.MatchLabels, selected.Labels)
			if e := m.Spec.Endpoints[0]; e.Port != service.Spec.Ports[0].Name || e.Path != "" || e.Scheme != "https" {
				t.Errorf("the ServiceMonitor has the endpoint %v", e)
			}
		}
		if account := pod.Spec.ServiceAccountName; all["ServiceAccount/"+account] == "" && account != "my-account" {
			t.Errorf("there is no ServiceAccount %s", account)
		}
		for _, v := range pod.Spec.Volumes {
			if v.Secret != nil && all["Secret/"+v.Secret.SecretName] == "" && !strings.HasPrefix(v.Secret.SecretName, "my-") {
				t.Errorf("there is no Secret %s", v.Secret.SecretName)
			}
		}
	})
}

// selects holds that a selector finds what has these labels.
func selects(t *testing.T, who string, selector, labels map[string]string) {
	t.Helper()
	if len(selector) == 0 {
		t.Errorf("%s selects everything", who)
	}
	for k, v := range selector {
		if labels[k] != v {
			t.Errorf("%s selects %s=%s, which is not in %v", who, k, v, labels)
		}
	}
}

// TestTheServiceMonitorHonorsLabels holds that Prometheus keeps the labels target and region
// as the exporter publishes them, unless somebody says otherwise.
func TestTheServiceMonitorHonorsLabels(t *testing.T) {
	for values, want := range map[string]bool{
		"{demo: true, serviceMonitor: {enabled: true}}":                     true,
		"{demo: true, serviceMonitor: {enabled: true, honorLabels: true}}":  true,
		"{demo: true, serviceMonitor: {enabled: true, honorLabels: false}}": false,
	} {
		all := parse(t, render(t, chart, "-f", file(t, "values.yaml", values)))
		var m monitor
		if err := yaml.Unmarshal([]byte(all["ServiceMonitor/monitoring-imagebuilder-exporter"]), &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Spec.Endpoints) != 1 || m.Spec.Endpoints[0].HonorLabels == nil || *m.Spec.Endpoints[0].HonorLabels != want {
			t.Errorf("%s: the ServiceMonitor has %+v, want honorLabels: %t", values, m.Spec.Endpoints, want)
		}
	}
}

// TestRulesAndDashboards holds that they are those that everyone else loads.
func TestRulesAndDashboards(t *testing.T) {
	all := parse(t, render(t, chart, "-f", chart+"/ci/everything-values.yaml"))
	text, err := os.ReadFile("../../alerts/imagebuilder.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := yaml.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	got, ok := get[struct {
		APIVersion, Kind string
		Metadata         any
		Spec             any
	}](t, all, "PrometheusRule")
	if !ok || !reflect.DeepEqual(got.Spec, want) {
		t.Errorf("the PrometheusRule has\n%s", all["PrometheusRule/monitoring-imagebuilder-exporter"])
	}

	dashboards, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(dashboards) == 0 {
		t.Fatal(dashboards, err)
	}
	for _, d := range dashboards {
		text, err := os.ReadFile(d)
		if err != nil {
			t.Fatal(err)
		}
		var m corev1.ConfigMap
		name := strings.TrimSuffix(filepath.Base(d), ".json")
		if err := yaml.UnmarshalStrict([]byte(all["ConfigMap/monitoring-imagebuilder-exporter-"+name]), &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if m.Data["imagebuilder-"+name+".json"] != string(text) || len(m.Data) != 1 {
			t.Errorf("the ConfigMap of %s is not the file", d)
		}
		// kubectl apply keeps the whole of it in an annotation.
		if applied, err := json.Marshal(m); err != nil || len(applied) > 256<<10 {
			t.Errorf("the ConfigMap of %s has %d bytes, too many for kubectl apply, %v", d, len(applied), err)
		}
	}
	if n := strings.Count(render(t, chart, "-f", chart+"/ci/everything-values.yaml"), "\nkind: ConfigMap\n"); n != len(dashboards) {
		t.Errorf("there are %d ConfigMaps of %d dashboards", n, len(dashboards))
	}
}
