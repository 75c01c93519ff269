package collector

import "github.com/prometheus/client_golang/prometheus"

// waiting says which steps wait for an approval, and since when.
type waiting struct{}

var waitingDesc = newDesc("imagebuilder_workflow_step_waiting_since_timestamp_seconds",
	"Since when the step has been waiting for an approval.", stepNames, "action")

func (waiting) describe(ch chan<- *prometheus.Desc) { ch <- waitingDesc }

func (waiting) collect(ch chan<- prometheus.Metric, s *scrape) {
	target := targetLabels(s.target)
	for _, step := range s.target.Waiting {
		labels := stepLabels(with(target, pair("workflow_execution_id", step.ExecutionID)), step.ID, step.Name)
		ch <- &sample{waitingDesc, with(labels, pair("action", step.Action)), seconds(step.Since)}
	}
}
