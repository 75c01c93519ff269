package collector

import (
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// status is the status of an execution.
var status = newFamily("status", tableOf(publishedExecutions,
	stateSet("imagebuilder_workflow_execution_status",
		"1 for the current status of the execution, 0 for all others. UNKNOWN means a status that is not in the API reference.",
		imagebuilder.Statuses(),
		func(e *lookup.Execution) imagebuilder.Status { return e.Value.Status }),
))
