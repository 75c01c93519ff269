// Package stack runs the exporter, a Prometheus with the alert rules, and an Alertmanager on loopback
// addresses. It installs nothing: the programs must exist. Start reading with Start.
package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Options says what to run. All fields but Fast, Webhook and Labels are required.
type Options struct {
	Dir  string // for data, logs and configuration
	Root string // of the repository

	Exporter     *exec.Cmd // without --web.listen-address
	Prometheus   string    // the program
	Alertmanager string    // the program

	ExporterAddress, PrometheusAddress, AlertmanagerAddress string // host:port

	Interval time.Duration // of scrapes and evaluations
	Fast     bool          // whether the alerts wait for as many seconds as their rules have minutes
	Webhook  string        // a URL that Alertmanager notifies; "" for none
	Labels   string        // of the exporter as a scrape target, such as "region: here"; "" for none
}

// Stack is what runs.
type Stack struct {
	Exporter, Prometheus, Alertmanager *Program

	ctx context.Context
	o   Options
}

// Start starts everything, and returns when all are ready. What it has started ends with
// ctx, or by Stop.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{ctx: ctx, o: o}
	if err := s.configure(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{s.startAlertmanager, s.StartExporter, s.startPrometheus} {
		if err := step(); err != nil {
			s.Stop()
			return nil, err
		}
	}
	return s, nil
}

// Stop ends everything.
func (s *Stack) Stop() {
	for _, p := range []*Program{s.Prometheus, s.Alertmanager, s.Exporter} {
		if p != nil {
			p.Stop()
		}
	}
}

// StartExporter starts the exporter, also after Stop.
func (s *Stack) StartExporter() (err error) {
	c := *s.o.Exporter
	c.Args = append(append([]string{}, c.Args...), "--web.listen-address="+s.o.ExporterAddress)
	s.Exporter, err = Run(s.ctx, s.o.Dir, s.o.ExporterAddress, "/-/ready", &c)
	return err
}

func (s *Stack) startPrometheus() (err error) {
	s.Prometheus, err = Run(s.ctx, s.o.Dir, s.o.PrometheusAddress, "/-/ready", exec.Command(s.o.Prometheus,
		"--config.file="+s.file("prometheus.yml"),
		"--storage.tsdb.path="+s.file("prometheus"),
		"--web.listen-address="+s.o.PrometheusAddress))
	return err
}

func (s *Stack) startAlertmanager() (err error) {
	s.Alertmanager, err = Run(s.ctx, s.o.Dir, s.o.AlertmanagerAddress, "/-/ready", exec.Command(s.o.Alertmanager,
		"--config.file="+s.file("alertmanager.yml"),
		"--storage.path="+s.file("alertmanager"),
		"--web.listen-address="+s.o.AlertmanagerAddress,
		"--cluster.listen-address="))
	return err
}

func (s *Stack) file(name string) string { return filepath.Join(s.o.Dir, name) }

// configure writes the configuration of Prometheus and Alertmanager.
func (s *Stack) configure() error {
	rules, err := os.ReadFile(filepath.Join(s.o.Root, "alerts/imagebuilder.rules.yml"))
	if err != nil {
		return err
	}
	alertmanager, err := os.ReadFile(filepath.Join(s.o.Root, "alerts/alertmanager.yml"))
	if err != nil {
		return err
	}
	route := string(alertmanager)
	if s.o.Fast {
		rules = inSeconds(rules)
		route = strings.NewReplacer("group_wait: 1m", "group_wait: 1s", "group_interval: 5m", "group_interval: 1s").Replace(route)
	}
	if s.o.Webhook != "" {
		route = strings.Replace(route, "- name: image-builds\n", "- name: image-builds\n    webhook_configs: [{url: '"+s.o.Webhook+"'}]\n", 1)
	}
	for name, text := range map[string]string{
		"imagebuilder.rules.yml": string(rules),
		"alertmanager.yml":       route,
		"prometheus.yml": fmt.Sprintf(`
global: {scrape_interval: %[1]s, scrape_timeout: %[1]s, evaluation_interval: %[1]s}
rule_files: [imagebuilder.rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['%[2]s']}]}]}
scrape_configs:
  - {job_name: imagebuilder, honor_labels: true, static_configs: [{targets: ['%[3]s'], labels: {%[5]s}}]}
  - {job_name: prometheus, static_configs: [{targets: ['%[4]s']}]}
`, s.o.Interval, s.o.AlertmanagerAddress, s.o.ExporterAddress, s.o.PrometheusAddress, s.o.Labels),
	} {
		if err := os.WriteFile(s.file(name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

var waits = regexp.MustCompile(`(?m)^(\s+for: [0-9]+)[mh]$`)

// inSeconds makes seconds of the minutes and hours for which alerts wait until they fire.
// Nothing else in the rules changes.
func inSeconds(rules []byte) []byte { return waits.ReplaceAll(rules, []byte("${1}s")) }
