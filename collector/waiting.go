package collector

import (
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

var waitingSteps = newKind(func(s *lookup.Snapshot) []*lookup.WaitingStep { return pointers(s.Waiting) },
	[]label[*lookup.WaitingStep]{
		{"workflow_execution_id", func(w *lookup.WaitingStep) string { return w.ExecutionID }},
		{"step_execution_id", func(w *lookup.WaitingStep) string { return w.ID }},
		{"step", func(w *lookup.WaitingStep) string { return w.Name }},
	}...)

// waiting says which steps wait for an approval, since when, and until when.
var waiting = newFamily("waiting", tableOf(waitingSteps,
	timestamp("imagebuilder_workflow_step_waiting_since_timestamp_seconds",
		"Since when the step has been waiting for an approval.",
		func(w *lookup.WaitingStep) time.Time { return w.Since },
		label[*lookup.WaitingStep]{"action", func(w *lookup.WaitingStep) string { return w.Action }}),
	timestamp("imagebuilder_workflow_step_timeout_timestamp_seconds",
		"When the step stops waiting for an approval. Absent while that is unknown.",
		func(w *lookup.WaitingStep) time.Time { return w.Timeout }),
))
