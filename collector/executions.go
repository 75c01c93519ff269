package collector

import (
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// executions says what an execution is, and when it ran.
var executions = newFamily("executions", tableOf(publishedExecutions,
	info("imagebuilder_workflow_execution_info",
		"1: properties of the execution. Unknown labels are empty; status is the API's own text.",
		[]label[*lookup.Execution]{
			{"status", func(e *lookup.Execution) string { return string(e.Value.Status) }},
			{"workflow_type", func(e *lookup.Execution) string { return e.Value.WorkflowType }},
			{"pipeline", func(e *lookup.Execution) string { return e.Pipeline }},
			{"image_name", func(e *lookup.Execution) string { return e.Value.Image.Name }},
			{"image_version", func(e *lookup.Execution) string { return e.Value.Image.Version }},
			{"image_build_version_arn", func(e *lookup.Execution) string { return e.Value.ImageBuildVersionARN }},
			{"workflow_build_version_arn", func(e *lookup.Execution) string { return e.Value.WorkflowBuildVersionARN }},
			{"parallel_group", func(e *lookup.Execution) string { return e.Value.ParallelGroup }},
			{"account_id", func(e *lookup.Execution) string { return e.Value.Image.AccountID }},
		}...),
	duration("imagebuilder_workflow_execution_duration_seconds",
		"Duration of the execution, until its end or until now.",
		func(e *lookup.Execution, now time.Time) (time.Duration, bool) { return e.Value.Duration(now) }),
	timestamp("imagebuilder_workflow_execution_start_timestamp_seconds",
		"When the execution started.",
		func(e *lookup.Execution) time.Time { return e.Value.Start }),
	timestamp("imagebuilder_workflow_execution_end_timestamp_seconds",
		"When the execution ended.",
		func(e *lookup.Execution) time.Time { return e.Value.End }),
	fact("imagebuilder_workflow_execution_superseded",
		"Whether the outcome of the execution no longer matters: the workflow completed in a later attempt for the same image, or a newer build is a good image. Absent while that is unknown.",
		func(e *lookup.Execution) lookup.Fact { return e.Superseded }),
))
