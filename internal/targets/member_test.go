package targets

import (
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

func TestDiscoveryGetsAQuarterOfTheRate(t *testing.T) {
	for limit, want := range map[float64]float64{20: 5, 1: 0.25, 0: 0} {
		w := wanted{lookup: config.Lookup{RateLimit: limit}}
		if got := selection(w, collector.Options{}).DiscoveryRate; got != want {
			t.Errorf("of rate_limit %g discovery gets %g, want %g", limit, got, want)
		}
	}
}
