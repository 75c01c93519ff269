package kubernetes

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// shutdown is how long the exporter takes to end after its drain, see docs/operations.md.
const shutdown = 15 * time.Second

// TestTheDrain holds that a replica that ends is scraped until Prometheus has learned that another
// one has its targets, that it is not killed before, and that the next one ends after it. Values
// with which that is not so are refused: TestBadValues.
func TestTheDrain(t *testing.T) {
	for what, values := range map[string]string{
		"by default":            "{}",
		"as long as it must be": "{web: {drain: 1h}, scrapeConfig: {interval: 50m, refreshInterval: 9m55s}}",
		"longer":                "{web: {drain: 2m}}",
		"with short intervals":  "{web: {drain: 7s}, scrapeConfig: {interval: 1s, refreshInterval: 1s}}",
	} {
		t.Run(what, func(t *testing.T) {
			d, all := three(t, values)
			c := scrapeConfigOf(t, all)
			interval, refresh := seconds(t, c.Spec.ScrapeInterval), seconds(t, c.Spec.HTTPSDConfigs[0].RefreshInterval)
			drain := drainOf(t, d.Spec.Template.Spec.Containers[0].Args)
			if least := refresh + interval + 5*time.Second; drain < least {
				t.Errorf("it drains for %s, want at least %s", drain, least)
			}
			grace := time.Duration(*d.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
			if grace <= drain+shutdown {
				t.Errorf("it is killed after %s, and drains for %s", grace, drain)
			}
			next := time.Duration(d.Spec.MinReadySeconds) * time.Second
			if next < grace {
				t.Errorf("the next one ends after %s, when this one may still drain, for it has %s", next, grace)
			}
			// Kubernetes refuses a Deployment that is given up before its first pod counts.
			if late := time.Duration(*d.Spec.ProgressDeadlineSeconds) * time.Second; late < next+5*time.Minute {
				t.Errorf("an upgrade is given up after %s, a pod counts after %s", late, next)
			}
		})
	}
}

// seconds returns what a duration of Prometheus or of Go says.
func seconds(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// drainOf returns --web.drain of the flags of a container.
func drainOf(t *testing.T, args []string) time.Duration {
	t.Helper()
	for _, arg := range args {
		if text, ok := strings.CutPrefix(arg, "--web.drain="); ok {
			return seconds(t, text)
		}
	}
	t.Fatalf("there is no --web.drain in %q", args)
	return 0
}

// TestReplicasWithAPassword holds that replicas have the file with which they ask each other, and
// that Prometheus uses the same password for the question as for scrapes.
func TestReplicasWithAPassword(t *testing.T) {
	d, all := deployment(t, chart+"/ci/replicas-values.yaml")
	pod := d.Spec.Template.Spec
	i := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Secret != nil && v.Secret.SecretName == "my-peers" })
	if i < 0 {
		t.Fatalf("my-peers is no volume: %v", pod.Volumes)
	}
	for _, m := range pod.Containers[0].VolumeMounts {
		if m.Name == pod.Volumes[i].Name && !slices.Contains(pod.Containers[0].Args, "--sd.peer-config="+m.MountPath+"/peers.yml") {
			t.Errorf("my-peers is in %s, the flags are %q", m.MountPath, pod.Containers[0].Args)
		}
	}
	c := scrapeConfigOf(t, all)
	sd := c.Spec.HTTPSDConfigs[0]
	if !strings.HasPrefix(sd.URL, "https://") || c.Spec.Scheme != "" || c.Spec.TLSConfig["serverName"] != "exporter.example.com" || c.Spec.BasicAuth["password"] == nil {
		t.Errorf("the ScrapeConfig is %+v", c.Spec)
	}
	if diff := cmp.Diff([]any{c.Spec.TLSConfig, c.Spec.BasicAuth}, []any{sd.TLSConfig, sd.BasicAuth}); diff != "" {
		t.Errorf("the question is sent with another one (-scrapes +question):\n%s", diff)
	}
}

// TestLongNames holds that the headless Service of a long name can be there beside the other one.
func TestLongNames(t *testing.T) {
	name := strings.Repeat("a", 63)
	all := parse(t, render(t, chart, "--set", "demo=true,replicas=2,fullnameOverride="+name))
	headless := named[corev1.Service](t, all, "Service/"+name[:54]+"-replicas")
	if got := len(headless.Name); got > 63 {
		t.Errorf("its name has %d letters, a Service may have 63", got)
	}
}

// TestPrintedJobs holds that what the notes print is a configuration that Prometheus loads, with
// the jobs that the Operator does not make.
func TestPrintedJobs(t *testing.T) {
	const (
		targets = `
  - job_name: imagebuilder
    honor_labels: true
    scrape_interval: 30s
    http_sd_configs:
      - url: http://monitoring-imagebuilder-exporter.imagebuilder.svc:10120/sd
        refresh_interval: 10s
`
		replicas = `
  - job_name: imagebuilder-exporter
    honor_labels: true
    dns_sd_configs:
      - names: [monitoring-imagebuilder-exporter-replicas.imagebuilder.svc]
        type: A
        port: 10120
`
	)
	for values, c := range map[string]struct{ has, hasNot string }{
		"{demo: true, replicas: 2}":                                                                     {targets + replicas[1:], "is not there"},
		"{demo: true, replicas: 2, scrapeConfig: {enabled: true}}":                                      {replicas, "job_name: imagebuilder\n"},
		"{demo: true, replicas: 2, serviceMonitor: {enabled: true}, scrapeConfig: {enabled: true}}":     {"\nTo see the executions, run", "scrape_configs"},
		"{demo: true, replicas: 2, web: {existingSecret: x, peerSecret: x}}":                            {"\n    scheme: https\n", "http://"},
		"{demo: true, replicas: 2, web: {drain: 2m}, scrapeConfig: {interval: 1m, scrapeTimeout: 20s}}": {"\n    scrape_interval: 1m\n    scrape_timeout: 20s\n", "scrape_interval: 30s"},
		"{demo: true}": {"Set serviceMonitor.enabled, or add a job with honor_labels: true for http://", "scrape_configs"},
	} {
		text := "\n" + notes(t, values)
		if !strings.Contains(text, c.has) || strings.Contains(text, c.hasNot) {
			t.Errorf("%s: the notes are\n%s\nwant in them\n%s\nand not\n%s", values, text, c.has, c.hasNot)
		}
		if _, jobs, ok := strings.Cut(text, "\nscrape_configs:\n"); ok {
			config := file(t, "prometheus.yml", "scrape_configs:\n"+jobs)
			if out, err := exec.CommandContext(t.Context(), "../../bin/promtool", "check", "config", config).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", values, err, out)
			}
		}
	}
}
