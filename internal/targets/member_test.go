package targets

import (
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

func TestDiscoveryGetsAQuarterOfTheLimits(t *testing.T) {
	for limit, want := range map[float64]float64{20: 5, 1: 0.25, 0: 0} {
		w := wanted{lookup: config.Lookup{RateLimit: limit}}
		if got := selection(w, collector.Options{}).DiscoveryRate; got != want {
			t.Errorf("of rate_limit %g discovery gets %g, want %g", limit, got, want)
		}
	}
	for limit, want := range map[int]int{10: 2, 64: 16, 1: 1} {
		w := wanted{lookup: config.Lookup{Concurrency: limit}}
		if got := selection(w, collector.Options{}).DiscoverySlots; got != want {
			t.Errorf("of concurrency %d discovery gets %d, want %d", limit, got, want)
		}
	}
}
