package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// brokenSource is a target whose every lookup panics.
type brokenSource struct{}

func (brokenSource) Lookup(context.Context) lookup.Snapshot { panic("no luck") }

func TestAPanicIsCountedAndLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		e := newTestExporter(t, api, defaultLimits(), ids[:1]...)
		var logs bytes.Buffer
		e.own = prometheus.NewPedanticRegistry()
		e.panics = newPanics(e.own, log.NewLogfmtLogger(log.NewSyncWriter(&logs)))
		e.sources = append([]collector.Source{brokenSource{}}, e.sources...)
		scrape(e)
		w := scrape(e)
		if up := samples(t, w, "imagebuilder_up", "target"); len(up) != 1 || up["golden-images"] != 1 {
			t.Errorf("imagebuilder_up %v", up)
		}
		if n := samples(t, w, "imagebuilder_exporter_panics_total")[""]; n != 2 {
			t.Errorf("%g panics are counted, want 2", n)
		}
		if n := strings.Count(logs.String(), "panic: no luck"); n != 1 || !strings.Contains(logs.String(), "brokenSource") {
			t.Errorf("the panic is logged %d times:\n%s", n, logs.String())
		}
	})
}
