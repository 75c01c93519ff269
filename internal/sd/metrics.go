package sd

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// shownFor is how long the metrics show the last answer. Prometheus keeps asking the same replica:
// the answers of the others, if any, are old.
const shownFor = 5 * time.Minute

var (
	peersDesc = prometheus.NewDesc("imagebuilder_exporter_sd_peers",
		"Replicas by readiness, as of the last /sd answer of this replica.", []string{"state"}, nil)
	targetsDesc = prometheus.NewDesc("imagebuilder_exporter_sd_targets",
		"Targets, counted once per region, that the last /sd answer of this replica assigned to each ready replica.", []string{"peer"}, nil)
)

var _ prometheus.Collector = (*Handler)(nil)

// Describe implements prometheus.Collector.
func (h *Handler) Describe(ch chan<- *prometheus.Desc) {
	ch <- peersDesc
	ch <- targetsDesc
}

// Collect implements prometheus.Collector.
func (h *Handler) Collect(ch chan<- prometheus.Metric) {
	h.mu.Lock()
	last := h.last
	h.mu.Unlock()
	if last == nil || time.Since(last.ended) > shownFor {
		return
	}
	ready := last.ready()
	for state, n := range map[string]int{"ready": len(ready), "not_ready": len(last.peers) - len(ready)} {
		ch <- prometheus.MustNewConstMetric(peersDesc, prometheus.GaugeValue, float64(n), state)
	}
	targets := map[string]int{}
	for _, peer := range last.assigned {
		targets[peer]++
	}
	for _, peer := range ready {
		ch <- prometheus.MustNewConstMetric(targetsDesc, prometheus.GaugeValue, float64(targets[peer]), peer)
	}
}
