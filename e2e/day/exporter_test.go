package day

import (
	"context"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

const exporterAddress = "exporter:10120"

// startExporter serves the metrics of all pipelines of an account, with the exporter's defaults,
// until stop is called. A later one knows nothing of what an earlier one has read.
func startExporter(t *testing.T, net *network, api *emulator.API) (stop func()) {
	t.Helper()
	own := prometheus.NewRegistry()
	own.MustRegister(version.NewCollector("imagebuilder_exporter"))
	target := lookuptest.New(t, lookuptest.Config{
		Name: "golden", API: api, Metrics: imagebuilder.NewMetrics(own),
		Selection: lookup.Selection{
			Pipelines: []lookup.Selector{{Name: regexp.MustCompile(`.`), Builds: 1, Text: "name=.*"}},
			Waiting:   true, MaxExecutions: 10_000,
		},
	})
	options := collector.Options{Status: true, Images: true, Pipelines: true, Steps: true, Waiting: true}
	end := net.serve(t, exporterAddress, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 9*time.Second)
		defer cancel()
		scrape := prometheus.NewRegistry()
		scrape.MustRegister(collector.New(ctx, []collector.Source{target}, options, nil))
		promhttp.HandlerFor(prometheus.Gatherers{own, scrape}, promhttp.HandlerOpts{DisableCompression: true}).ServeHTTP(w, r)
	}))
	return func() {
		end()
		target.Close()
	}
}
