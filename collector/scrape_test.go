package collector_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/promqltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// everything switches on all families.
var everything = promqltest.Everything()

// scrapeTime is how long a scrape waits for lookups when Prometheus gives up after 10 s.
const scrapeTime = 9500 * time.Millisecond

// scraped are targets that are scraped together, as Prometheus sees them.
type scraped struct {
	sources []collector.Source
	options collector.Options
	own     *prometheus.Registry // of their clients' metrics
	metrics *imagebuilder.Metrics
}

func newScraped() *scraped {
	s := &scraped{options: everything, own: prometheus.NewPedanticRegistry()}
	s.metrics = imagebuilder.NewMetrics(s.own)
	return s
}

// add adds a target to s, and returns it.
func (s *scraped) add(t *testing.T, c lookuptest.Config) *lookup.Target {
	t.Helper()
	c.Metrics = s.metrics
	target := lookuptest.New(t, c)
	s.sources = append(s.sources, target)
	return target
}

// addIDs adds a target, golden-images, of executions of an API.
func (s *scraped) addIDs(t *testing.T, c lookuptest.Config, ids ...string) *lookup.Target {
	t.Helper()
	c.Name, c.Selection.WorkflowExecutions = "golden-images", ids
	return s.add(t, c)
}

// families are what one scrape has, by name.
type families map[string]*dto.MetricFamily

// scrape returns what a scrape has that Prometheus waits ten seconds for, and holds that it
// is in time and whole.
func (s *scraped) scrape(t *testing.T) families {
	t.Helper()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), scrapeTime)
	defer cancel()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(collector.New(ctx, s.sources, s.options, func(part string, value any, stack []byte) {
		t.Errorf("%s panics: %v\n%s", part, value, stack)
	}))
	all := gather(t, prometheus.Gatherers{registry, s.own})
	if took := time.Since(begin); took > scrapeTime {
		t.Errorf("a scrape took %s", took)
	}
	return all
}

// gather returns what g has.
func gather(t *testing.T, g prometheus.Gatherer) families {
	t.Helper()
	all, err := g.Gather()
	if err != nil {
		t.Error(err)
	}
	byName := families{}
	for _, f := range all {
		byName[f.GetName()] = f
	}
	return byName
}

// samples returns the values of one metric by its label values that are named, in their
// order.
func (f families) samples(metric string, labels ...string) map[string]float64 {
	got := map[string]float64{}
	for _, m := range f[metric].GetMetric() {
		var values []string
		for _, name := range labels {
			for _, l := range m.GetLabel() {
				if l.GetName() == name {
					values = append(values, l.GetValue())
				}
			}
		}
		got[strings.Join(values, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return got
}
