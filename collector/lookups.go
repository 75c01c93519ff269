package collector

import (
	"github.com/prometheus/client_golang/prometheus"
)

// lookups says how true the other metrics of an execution are.
type lookups struct{}

var (
	lookupSuccessDesc = newDesc("imagebuilder_workflow_execution_lookup_success",
		"Whether the last lookup of the execution that has ended succeeded.", executionNames)
	lookupErrorDesc = newDesc("imagebuilder_workflow_execution_lookup_error",
		"1: why the last lookup of the execution failed. Absent when it succeeded.", executionNames, "class")
	lookupTimestampDesc = newDesc("imagebuilder_workflow_execution_lookup_timestamp_seconds",
		"When the published values of the execution were read.", executionNames)
)

func (lookups) describe(ch chan<- *prometheus.Desc) {
	ch <- lookupSuccessDesc
	ch <- lookupErrorDesc
	ch <- lookupTimestampDesc
}

func (lookups) collect(ch chan<- prometheus.Metric, s *scrape) {
	for i := range s.executions {
		if e := &s.executions[i]; e.LookedUp {
			ch <- &sample{lookupSuccessDesc, e.labels, bit(e.Failure == "")}
		}
	}
	for i := range s.executions {
		if e := &s.executions[i]; e.Failure != "" {
			ch <- &sample{lookupErrorDesc, with(e.labels, pair("class", string(e.Failure))), 1}
		}
	}
	s.known(func(e *execution) { ch <- &sample{lookupTimestampDesc, e.labels, seconds(e.ReadAt)} })
}
