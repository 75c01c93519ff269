package kubernetes

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// TestPodSecurity holds that the pods are admitted to a namespace with the strictest Pod
// Security Standard, "restricted", and that they have what that does not ask for.
func TestPodSecurity(t *testing.T) {
	eachFile(t, func(t *testing.T, file string) {
		d, _ := deployment(t, file)
		if got := security(t, d.Spec.Template); got != "" {
			t.Error(got)
		}
		pod := d.Spec.Template.Spec
		if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
			t.Error("it has a token for Kubernetes")
		}
		if root := pod.Containers[0].SecurityContext.ReadOnlyRootFilesystem; root == nil || !*root {
			t.Error("it could write to its image")
		}
		if s := pod.TerminationGracePeriodSeconds; s == nil || *s <= 15 {
			t.Error("it is killed before its scrapes in flight have ended")
		}
	})
}

// security returns why a pod is not admitted.
func security(t *testing.T, pod corev1.PodTemplateSpec) string {
	t.Helper()
	e, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	result := policy.AggregateCheckResults(e.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec))
	return result.ForbiddenDetail()
}

// TestPodSecurityIsChecked holds that a weaker pod would be found.
func TestPodSecurityIsChecked(t *testing.T) {
	yes, no, root := true, false, int64(0)
	for what, weaken := range map[string]func(*corev1.PodSpec){
		"runAsNonRoot":             func(p *corev1.PodSpec) { p.SecurityContext.RunAsNonRoot = &no },
		"runAsUser":                func(p *corev1.PodSpec) { p.SecurityContext.RunAsUser = &root },
		"seccompProfile":           func(p *corev1.PodSpec) { p.SecurityContext.SeccompProfile = nil },
		"allowPrivilegeEscalation": func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil },
		"capabilities":             func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.Capabilities = nil },
		"privileged":               func(p *corev1.PodSpec) { p.Containers[0].SecurityContext.Privileged = &yes },
		"hostNetwork":              func(p *corev1.PodSpec) { p.HostNetwork = true },
		"hostPath": func(p *corev1.PodSpec) {
			p.Volumes = append(p.Volumes, corev1.Volume{Name: "x", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}})
		},
	} {
		d, _ := deployment(t, chart+"/ci/config-values.yaml")
		weaken(&d.Spec.Template.Spec)
		if got := security(t, d.Spec.Template); !strings.Contains(got, what) {
			t.Errorf("a pod with another %s is admitted, or for another reason not: %s", what, got)
		}
	}
}
