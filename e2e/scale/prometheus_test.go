package scale

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

// monitoring is a pair of Prometheus servers with one Alertmanager.
type monitoring struct {
	t        *testing.T
	servers  map[string]*stack.Program // by name
	messages *messages
}

// messages are what a receiver of Alertmanager got: how often it was told of each alert.
type messages struct {
	mu  sync.Mutex
	all map[string]int // by state, name and subject
}

// ServeHTTP takes in a notification.
func (m *messages) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body struct {
		Alerts []struct {
			Status string
			Labels map[string]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range body.Alerts {
		m.all[a.Status+" "+a.Labels["alertname"]+" "+cmp.Or(a.Labels["workflow_execution_id"], a.Labels["image_build_version_arn"])]++
	}
}

// got returns what came so far.
func (m *messages) got() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.all)
}

const route = `
route: {receiver: all, group_by: ['...'], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: all, webhook_configs: [{url: '%s'}]}]
`

// startMonitoring starts everything for the time of the test.
func startMonitoring(t *testing.T, r *replicas) *monitoring {
	t.Helper()
	m := &monitoring{t: t, servers: map[string]*stack.Program{}, messages: &messages{all: map[string]int{}}}
	webhook := httptest.NewServer(m.messages)
	t.Cleanup(webhook.Close)
	dir := t.TempDir()
	binarytest.WriteFile(t, filepath.Join(dir, "alertmanager.yml"), fmt.Sprintf(route, webhook.URL))
	alertmanager := m.run(dir, "prometheus-alertmanager", "alertmanager.yml", "--cluster.listen-address=", "--storage.path="+filepath.Join(dir, "alertmanager"))
	rules, err := os.ReadFile("../../alerts/imagebuilder.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	text, programs := shorter(string(rules), r.timing.minute), map[string]string{"Prometheus 3": "../../bin/prometheus", "Debian": "prometheus"}
	if *figures {
		text = "groups: []\n"
		delete(programs, "Debian")
	}
	binarytest.WriteFile(t, filepath.Join(dir, "rules.yml"), text)
	for name, program := range programs {
		file := strings.ReplaceAll(name, " ", "") + ".yml"
		binarytest.WriteFile(t, filepath.Join(dir, file), r.scrapeJobs(name, strings.TrimPrefix(alertmanager.URL, "http://")))
		m.servers[name] = m.run(dir, program, file, "--storage.tsdb.path="+filepath.Join(dir, file+".data"))
	}
	return m
}

// run runs a program with a configuration in dir.
func (m *monitoring) run(dir, program, file string, args ...string) *stack.Program {
	m.t.Helper()
	path, err := stack.Find("", program)
	if err != nil {
		m.t.Fatalf("%v: run make scale-test, which builds what can be built, after apt-get install prometheus prometheus-alertmanager", err)
	}
	address, err := stack.FreeAddress()
	if err != nil {
		m.t.Fatal(err)
	}
	args = append([]string{"--config.file=" + filepath.Join(dir, file), "--web.listen-address=" + address}, args...)
	p, err := stack.Run(context.WithoutCancel(m.t.Context()), dir, address, "/-/ready", exec.Command(path, args...))
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(p.Stop)
	return p
}

var waits = regexp.MustCompile(`(?m)^(\s+(?:for|keep_firing_for): )([0-9]+)([mh])$`)

// shorter makes alerts wait less long.
func shorter(rules string, minute time.Duration) string {
	return waits.ReplaceAllStringFunc(rules, func(line string) string {
		m := waits.FindStringSubmatch(line)
		n, _ := strconv.Atoi(m[2])
		if m[3] == "h" {
			n *= 60
		}
		return m[1] + model.Duration(time.Duration(n)*minute).String()
	})
}

// scrapeJobs returns the configuration of one of two servers, with the jobs of
// docs/operations.md.
func (r *replicas) scrapeJobs(server, alertmanager string) string {
	return fmt.Sprintf(`
global: {scrape_interval: %[1]s, scrape_timeout: %[1]s, evaluation_interval: %[1]s, external_labels: {server: '%[2]s'}}
rule_files: [rules.yml]
alerting:
  alert_relabel_configs: [{regex: server, action: labeldrop}]
  alertmanagers: [{static_configs: [{targets: ['%[3]s']}]}]
scrape_configs:
  - {job_name: imagebuilder, honor_labels: true, http_sd_configs: [{url: '%[4]s/sd', refresh_interval: %[5]s}]}
  - {job_name: imagebuilder-exporter, honor_labels: true, static_configs: [{targets: ['%[6]s']}]}
`, model.Duration(r.timing.scrape), server, alertmanager, r.service, model.Duration(r.timing.refresh), strings.Join(r.addresses, "', '"))
}

// sample is one value of a series.
type sample struct {
	at    time.Time
	value string
}

// series is one with its samples.
type series struct {
	labels  map[string]string
	samples []sample
}

// query returns the series of a range selector, or the one value each of another expression.
func (m *monitoring) query(server, expr string) []series {
	m.t.Helper()
	status, body := fetch(m.t.Context(), m.servers[server].URL+"/api/v1/query?query="+url.QueryEscape(expr))
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
				Values [][2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusOK {
		m.t.Fatalf("%s: %d %s", expr, status, body)
	}
	var all []series
	for _, r := range answer.Data.Result {
		s := series{labels: r.Metric}
		if r.Values == nil {
			r.Values = [][2]any{r.Value}
		}
		for _, v := range r.Values {
			s.samples = append(s.samples, sample{time.UnixMilli(int64(v[0].(float64) * 1000)), fmt.Sprint(v[1])})
		}
		all = append(all, s)
	}
	return all
}

// scrapeErrors returns why targets could not be scraped, and how many.
func (m *monitoring) scrapeErrors(server string) map[string]int {
	m.t.Helper()
	status, body := fetch(m.t.Context(), m.servers[server].URL+"/api/v1/targets?state=active")
	var answer struct {
		Data struct {
			ActiveTargets []struct{ LastError string }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusOK {
		m.t.Fatalf("targets: %d %s", status, body)
	}
	all := map[string]int{}
	for _, target := range answer.Data.ActiveTargets {
		all[target.LastError]++
	}
	delete(all, "")
	return all
}

// until waits until something is so for every server.
func (m *monitoring) until(what string, is func(server string) bool) {
	m.t.Helper()
	limit := time.Minute + 20**interval // alerts wait for so long, too
	late := time.After(limit)
	for server := range m.servers {
		for !is(server) {
			select {
			case <-time.After(200 * time.Millisecond):
			case <-late:
				m.t.Fatalf("%s: after %s it is not so that %s; %v, alerts: %v", server, limit, what,
					m.scrapeErrors(server), m.query(server, "count by (alertname) (ALERTS)"))
			}
		}
	}
}
