package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// status is the status of an execution as a state set: one series for each status,
// of which exactly one is 1.
type status struct{}

var statusDesc = newDesc("imagebuilder_workflow_execution_status",
	"1 for the current status of the execution, 0 for every other one. UNKNOWN stands for what is not in the API reference.",
	executionNames, "status")

// unknown stands in a state set for what is not in the API reference.
const unknown = "UNKNOWN"

func (status) describe(ch chan<- *prometheus.Desc) { ch <- statusDesc }

func (status) collect(ch chan<- prometheus.Metric, s *scrape) {
	known := imagebuilder.Statuses()
	for _, value := range append(known, unknown) {
		label := pair("status", string(value))
		s.known(func(e *execution) {
			current := e.Value.Status
			if !slices.Contains(known, current) {
				current = unknown
			}
			ch <- &sample{statusDesc, with(e.labels, label), bit(current == value)}
		})
	}
}
