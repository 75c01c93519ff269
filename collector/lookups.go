package collector

import (
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

var lookupErrors = newKind(func(s *lookup.Snapshot) []*lookup.FailedLookup { return pointers(s.Errors) },
	[]label[*lookup.FailedLookup]{
		{"operation", func(e *lookup.FailedLookup) string { return string(e.Operation) }},
		{"subject", func(e *lookup.FailedLookup) string { return e.Subject }},
		{"class", func(e *lookup.FailedLookup) string { return string(e.Class) }},
	}...)

// lookups says whether what is published is up to date, and what fails.
var lookups = newFamily("lookups", tableOf(selectedExecutions,
	gauge("imagebuilder_workflow_execution_lookup_success",
		"Whether the last completed lookup of the execution succeeded.",
		func(e *lookup.Execution) (float64, bool) { return bit(e.Failure == ""), e.LookedUp }),
	gauge("imagebuilder_workflow_execution_lookup_error",
		"1: why the last lookup of the execution failed. Absent if it succeeded.",
		func(e *lookup.Execution) (float64, bool) { return 1, e.Failure != "" },
		label[*lookup.Execution]{"class", func(e *lookup.Execution) string { return string(e.Failure) }}),
	timestamp("imagebuilder_workflow_execution_lookup_timestamp_seconds",
		"When the published values of the execution were read.",
		func(e *lookup.Execution) time.Time { return e.ReadAt }),
), tableOf(lookupErrors,
	info[*lookup.FailedLookup]("imagebuilder_lookup_error",
		"1: why the last lookup of the subject with this operation failed. Absent if it succeeded. For GetWorkflowExecution see imagebuilder_workflow_execution_lookup_error."),
))
