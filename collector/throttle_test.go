package collector_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// TestAThrottleStorm is 500 running executions behind an API that takes five requests
// a second, scraped by three Prometheus servers: the exporter sends not much more than
// that, and everything stays as fresh as the API allows.
func TestAThrottleStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs []emulator.Run
		var ids []string
		for i := range 500 {
			runs = append(runs, emulator.Run{ID: lookuptest.ID(i), Start: time.Now(), Steps: []emulator.Step{{Takes: 1000 * time.Hour}}})
			ids = append(ids, lookuptest.ID(i))
		}
		api := &emulator.API{Scenario: emulator.Runs(runs...)}
		api.Throttle = rate.NewLimiter(5, 5)
		s := newScraped()
		target := s.addIDs(t, lookuptest.Config{API: api}, ids...)
		begin := time.Now()
		const length = 20 * time.Minute
		var scrapers sync.WaitGroup
		for i := range 3 {
			scrapers.Go(func() {
				for at := time.Duration(i) * 5 * time.Second; at < length; at += 15 * time.Second {
					<-time.After(time.Until(begin.Add(at)))
					ctx, cancel := context.WithTimeout(t.Context(), scrapeTime)
					target.Lookup(ctx)
					cancel()
				}
			})
		}
		scrapers.Wait()
		requests := api.Requests("GetWorkflowExecution")
		throttled := 0
		w := s.scrape(t)
		for class, n := range w.samples("imagebuilder_exporter_api_errors_total", "class") {
			if !strings.HasPrefix(class, "throttled") {
				t.Errorf("%g failures of class %s", n, class)
			}
			throttled += int(n)
		}
		oldest, ages := 0.0, w.samples("imagebuilder_workflow_execution_lookup_timestamp_seconds", "workflow_execution_id")
		for _, at := range ages {
			oldest = max(oldest, float64(time.Now().UnixMicro())/1e6-at)
		}
		t.Logf("%d requests in %s, %d of them throttled; %d of 500 known, the oldest read %.0f s ago", requests, length, throttled, len(ages), oldest)
		if limit := int(length.Seconds()) * 5; requests > limit*5/4 || throttled > requests/4 {
			t.Errorf("%d requests, %d throttled; the API took at most %d", requests, throttled, limit)
		}
		// 500 at five a second take 100 s; a share is lost to throttling.
		if len(ages) != 500 || oldest > 300 {
			t.Errorf("%d of 500 are known, the oldest read %.0f s ago", len(ages), oldest)
		}
		api.Throttle.SetLimit(rate.Inf) // the storm is over
		for range 12 {
			<-time.After(15 * time.Second)
			w = s.scrape(t)
		}
		oldest = 0
		for _, at := range w.samples("imagebuilder_workflow_execution_lookup_timestamp_seconds", "workflow_execution_id") {
			oldest = max(oldest, float64(time.Now().UnixMicro())/1e6-at)
		}
		// At the default rate of 20 a second a round takes 25 s.
		if oldest > 45 {
			t.Errorf("three minutes after the storm the oldest was read %.0f s ago", oldest)
		}
	})
}
