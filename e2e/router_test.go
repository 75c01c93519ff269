package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
)

// groupWait is how long the Alertmanager of these tests waits before the first message of a
// group. Later messages come every second.
const groupWait = 2 * time.Second

// message is one that a receiver got: "firing WorkflowFailed p1", an alert and what it is about.
type message []string

// inbox has the messages of each receiver, by the target that they are about.
type inbox struct {
	mu  sync.Mutex
	all map[string][]message // "image-builds golden"
}

// ServeHTTP takes in a message. The path is the receiver's name.
func (i *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body struct {
		Alerts []struct {
			Status string
			Labels map[string]string
		}
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Alerts) == 0 {
		return
	}
	var m message
	for _, a := range body.Alerts {
		m = append(m, a.Status+" "+a.Labels["alertname"]+" "+a.Labels["pipeline"]+a.Labels["workflow_execution_id"])
	}
	slices.Sort(m)
	i.mu.Lock()
	defer i.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/") + " " + body.Alerts[0].Labels["target"]
	i.all[key] = append(i.all[key], m)
}

// of returns the messages that a receiver got about a target.
func (i *inbox) of(receiver, target string) []message {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.all[receiver+" "+target])
}

// router is an Alertmanager with the route of alerts/alertmanager.yml.
type router struct {
	*stack.Program
	*inbox
}

// startRouter starts one whose receivers are the inbox.
func startRouter(t *testing.T) router {
	t.Helper()
	in := &inbox{all: map[string][]message{}}
	webhook := httptest.NewServer(in)
	t.Cleanup(webhook.Close)
	program, err := stack.Find("", "prometheus-alertmanager", "alertmanager")
	if err != nil {
		t.Fatalf("%v: apt-get install prometheus-alertmanager", err)
	}
	address, err := stack.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../alerts/alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	waits := "group_wait: " + groupWait.String()
	route := strings.NewReplacer("group_wait: 1m", waits, "group_interval: 5m", "group_interval: 1s", "  receiver: default\n", "  receiver: default\n  "+waits+"\n").Replace(string(text))
	for _, receiver := range []string{"default", "image-builds", "image-builds-info"} {
		name := "  - name: " + receiver + "\n"
		if strings.Count(route, name) != 1 {
			t.Fatalf("alerts/alertmanager.yml has no receiver %s", receiver)
		}
		route = strings.Replace(route, name, name+"    webhook_configs: [{url: '"+webhook.URL+"/"+receiver+"'}]\n", 1)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte(route), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p, err := stack.Run(ctx, dir, address, "/-/ready", exec.Command(program,
		"--config.file="+config, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--cluster.listen-address="))
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop()
		cancel()
	})
	return router{p, in}
}

// posted is an alert for Alertmanager.
type posted struct {
	Labels   map[string]string `json:"labels"`
	StartsAt time.Time         `json:"startsAt"`
	EndsAt   *time.Time        `json:"endsAt,omitempty"`
}

// ours returns an alert of the exporter, with more labels, as in "pipeline=a".
func ours(name, severity, target string, labels ...string) posted {
	a := posted{StartsAt: time.Now(), Labels: map[string]string{
		"service": "imagebuilder", "alertname": name, "severity": severity, "target": target, "region": "eu-west-1",
	}}
	for _, l := range labels {
		k, v, _ := strings.Cut(l, "=")
		a.Labels[k] = v
	}
	return a
}

// post sends alerts to Alertmanager.
func (r router) post(t *testing.T, alerts ...posted) {
	t.Helper()
	text, err := json.Marshal(alerts)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL+"/api/v2/alerts", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("Alertmanager answered %s", resp.Status)
	}
}

// resolve ends alerts that were posted, all at once.
func (r router) resolve(t *testing.T, alerts ...posted) {
	t.Helper()
	now := time.Now()
	for i := range alerts {
		alerts[i].EndsAt = &now
	}
	r.post(t, alerts...)
}

// until waits until something is so.
func (r router) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	for !is() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-late:
			t.Fatalf("after half a minute it is not so that %s\n%s", what, r.Log())
		}
	}
}

// settle waits until everything that was posted has been sent: two alerts, one after the
// other, are sent later.
func (r router) settle(t *testing.T) {
	t.Helper()
	for _, n := range []string{"1", "2"} {
		target := t.Name() + time.Now().String() + n
		r.post(t, ours("TargetDown", "critical", target))
		r.until(t, "a later alert is sent", func() bool { return len(r.of("image-builds", target)) > 0 })
	}
}

// wants holds the messages of a receiver, in any order.
func (r router) wants(t *testing.T, receiver, target string, want ...message) {
	t.Helper()
	got := r.of(receiver, target)
	slices.SortFunc(got, slices.Compare)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", receiver, diff)
	}
}
