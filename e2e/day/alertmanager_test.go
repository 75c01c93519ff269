package day

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/api"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/route"
)

const (
	alertmanagerAddress = "alertmanager:9093"
	receiverAddress     = "receiver:80"
)

// alertmanager is an Alertmanager, wired as its own main does it.
type alertmanager struct {
	conf       *config.Config
	registry   *prometheus.Registry
	alerts     *mem.Alerts
	silences   *silence.Silences
	silencer   *silence.Silencer
	groups     marker.GroupMarker
	inhibitor  *inhibit.Inhibitor
	dispatcher *dispatch.Dispatcher
}

// startAlertmanager starts one with alerts/alertmanager.yml. Each of its receivers has a webhook,
// http://receiver/NAME.
func startAlertmanager(t *testing.T, net *network) {
	t.Helper()
	a := &alertmanager{conf: routes(t), registry: prometheus.NewRegistry(), groups: marker.NewGroupMarker()}
	a.store(t)
	a.dispatch(t, a.pipeline(t, net))
	a.serve(t, net)
}

// routes reads the configuration and adds the webhooks.
func routes(t *testing.T) *config.Config {
	t.Helper()
	text, err := os.ReadFile("../../alerts/alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	whole := string(text)
	for _, name := range []string{"default", "image-builds", "image-builds-info"} {
		line := "  - name: " + name + "\n"
		if !strings.Contains(whole, line) {
			t.Fatalf("alerts/alertmanager.yml has no receiver %s", name)
		}
		whole = strings.Replace(whole, line, line+"    webhook_configs: [{url: http://"+receiverAddress+"/"+name+"}]\n", 1)
	}
	conf, err := config.Load(whole)
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

func (a *alertmanager) store(t *testing.T) {
	t.Helper()
	var err error
	a.silences, err = silence.New(silence.Options{Retention: 120 * time.Hour, Metrics: a.registry})
	if err != nil {
		t.Fatal(err)
	}
	a.silencer = silence.NewSilencer(a.silences, promslog.NewNopLogger(), eventrecorder.NopRecorder())
	a.alerts, err = mem.NewAlerts(t.Context(), 30*time.Minute, 0, a.silencer, promslog.NewNopLogger(), eventrecorder.NopRecorder(), a.registry, featurecontrol.NoopFlags{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.alerts.Close)
}

// pipeline returns what a group of alerts goes through on its way to a receiver.
func (a *alertmanager) pipeline(t *testing.T, net *network) notify.Stage {
	t.Helper()
	tmpl, err := template.FromGlobs(nil)
	if err != nil {
		t.Fatal(err)
	}
	tmpl.ExternalURL = &url.URL{Scheme: "http", Host: alertmanagerAddress}
	receivers := map[string][]notify.Integration{}
	for _, r := range a.conf.Receivers {
		if receivers[r.Name], err = receiver.BuildReceiverIntegrations(r, tmpl, nil, net.option()); err != nil {
			t.Fatal(err)
		}
	}
	log, err := nflog.New(nflog.Options{Retention: 120 * time.Hour, Metrics: a.registry})
	if err != nil {
		t.Fatal(err)
	}
	a.inhibitor = inhibit.NewInhibitor(a.alerts, a.conf.InhibitRules, promslog.NewNopLogger(), eventrecorder.NopRecorder())
	go a.inhibitor.Run()
	a.inhibitor.WaitForLoading()
	t.Cleanup(a.inhibitor.Stop)
	return notify.NewPipelineBuilder(a.registry, featurecontrol.NoopFlags{}, eventrecorder.NopRecorder()).New(
		receivers, func() time.Duration { return 0 }, a.inhibitor, a.silencer, timeinterval.NewIntervener(nil), a.groups, log, nil,
	)
}

func (a *alertmanager) dispatch(t *testing.T, pipeline notify.Stage) {
	t.Helper()
	a.dispatcher = dispatch.NewDispatcher(
		a.alerts, dispatch.NewRoute(a.conf.Route, nil), pipeline, a.groups, func(d time.Duration) time.Duration { return max(d, notify.MinTimeout) },
		30*time.Second, nil, promslog.NewNopLogger(), eventrecorder.NopRecorder(), nil, nil,
	)
	go a.dispatcher.Run(time.Now())
	a.dispatcher.WaitForLoading()
	t.Cleanup(a.dispatcher.Stop)
}

func (a *alertmanager) serve(t *testing.T, net *network) {
	t.Helper()
	handler, err := api.New(api.Options{
		Alerts: a.alerts, Silences: a.silences, GroupMutedFunc: a.groups.Muted, Registry: a.registry,
		RequestDuration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "duration"}, []string{"handler", "method", "code"}),
		GroupFunc: func(ctx context.Context, routes func(*dispatch.Route) bool, alerts func(*alert.Alert, time.Time) bool) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
			return a.dispatcher.Groups(ctx, routes, alerts)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler.Update(a.conf, func(ctx context.Context, l model.LabelSet) {
		a.inhibitor.Mutes(ctx, l)
		a.silencer.Mutes(ctx, l)
	})
	net.serve(t, alertmanagerAddress, handler.Register(route.New(), "/"))
}
