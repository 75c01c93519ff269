package kubernetes

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// threeReplicas are values with the least that they need.
const threeReplicas = "{demo: true, replicas: 3, serviceMonitor: {enabled: true}, scrapeConfig: {enabled: true}, networkPolicy: {enabled: true}}"

// three returns what the chart makes of threeReplicas and more values.
func three(t *testing.T, values ...string) (appsv1.Deployment, manifests) {
	t.Helper()
	flags := []string{"-f", file(t, "values.yaml", threeReplicas)}
	for _, v := range values {
		flags = append(flags, "-f", file(t, "values.yaml", v))
	}
	all := parse(t, render(t, chart, flags...))
	return named[appsv1.Deployment](t, all, "Deployment/monitoring-imagebuilder-exporter"), all
}

// TestOneReplica holds that one replica is what it was before there could be several. What is
// meant to change for one, write anew:
// bin/helm template monitoring deploy/helm --namespace imagebuilder -f deploy/helm/ci/existing-values.yaml -f e2e/kubernetes/testdata/one-replica-values.yaml > e2e/kubernetes/testdata/one-replica.yaml
func TestOneReplica(t *testing.T) {
	want := string(read(t, "testdata/one-replica.yaml"))
	flags := []string{"-f", chart + "/ci/existing-values.yaml", "-f", "testdata/one-replica-values.yaml"}
	for what, more := range map[string][]string{
		"by default":        nil,
		"when it says so":   {"--set", "replicas=1"},
		"with a long drain": {"--set", "web.drain=1h,scrapeConfig.interval=50m"},
	} {
		if diff := cmp.Diff(want, render(t, chart, append(flags, more...)...)); diff != "" {
			t.Errorf("one replica, %s (-want +got):\n%s", what, diff)
		}
	}
}

// TestReplicasFindEachOther holds that --sd.peers names a Service that has the addresses of all
// pods, ready or not, and that a NetworkPolicy lets them ask each other.
func TestReplicasFindEachOther(t *testing.T) {
	for what, values := range map[string]string{
		"by default":             "{}",
		"who may scrape is said": "{networkPolicy: {from: [{podSelector: {matchLabels: {app: prometheus}}}]}}",
	} {
		d, all := three(t, values)
		pod := d.Spec.Template
		s := named[corev1.Service](t, all, "Service/"+d.Name+"-replicas")
		selects(t, "the headless Service", s.Spec.Selector, pod.Labels)
		if s.Spec.ClusterIP != "None" || !s.Spec.PublishNotReadyAddresses || s.Spec.Ports[0].Port != pod.Spec.Containers[0].Ports[0].ContainerPort {
			t.Errorf("%s: the headless Service is %+v", what, s.Spec)
		}
		want := fmt.Sprintf("--sd.peers=dns+%s.imagebuilder.svc:%d", s.Name, s.Spec.Ports[0].Port)
		if args := pod.Spec.Containers[0].Args; !strings.Contains(strings.Join(args, "\n"), want) {
			t.Errorf("%s: no %s in %q", what, want, args)
		}
		p, _ := get[networkingv1.NetworkPolicy](t, all, "NetworkPolicy")
		if in := p.Spec.Ingress[0]; len(in.From) > 0 && !reaches(in.From, pod.Labels) {
			t.Errorf("%s: the NetworkPolicy does not let replicas in: %+v", what, in)
		}
		out := false
		for _, e := range p.Spec.Egress {
			out = out || reaches(e.To, pod.Labels) && e.Ports[0].Port.IntValue() == int(s.Spec.Ports[0].Port)
		}
		if !out {
			t.Errorf("%s: the NetworkPolicy does not let replicas out: %+v", what, p.Spec.Egress)
		}
	}
}

// reaches reports whether one of the peers of a NetworkPolicy is a pod with these labels.
func reaches(peers []networkingv1.NetworkPolicyPeer, labels map[string]string) bool {
	for _, peer := range peers {
		if peer.PodSelector == nil || len(peer.PodSelector.MatchLabels) == 0 {
			continue
		}
		all := true
		for k, v := range peer.PodSelector.MatchLabels {
			all = all && labels[k] == v
		}
		if all {
			return true
		}
	}
	return false
}

// TestReplicasGoOneAfterAnother holds that neither an upgrade nor the drain of a node takes more
// than one, and that one zone or node does not have them all without need.
func TestReplicasGoOneAfterAnother(t *testing.T) {
	d, all := three(t)
	rolling := d.Spec.Strategy.RollingUpdate
	if d.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType || rolling == nil || rolling.MaxUnavailable.String() != "0" || rolling.MaxSurge.String() != "1" {
		t.Errorf("the strategy is %+v", d.Spec.Strategy)
	}
	b, _ := get[policyv1.PodDisruptionBudget](t, all, "PodDisruptionBudget")
	if b.Spec.MaxUnavailable == nil || b.Spec.MaxUnavailable.String() != "1" {
		t.Fatalf("the PodDisruptionBudget is %+v", b.Spec)
	}
	selects(t, "the PodDisruptionBudget", b.Spec.Selector.MatchLabels, d.Spec.Template.Labels)
	var keys []string
	for _, c := range d.Spec.Template.Spec.TopologySpreadConstraints {
		keys = append(keys, c.TopologyKey)
		selects(t, "the topology spread", c.LabelSelector.MatchLabels, d.Spec.Template.Labels)
		// Else the pods that an upgrade replaces count, and the new ones may end up together.
		if !slices.Equal(c.MatchLabelKeys, []string{"pod-template-hash"}) {
			t.Errorf("%s: pods of all versions count", c.TopologyKey)
		}
		if c.WhenUnsatisfiable != corev1.ScheduleAnyway {
			t.Errorf("%s: a cluster of one node cannot have them", c.TopologyKey)
		}
	}
	if diff := cmp.Diff([]string{"topology.kubernetes.io/zone", "kubernetes.io/hostname"}, keys); diff != "" {
		t.Errorf("the topology spread (-want +got):\n%s", diff)
	}
}

// scrapeConfig is what a test has to know of a ScrapeConfig.
type scrapeConfig struct {
	Spec struct {
		JobName, Scheme, ScrapeInterval string
		HonorLabels                     bool
		TLSConfig, BasicAuth            map[string]any
		HTTPSDConfigs                   []struct {
			URL, RefreshInterval string
			TLSConfig, BasicAuth map[string]any
		}
	}
}

// scrapeConfigOf returns the ScrapeConfig of a release.
func scrapeConfigOf(t *testing.T, all manifests) (c scrapeConfig) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(all["ScrapeConfig/monitoring-imagebuilder-exporter"]), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestJobs holds that there is one of the targets, which /sd gives, and one of the replicas.
func TestJobs(t *testing.T) {
	d, all := three(t)
	c := scrapeConfigOf(t, all)
	if s := c.Spec; s.JobName != "imagebuilder" || !s.HonorLabels || s.Scheme != "" || s.ScrapeInterval != "30s" || len(s.HTTPSDConfigs) != 1 {
		t.Fatalf("the ScrapeConfig is %+v", s)
	}
	want := "http://" + d.Name + ".imagebuilder.svc:10120/sd"
	if sd := c.Spec.HTTPSDConfigs[0]; sd.URL != want || sd.RefreshInterval != "10s" {
		t.Errorf("the discovery is %+v, want the url %s", sd, want)
	}
	ready := named[corev1.Service](t, all, "Service/"+d.Name)
	if ready.Spec.PublishNotReadyAddresses || ready.Spec.ClusterIP == "None" {
		t.Errorf("the Service that is asked for /sd is %+v", ready.Spec)
	}
	var m struct {
		Spec struct {
			JobLabel string
			Selector struct{ MatchLabels map[string]string }
		}
	}
	if err := yaml.Unmarshal([]byte(all["ServiceMonitor/"+d.Name]), &m); err != nil {
		t.Fatal(err)
	}
	headless := named[corev1.Service](t, all, "Service/"+d.Name+"-replicas")
	selects(t, "the ServiceMonitor", m.Spec.Selector.MatchLabels, headless.Labels)
	if got := headless.Labels[m.Spec.JobLabel]; got != "imagebuilder-exporter" {
		t.Errorf("the job of the replicas is %q", got)
	}
	both := true
	for k, v := range m.Spec.Selector.MatchLabels {
		both = both && ready.Labels[k] == v
	}
	if both {
		t.Errorf("the ServiceMonitor selects both Services, and each replica twice: %v", m.Spec.Selector.MatchLabels)
	}
}

// TestTheJobOfTheReplicas holds that nameOverride does not change the job of the replicas' metrics.
func TestTheJobOfTheReplicas(t *testing.T) {
	all := rendered(t, "{demo: true, replicas: 2, nameOverride: images, serviceMonitor: {enabled: true}, scrapeConfig: {enabled: true}}")
	label, _ := objectOf(t, all, "ServiceMonitor/monitoring-images").Spec["jobLabel"].(string)
	if got := objectOf(t, all, "Service/monitoring-images-replicas").Metadata.Labels[label]; got != "imagebuilder-exporter" {
		t.Errorf("the job is %q, from the label %q", got, label)
	}
}
