package kubernetes

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// policyOf returns the NetworkPolicy with values in a text.
func policyOf(t *testing.T, values string) networkingv1.NetworkPolicySpec {
	t.Helper()
	p, ok := get[networkingv1.NetworkPolicy](t, rendered(t, values), "NetworkPolicy")
	if !ok {
		t.Fatalf("%s: there is no NetworkPolicy", values)
	}
	if diff := cmp.Diff([]networkingv1.PolicyType{"Ingress", "Egress"}, p.Spec.PolicyTypes); diff != "" {
		t.Errorf("%s: what is not allowed is not denied (-want +got):\n%s", values, diff)
	}
	return p.Spec
}

// peers returns the peers of a NetworkPolicy that a text describes.
func peers(t *testing.T, text string) (all []networkingv1.NetworkPolicyPeer) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestWhoMayScrape holds that only Prometheus and other replicas may connect by default.
func TestWhoMayScrape(t *testing.T) {
	const (
		prometheus = "{namespaceSelector: {}, podSelector: {matchLabels: {app.kubernetes.io/name: prometheus}}}"
		replicas   = "{podSelector: {matchLabels: {app.kubernetes.io/name: imagebuilder-exporter, app.kubernetes.io/instance: monitoring}}}"
		mine       = "{podSelector: {matchLabels: {app: agent}}}"
	)
	for values, want := range map[string]string{
		"{demo: true, networkPolicy: {enabled: true}}":                                    "[" + prometheus + "]",
		"{demo: true, replicas: 2, networkPolicy: {enabled: true}}":                       "[" + replicas + ", " + prometheus + "]",
		"{demo: true, networkPolicy: {enabled: true, from: [" + mine + "]}}":              "[" + mine + "]",
		"{demo: true, replicas: 2, networkPolicy: {enabled: true, from: [" + mine + "]}}": "[" + replicas + ", " + mine + "]",
		"{demo: true, networkPolicy: {enabled: true, from: []}}":                          "null",
		"{demo: true, replicas: 2, networkPolicy: {enabled: true, from: []}}":             "null",
	} {
		in := policyOf(t, values).Ingress
		if len(in) != 1 || len(in[0].Ports) != 1 || in[0].Ports[0].Port.IntValue() != 10120 {
			t.Fatalf("%s: the ingress is %+v", values, in)
		}
		if diff := cmp.Diff(peers(t, want), in[0].From); diff != "" {
			t.Errorf("%s (-want +got):\n%s", values, diff)
		}
	}
}

// TestWhereItMayGo holds that the exporter reaches only DNS, AWS and the Pod Identity agent, and that
// values restrict the first two and add others.
func TestWhereItMayGo(t *testing.T) {
	const (
		agent    = "[{ipBlock: {cidr: 169.254.170.23/32}}, {ipBlock: {cidr: 'fd00:ec2::23/128'}}]"
		metadata = "[{ipBlock: {cidr: 169.254.169.254/32}}, {ipBlock: {cidr: 'fd00:ec2::254/128'}}]"
		dns      = "[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]"
		subnet   = "[{ipBlock: {cidr: 10.0.0.0/16}}]"
		proxy    = "{to: [{ipBlock: {cidr: 10.1.0.1/32}}], ports: [{port: 3128}]}"
	)
	rule := func(to, ports string) string { return "{to: " + to + ", ports: " + ports + "}" }
	const dnsPorts = "[{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]"
	for values, want := range map[string]string{
		"{demo: true, networkPolicy: {enabled: true}}": "[" + rule("null", dnsPorts) + ", " + rule("null", "[{port: 443}]") + ", " + rule(agent, "[{port: 80}]") + "]",
		"{demo: true, networkPolicy: {enabled: true, instanceMetadata: true, dnsTo: " + dns + ", awsTo: " + subnet + ", extraEgress: [" + proxy + "]}}": "[" + rule(dns, dnsPorts) + ", " + rule(subnet, "[{port: 443}]") + ", " + rule(agent, "[{port: 80}]") + ", " + rule(metadata, "[{port: 80}]") + ", " + proxy + "]",
	} {
		var rules []networkingv1.NetworkPolicyEgressRule
		if err := yaml.UnmarshalStrict([]byte(want), &rules); err != nil {
			t.Fatal(err)
		}
		got := policyOf(t, values)
		if diff := cmp.Diff(rules, got.Egress); diff != "" {
			t.Errorf("%s (-want +got):\n%s", values, diff)
		}
		selector := metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": "imagebuilder-exporter", "app.kubernetes.io/instance": "monitoring"}}
		if diff := cmp.Diff(selector, got.PodSelector); diff != "" {
			t.Errorf("%s (-want +got):\n%s", values, diff)
		}
	}
}
