package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

const (
	account  = "arn:aws:imagebuilder:eu-west-1:111122223333:"
	workflow = "arn:aws:imagebuilder:eu-west-1:aws:workflow/build/build-image/1.0.3/1"
	failing  = "wf-00000000-0000-4000-8000-000000000001"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

// TestStack follows a build that fails and one that completes after it, from the emulated API
// through the exporter, Prometheus and Alertmanager to a receiver. Then the exporter is
// stopped and started.
func TestStack(t *testing.T) {
	exporter := binarytest.Path(t)
	for name, programs := range map[string][]string{
		"Prometheus 3": {"../bin/prometheus"},
		"Debian":       {"prometheus"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prometheus, err := stack.Find("", programs...)
			if err != nil {
				t.Fatalf("%v: run make e2e, which builds what can be built, after apt-get install prometheus", err)
			}
			s, got := startStack(t, exporter, prometheus)
			s.failsAndRecovers(t, got)
			s.stopsAndStarts(t)
		})
	}
}

// notices are what a receiver of Alertmanager got.
type notices struct {
	mu  sync.Mutex
	all []string // "firing WorkflowFailed"
}

// ServeHTTP takes in a notification.
func (n *notices) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body struct {
		Alerts []struct {
			Status string
			Labels map[string]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range body.Alerts {
		n.all = append(n.all, a.Status+" "+a.Labels["alertname"])
	}
}

func (n *notices) have(what string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.all, what)
}

// testStack is a Stack that belongs to a test.
type testStack struct{ *stack.Stack }

// startStack starts a Stack around an emulated pipeline: its first build fails at
// once, the second one completes after twenty seconds.
func startStack(t *testing.T, exporter, prometheus string) (testStack, *notices) {
	t.Helper()
	now := time.Now()
	pipeline := account + "image-pipeline/linux"
	image := func(n int, created time.Time, steps ...emulator.Step) emulator.Image {
		return emulator.Image{
			ARN: fmt.Sprintf("%simage/linux/1.0.0/%d", account, n), PipelineARN: pipeline, Created: created,
			Attempts: []emulator.Attempt{{Runs: []emulator.Run{{
				ID: fmt.Sprintf("%s%d", failing[:len(failing)-1], n), Type: "BUILD", WorkflowBuildVersionARN: workflow, Start: created, Steps: steps,
			}}}},
		}
	}
	api := httptest.NewServer(&emulator.API{Scenario: &emulator.Account{
		Pipelines: []emulator.Pipeline{{ARN: pipeline, Name: "Linux"}},
		Images: []emulator.Image{
			image(1, now.Add(-time.Minute), emulator.Step{Name: "Patch", Action: "ExecuteComponents", Takes: time.Minute, Ends: emulator.Failed}),
			image(2, now.Add(10*time.Second), emulator.Step{Name: "Patch", Action: "ExecuteComponents", Takes: 10 * time.Second}),
		},
	}})
	t.Cleanup(api.Close)
	got := &notices{}
	webhook := httptest.NewServer(got)
	t.Cleanup(webhook.Close)

	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	text := fmt.Sprintf("targets:\n  - name: golden\n    regions: [eu-west-1]\n    endpoint_url: '%s'\n    pipelines: [{name: Linux, builds: 2}]\nlookup: {min_interval: 500ms, discovery_interval: 1s}\n", api.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(exporter, "--config.file="+config)
	run.Env = []string{"AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true"}
	return runStack(t, stack.Options{
		Dir: dir, Exporter: run, Prometheus: prometheus, Interval: time.Second, Fast: true, Webhook: webhook.URL,
		Labels: "target: machine, region: us-east-1", // those of the metrics win over them
	}), got
}

// runStack starts a Stack for the time of the test, on addresses that are free.
func runStack(t *testing.T, o stack.Options) testStack {
	t.Helper()
	var err error
	if o.Alertmanager, err = stack.Find("", "prometheus-alertmanager", "alertmanager"); err != nil {
		t.Fatalf("%v: apt-get install prometheus-alertmanager", err)
	}
	if o.Root, err = filepath.Abs(".."); err != nil {
		t.Fatal(err)
	}
	for _, address := range []*string{&o.ExporterAddress, &o.PrometheusAddress, &o.AlertmanagerAddress} {
		if *address, err = stack.FreeAddress(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := stack.Start(ctx, o)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		cancel()
	})
	return testStack{s}
}

// failsAndRecovers follows the alert on the failed build.
func (s testStack) failsAndRecovers(t *testing.T, got *notices) {
	t.Helper()
	var firing alert
	s.until(t, "WorkflowFailed fires in Alertmanager", func() bool {
		for _, a := range s.alerts(t) {
			if a.Labels["alertname"] == "WorkflowFailed" {
				firing = a
			}
		}
		return firing.Labels != nil
	})
	for label, want := range map[string]string{
		"severity": "critical", "target": "golden", "region": "eu-west-1", "workflow_execution_id": failing,
		"workflow_type": "BUILD", "pipeline": "Linux", "image_name": "linux", "image_version": "1.0.0/1", "image_build_version_arn": account + "image/linux/1.0.0/1",
	} {
		if firing.Labels[label] != want {
			t.Errorf("WorkflowFailed has %s=%q, want %q", label, firing.Labels[label], want)
		}
	}
	for annotation, want := range map[string]string{
		"summary":     "BUILD of linux 1.0.0/1 failed",
		"description": "Workflow execution " + failing + " (BUILD) of image linux 1.0.0/1, pipeline Linux, failed in golden, eu-west-1. It may be rolling back or have rolled back. Step Patch failed. The alert ends when a retry or a newer build of the pipeline succeeds, or after a week.",
		"console_url": "https://eu-west-1.console.aws.amazon.com/imagebuilder/home?region=eu-west-1&account=111122223333#/images/" + account + "image/linux/1.0.0/1",
		"runbook_url": "https://github.com/imagebuilder-exporter/imagebuilder_exporter/blob/main/docs/runbooks/WorkflowFailed.md",
	} {
		if firing.Annotations[annotation] != want {
			t.Errorf("WorkflowFailed has %s %q, want %q", annotation, firing.Annotations[annotation], want)
		}
	}
	s.until(t, "ImageFailed is muted, for the execution says more", func() bool {
		return slices.ContainsFunc(s.alerts(t), func(a alert) bool {
			return a.Labels["alertname"] == "ImageFailed" && a.Status.State == "suppressed"
		})
	})
	s.until(t, "the receiver hears of it", func() bool { return got.have("firing WorkflowFailed") })
	s.healthy(t)
	s.until(t, "a newer build ends it", func() bool { return len(s.alerts(t)) == 0 })
	s.until(t, "the receiver hears of the end", func() bool { return got.have("resolved WorkflowFailed") })
	s.healthy(t)
}

// stopsAndStarts holds that an exporter that has gone is missed.
func (s testStack) stopsAndStarts(t *testing.T) {
	t.Helper()
	s.Exporter.Stop()
	s.until(t, "ExporterAbsent fires alone", func() bool {
		all := s.alerts(t)
		return len(all) == 1 && all[0].Labels["alertname"] == "ExporterAbsent"
	})
	if err := s.StartExporter(); err != nil {
		t.Fatal(err)
	}
	s.until(t, "ExporterAbsent ends", func() bool { return len(s.alerts(t)) == 0 })
	s.healthy(t)
}

// healthy holds that everything is scraped, no sample was refused, and no rule fails.
func (s testStack) healthy(t *testing.T) {
	t.Helper()
	if up := s.query(t, "sum(up)"); len(up) != 1 || up[0] != "2" {
		t.Errorf("sum(up) is %v, want 2", up)
	}
	if up := s.query(t, "imagebuilder_up"); len(up) != 1 || up[0] != "1" {
		t.Errorf("imagebuilder_up is %v, want 1", up)
	}
	for _, none := range []string{
		`{__name__=~"prometheus_target_(scrapes?_.*(out_of_order|duplicate|out_of_bounds|exceeded).*|scrape_pool_exceeded.*|scrapes_cache_flush_forced)_total"} > 0`,
		`prometheus_rule_evaluation_failures_total > 0`,
		`prometheus_notifications_errors_total > 0`,
		`scrape_samples_scraped != scrape_samples_post_metric_relabeling`,
	} {
		if got := s.query(t, none); len(got) > 0 {
			t.Errorf("%s: %v", none, got)
		}
	}
	if got := s.query(t, "prometheus_target_scrapes_sample_out_of_order_total"); len(got) == 0 {
		t.Error("Prometheus does not count samples out of order any more")
	}
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	get(t, s.Prometheus.URL+"/api/v1/rules", &answer)
	evaluated := 0
	for _, g := range answer.Data.Groups {
		for _, r := range g.Rules {
			if evaluated++; r.Health != "ok" {
				t.Errorf("rule %s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	if evaluated == 0 {
		t.Error("Prometheus has no rules")
	}
}

// alert is one that is active in Alertmanager.
type alert struct {
	Labels, Annotations map[string]string
	Status              struct{ State string }
}

func (s testStack) alerts(t *testing.T) []alert {
	t.Helper()
	var all []alert
	get(t, s.Alertmanager.URL+"/api/v2/alerts?active=true&inhibited=true", &all)
	return all
}

// query returns the values of a query, without their labels.
func (s testStack) query(t *testing.T, expr string) []string {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	get(t, s.Prometheus.URL+"/api/v1/query?query="+url.QueryEscape(expr), &answer)
	var values []string
	for _, r := range answer.Data.Result {
		values = append(values, fmt.Sprint(r.Value[1]))
	}
	return values
}

// until waits until something is so.
func (s testStack) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	late := time.After(time.Minute)
	for !is() {
		select {
		case <-time.After(200 * time.Millisecond):
		case <-late:
			t.Fatalf("after a minute it is not so that %s; alerts: %v\n%s", what, s.alerts(t), strings.Join([]string{s.Exporter.Log(), s.Prometheus.Log(), s.Alertmanager.Log()}, "\n"))
		}
	}
}

// get reads the JSON at an address.
func get(t *testing.T, address string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %s: %s", address, resp.Status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}
