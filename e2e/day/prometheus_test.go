package day

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/notifier"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
)

// interval is that of scrapes and evaluations: twice Prometheus' default, for it takes half the
// time, and the slower one is the harder one for alerts.
const interval = 2 * time.Minute

const prometheusConfig = `
global: {scrape_interval: 2m, evaluation_interval: 2m}
scrape_configs:
  - job_name: imagebuilder
    honor_labels: true
    static_configs: [{targets: ["` + exporterAddress + `"]}]
alerting:
  alertmanagers:
    - static_configs: [{targets: ["` + alertmanagerAddress + `"]}]
`

// startPrometheus starts what makes alerts of an exporter: the parts of Prometheus that scrape,
// evaluate alerts/imagebuilder.rules.yml, and notify Alertmanager.
func startPrometheus(t *testing.T, net *network) *rules.Manager {
	t.Helper()
	conf, err := config.Load(prometheusConfig, promslog.NewNopLogger())
	if err != nil {
		t.Fatal(err)
	}
	db := openDB(t)
	startScraping(t, net, conf, db)
	return startRules(t, db, startNotifier(t, net, conf))
}

// openDB returns an empty database that keeps everything in memory.
func openDB(t *testing.T) *tsdb.DB {
	t.Helper()
	options := tsdb.DefaultOptions()
	options.WALSegmentSize = -1
	db, err := tsdb.Open(t.TempDir(), nil, nil, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	db.DisableCompactions()
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func startScraping(t *testing.T, net *network, conf *config.Config, db *tsdb.DB) {
	t.Helper()
	m, err := scrape.NewManager(&scrape.Options{HTTPClientOptions: []commonconfig.HTTPClientOption{net.option()}}, nil, nil, db, nil, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ApplyConfig(conf); err != nil {
		t.Fatal(err)
	}
	targets := make(chan map[string][]*targetgroup.Group, 1)
	targets <- map[string][]*targetgroup.Group{"imagebuilder": at(exporterAddress)}
	go func() { _ = m.Run(targets) }()
	t.Cleanup(m.Stop)
}

// at is what service discovery finds at an address.
func at(address string) []*targetgroup.Group {
	return []*targetgroup.Group{{Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(address)}}}}
}

func startNotifier(t *testing.T, net *network, conf *config.Config) *notifier.Manager {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: net.dial}}
	t.Cleanup(client.CloseIdleConnections)
	m := notifier.NewManager(&notifier.Options{
		QueueCapacity: 10_000, Registerer: prometheus.NewRegistry(),
		Do: func(ctx context.Context, _ *http.Client, r *http.Request) (*http.Response, error) {
			return client.Do(r.WithContext(ctx))
		},
	}, model.UTF8Validation, nil)
	if err := m.ApplyConfig(conf); err != nil {
		t.Fatal(err)
	}
	alertmanagers := make(chan map[string][]*targetgroup.Group, 1)
	alertmanagers <- map[string][]*targetgroup.Group{"config-0": at(alertmanagerAddress)}
	go m.Run(alertmanagers)
	t.Cleanup(m.Stop)
	return m
}

func startRules(t *testing.T, db *tsdb.DB, notify *notifier.Manager) *rules.Manager {
	t.Helper()
	parse := parser.NewParser(parser.Options{})
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: 2 * time.Minute, LookbackDelta: 5 * time.Minute, Parser: parse,
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})
	external := &url.URL{Scheme: "http", Host: "prometheus:9090"}
	m := rules.NewManager(&rules.ManagerOptions{
		ExternalURL: external, QueryFunc: rules.EngineQueryFunc(engine, db), NotifyFunc: rules.SendAlerts(notify, external.String()),
		Appendable: db, Queryable: db, Parser: parse, Context: t.Context(), Registerer: prometheus.NewRegistry(),
		OutageTolerance: time.Hour, ForGracePeriod: 10 * time.Minute, ResendDelay: time.Minute,
		ConcurrentEvalsEnabled: true, MaxConcurrentEvals: 4,
	})
	if err := m.Update(interval, []string{"../../alerts/imagebuilder.rules.yml"}, labels.EmptyLabels(), external.String(), nil); err != nil {
		t.Fatal(err)
	}
	go m.Run()
	t.Cleanup(m.Stop)
	return m
}
