package kubernetes

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// object is any manifest.
type object struct {
	Metadata struct {
		Namespace           string
		Labels, Annotations map[string]string
	}
	Spec map[string]any
}

// objectOf returns a manifest by its kind and name, as in "Secret/x".
func objectOf(t *testing.T, all manifests, key string) (o object) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(all[key]), &o); err != nil || all[key] == "" {
		t.Fatalf("%s: %v\n%s", key, err, all[key])
	}
	return o
}

// rendered returns the manifests with values in a text.
func rendered(t *testing.T, values string) manifests {
	t.Helper()
	return parse(t, render(t, chart, "-f", file(t, "values.yaml", values)))
}

// TestNamespaces holds that the objects for Prometheus and Grafana can be in namespaces of their
// own, and that a ServiceMonitor there still finds the Services of the release.
func TestNamespaces(t *testing.T) {
	const on = "{demo: true, replicas: 2, serviceMonitor: {enabled: true%[1]s}, scrapeConfig: {enabled: true%[1]s}, prometheusRule: {enabled: true%[1]s}, dashboards: {enabled: true%[1]s}}"
	for namespace, selector := range map[string]any{
		"":         nil,
		"monitors": map[string]any{"matchNames": []any{"imagebuilder"}},
	} {
		more := ""
		if namespace != "" {
			more = ", namespace: " + namespace
		}
		all := rendered(t, strings.ReplaceAll(on, "%[1]s", more))
		for _, key := range []string{"ServiceMonitor/monitoring-imagebuilder-exporter", "ScrapeConfig/monitoring-imagebuilder-exporter", "PrometheusRule/monitoring-imagebuilder-exporter", "ConfigMap/monitoring-imagebuilder-exporter-overview"} {
			if got := objectOf(t, all, key).Metadata.Namespace; got != namespace {
				t.Errorf("%s is in %q, want %q", key, got, namespace)
			}
		}
		m := objectOf(t, all, "ServiceMonitor/monitoring-imagebuilder-exporter")
		if diff := cmp.Diff(selector, m.Spec["namespaceSelector"]); diff != "" {
			t.Errorf("the namespaces of the ServiceMonitor in %q (-want +got):\n%s", namespace, diff)
		}
	}
}

// TestRelabelings holds that each scrape job has its own relabelings and honorLabels.
func TestRelabelings(t *testing.T) {
	all := rendered(t, `
demo: true
replicas: 2
serviceMonitor:
  enabled: true
  relabelings: [{targetLabel: a}]
  metricRelabelings: [{targetLabel: b}]
scrapeConfig:
  enabled: true
  honorLabels: false
  relabelings: [{targetLabel: c}]
  metricRelabelings: [{targetLabel: d}]`)
	endpoint := objectOf(t, all, "ServiceMonitor/monitoring-imagebuilder-exporter").Spec["endpoints"].([]any)[0].(map[string]any)
	spec := objectOf(t, all, "ScrapeConfig/monitoring-imagebuilder-exporter").Spec
	label := func(name string) []any { return []any{map[string]any{"targetLabel": name}} }
	want := []any{label("a"), label("b"), label("c"), label("d"), true, false}
	got := []any{endpoint["relabelings"], endpoint["metricRelabelings"], spec["relabelings"], spec["metricRelabelings"], endpoint["honorLabels"], spec["honorLabels"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestSecurityContexts holds that values change and remove each key of the security contexts, and
// remove the contexts. TestAsADependency does so for a parent chart.
func TestSecurityContexts(t *testing.T) {
	const (
		pod       = `{"runAsUser":65534,"runAsGroup":65534,"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}}`
		container = `{"capabilities":{"drop":["ALL"]},"readOnlyRootFilesystem":true,"allowPrivilegeEscalation":false}`
	)
	for values, want := range map[string][2]string{
		"{}": {pod, container},
		"{podSecurityContext: {runAsUser: null, runAsGroup: null}}":                                     {`{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}}`, container},
		"{podSecurityContext: {runAsUser: 1000, runAsNonRoot: null, seccompProfile: null, fsGroup: 2}}": {`{"runAsUser":1000,"runAsGroup":65534,"fsGroup":2}`, container},
		"{podSecurityContext: null}": {"null", container},
		"{securityContext: {capabilities: null, readOnlyRootFilesystem: null, runAsUser: 7}}": {pod, `{"runAsUser":7,"allowPrivilegeEscalation":false}`},
		"{securityContext: null}": {pod, "null"},
		"{podSecurityContext: null, securityContext: {allowPrivilegeEscalation: null, capabilities: {drop: [NET_RAW]}}}":     {"null", `{"capabilities":{"drop":["NET_RAW"]},"readOnlyRootFilesystem":true}`},
		"{podSecurityContext: {runAsUser: null, runAsGroup: null, runAsNonRoot: null, seccompProfile: null}, podLabels: {}}": {"null", container},
	} {
		all := parse(t, render(t, chart, "--set", "demo=true", "-f", file(t, "values.yaml", values)))
		spec := named[appsv1.Deployment](t, all, "Deployment/monitoring-imagebuilder-exporter").Spec.Template.Spec
		if diff := cmp.Diff(contexts(t, want[0], want[1]), []any{spec.SecurityContext, spec.Containers[0].SecurityContext}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", values, diff)
		}
	}
}

// contexts returns the security contexts of a pod and a container that texts describe.
func contexts(t *testing.T, pod, container string) []any {
	t.Helper()
	var (
		p *corev1.PodSecurityContext
		c *corev1.SecurityContext
	)
	if err := yaml.UnmarshalStrict([]byte(pod), &p); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict([]byte(container), &c); err != nil {
		t.Fatal(err)
	}
	return []any{p, c}
}

// TestThePod holds what a security review checks in addition to the Pod Security Standards.
func TestThePod(t *testing.T) {
	for values, want := range map[string]*bool{"{demo: true}": nil, "{demo: true, hostUsers: false}": new(bool)} {
		spec := named[appsv1.Deployment](t, rendered(t, values), "Deployment/monitoring-imagebuilder-exporter").Spec.Template.Spec
		if diff := cmp.Diff(want, spec.HostUsers); diff != "" {
			t.Errorf("%s: hostUsers (-want +got):\n%s", values, diff)
		}
		if spec.EnableServiceLinks == nil || *spec.EnableServiceLinks {
			t.Errorf("%s: its environment has the addresses of every Service in the namespace", values)
		}
	}
}

// TestTheService holds that values set the type, labels and annotations of the Service, but not
// those of the headless Service.
func TestTheService(t *testing.T) {
	all := rendered(t, "{demo: true, replicas: 2, service: {type: LoadBalancer, labels: {team: images}, annotations: {a: b}}}")
	s := named[corev1.Service](t, all, "Service/monitoring-imagebuilder-exporter")
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer || s.Labels["team"] != "images" || s.Annotations["a"] != "b" {
		t.Errorf("the Service is %+v, %+v", s.ObjectMeta, s.Spec)
	}
	h := named[corev1.Service](t, all, "Service/monitoring-imagebuilder-exporter-replicas")
	if h.Spec.Type != corev1.ServiceTypeClusterIP || h.Labels["team"] != "" || len(h.Annotations) > 0 {
		t.Errorf("the headless Service is %+v, %+v", h.ObjectMeta, h.Spec)
	}
}

// TestNames holds what nameOverride and fullnameOverride change.
func TestNames(t *testing.T) {
	for values, want := range map[string][2]string{
		"{demo: true}":                                                {"monitoring-imagebuilder-exporter", "imagebuilder-exporter"},
		"{demo: true, nameOverride: images}":                          {"monitoring-images", "images"},
		"{demo: true, nameOverride: monitoring}":                      {"monitoring", "monitoring"},
		"{demo: true, fullnameOverride: images}":                      {"images", "imagebuilder-exporter"},
		"{demo: true, nameOverride: a, fullnameOverride: images}":     {"images", "a"},
		"{demo: true, nameOverride: " + strings.Repeat("a", 63) + "}": {"monitoring-" + strings.Repeat("a", 52), strings.Repeat("a", 63)},
	} {
		d := named[appsv1.Deployment](t, rendered(t, values), "Deployment/"+want[0])
		for _, labels := range []map[string]string{d.Labels, d.Spec.Selector.MatchLabels, d.Spec.Template.Labels} {
			if got := labels["app.kubernetes.io/name"]; got != want[1] {
				t.Errorf("%s: the label app.kubernetes.io/name is %q, want %q", values, got, want[1])
			}
		}
	}
}

// TestExtraObjects holds that maps and texts are objects of the release, with templates filled in.
func TestExtraObjects(t *testing.T) {
	all := rendered(t, `
demo: true
extraObjects:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: '{{ .Release.Name }}-map', labels: {number: "1"}}}
  - |
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: text
      namespace: {{ .Release.Namespace }}`)
	if got := objectOf(t, all, "ConfigMap/monitoring-map").Metadata.Labels["number"]; got != "1" {
		t.Errorf("the label is %q", got)
	}
	if got := objectOf(t, all, "ConfigMap/text").Metadata.Namespace; got != "imagebuilder" {
		t.Errorf("the namespace is %q", got)
	}
}
