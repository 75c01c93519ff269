package collector

import (
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

var waitingSteps = newKind(func(s *lookup.Snapshot) []*imagebuilder.WaitingStep { return pointers(s.Waiting) },
	[]label[*imagebuilder.WaitingStep]{
		{"workflow_execution_id", func(w *imagebuilder.WaitingStep) string { return w.ExecutionID }},
		{"step_execution_id", func(w *imagebuilder.WaitingStep) string { return w.ID }},
		{"step", func(w *imagebuilder.WaitingStep) string { return w.Name }},
	}...)

// waiting says which steps wait for an approval, and since when.
var waiting = newFamily("waiting", tableOf(waitingSteps,
	timestamp("imagebuilder_workflow_step_waiting_since_timestamp_seconds",
		"Since when the step has been waiting for an approval.",
		func(w *imagebuilder.WaitingStep) time.Time { return w.Since },
		label[*imagebuilder.WaitingStep]{"action", func(w *imagebuilder.WaitingStep) string { return w.Action }}),
))
