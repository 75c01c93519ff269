package benchrules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// now is when the rules are evaluated.
var now = time.Date(2026, 9, 9, 12, 0, 0, 0, time.UTC)

// How long series have existed: those of executions and images for the hour that a rule may read,
// those of pipelines for the day that some rules look back, those of the exporter for two weeks.
const (
	hour = time.Hour
	day  = 25 * hour
	week = 7*24*hour + hour
	ever = 14 * 24 * hour
)

// series is one series that the exporter publishes, always with the same value.
type series struct {
	labels labels.Labels
	value  float64
	age    time.Duration
}

// account makes the series of a target with so many executions: two for each image, and 25
// images for each pipeline. Of a hundred executions, one has failed, and one runs; of a
// thousand, one waits for an approval, and one cannot be looked up.
type account struct {
	series   []series
	statuses map[string][]string // of each metric that is a set of statuses
}

func newAccount(tb testing.TB, executions int) *account {
	tb.Helper()
	a := &account{statuses: statuses(published(tb))}
	a.exporter()
	images := executions / 2
	for p := range images / 25 {
		a.pipeline(p)
	}
	for i := range images {
		a.image(i, images/25)
	}
	for e := range executions {
		a.execution(e, images/25)
	}
	return a
}

// add publishes a metric of the target, with pairs of label names and values.
func (a *account) add(age time.Duration, name string, value float64, pairs ...string) {
	pairs = append(pairs, model.MetricNameLabel, name, "target", "bench", "region", "eu-west-1")
	a.addOwn(age, value, pairs...)
}

// addOwn publishes a metric that belongs to the exporter, not to a target.
func (a *account) addOwn(age time.Duration, value float64, pairs ...string) {
	pairs = append(pairs, "job", "imagebuilder", "instance", "exporter:10120")
	a.series = append(a.series, series{labels.FromStrings(pairs...), value, age})
}

// set publishes 1 for the status, and 0 for each other one.
func (a *account) set(name, status string, pairs ...string) {
	for _, s := range a.statuses[name] {
		value, age := 0.0, hour
		if s == status {
			value = 1
		}
		// The rules before read a week of this one.
		if *beforeFile != "" && name == "imagebuilder_image_status" && s == "FAILED" {
			age = week
		}
		a.add(age, name, value, append([]string{"status", s}, pairs...)...)
	}
}

func (a *account) exporter() {
	a.addOwn(ever, 1, model.MetricNameLabel, "up")
	a.addOwn(ever, 1, model.MetricNameLabel, "imagebuilder_exporter_build_info", "version", "1.0.0")
	a.addOwn(day, 1, model.MetricNameLabel, "imagebuilder_exporter_config_last_reload_successful")
	a.add(day, "imagebuilder_up", 1)
	a.add(day, "imagebuilder_discovery_last_success_timestamp_seconds", at(0))
	a.add(day, "imagebuilder_discovery_interval_seconds", 300)
	a.add(day, "imagebuilder_refresh_last_success_timestamp_seconds", at(0))
	a.add(day, "imagebuilder_selector_pipelines", 200, "selector", "name=.*")
	a.add(day, "imagebuilder_workflow_executions_dropped", 0)
	a.add(day, "imagebuilder_lookup_error", 1, "class", "denied", "operation", "GetImage", "subject", imageARN(1, 1))
	for _, operation := range []string{"ListImagePipelines", "ListImagePipelineImages", "ListWorkflowExecutions", "ListWaitingWorkflowSteps"} {
		a.add(day, "imagebuilder_exporter_api_requests_total", 1000, "operation", operation)
		a.add(day, "imagebuilder_exporter_api_errors_total", 1, "operation", operation, "class", "throttled", "code", "TooManyRequestsException")
	}
}

func (a *account) pipeline(p int) {
	name := []string{"pipeline", pipelineName(p)}
	a.add(day, "imagebuilder_pipeline_info", 1, append(name, "account_id", "111122223333", "platform", "Linux",
		"pipeline_arn", fmt.Sprintf("arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/pipeline-%d", p))...)
	a.add(day, "imagebuilder_pipeline_enabled", 1, name...)
	a.add(day, "imagebuilder_pipeline_consecutive_failures", 0, name...)
	a.add(day, "imagebuilder_pipeline_next_run_timestamp_seconds", at(-day), name...)
	a.add(day, "imagebuilder_pipeline_last_success_timestamp_seconds", at(day), name...)
	a.set("imagebuilder_pipeline_last_run_status", "AVAILABLE", name...)
}

func (a *account) image(i, pipelines int) {
	status := "AVAILABLE"
	switch {
	case failed(2*i) || failed(2*i+1):
		status = "FAILED"
	case runs(2*i) || runs(2*i+1):
		status = "TESTING"
	}
	arn := []string{"image_build_version_arn", imageARN(i, pipelines)}
	a.add(hour, "imagebuilder_image_info", 1, append(arn, "image_name", pipelineName(i%pipelines), "image_version", imageVersion(i, pipelines),
		"pipeline", pipelineName(i%pipelines), "build_type", "SCHEDULED", "image_type", "AMI", "platform", "Linux", "status", status)...)
	a.set("imagebuilder_image_status", status, arn...)
	a.add(hour, "imagebuilder_image_created_timestamp_seconds", at(age(2*i)), arn...)
	a.add(hour, "imagebuilder_image_superseded", superseded(2*i, pipelines), arn...)
	switch status {
	case "AVAILABLE":
		a.add(hour, "imagebuilder_image_output_info", 1, append(arn, "output", fmt.Sprintf("ami-%017x", i), "output_region", "eu-west-1",
			"account_id", "111122223333", "state", "AVAILABLE")...)
		a.add(hour, "imagebuilder_image_deprecation_timestamp_seconds", at(-week), arn...)
	case "FAILED":
		a.add(hour, "imagebuilder_image_failure_info", 1, append(arn, "stage", "BUILDING", "step", "ApplyBuildComponents",
			"workflow_execution_id", executionID(2*i), "component_arn", "arn:aws:imagebuilder:eu-west-1:111122223333:component/harden/1.0.0/1",
			"component_phase", "build", "component_step", "Install")...)
		a.add(hour, "imagebuilder_image_distribution_failure_info", 1, append(arn, "account_id", "111122223333", "output_region", "eu-west-1",
			"configuration_step", "COPY_IMAGE", "status", "FAILED")...)
	}
}

func (a *account) execution(e, pipelines int) {
	id := []string{"workflow_execution_id", executionID(e)}
	status, kind := executionStatus(e), []string{"BUILD", "TEST"}[e%2]
	a.add(hour, "imagebuilder_workflow_execution_info", 1, append(id, "workflow_type", kind, "status", status,
		"account_id", "111122223333", "pipeline", pipelineName(e/2%pipelines),
		"image_build_version_arn", imageARN(e/2, pipelines), "image_name", pipelineName(e/2%pipelines), "image_version", imageVersion(e/2, pipelines),
		"workflow_build_version_arn", "arn:aws:imagebuilder:eu-west-1:aws:workflow/"+strings.ToLower(kind)+"/x/1.0.0/1")...)
	a.set("imagebuilder_workflow_execution_status", status, id...)
	a.times(e, id)
	steps := map[string]float64{"steps": 8, "steps_succeeded": 8, "steps_skipped": 0, "steps_failed": 0}
	if failed(e) {
		steps["steps_succeeded"], steps["steps_failed"] = 7, 1
	}
	for name, n := range steps {
		a.add(hour, "imagebuilder_workflow_execution_"+name, n, id...)
	}
	a.add(hour, "imagebuilder_workflow_execution_superseded", superseded(e, pipelines), id...)
	if e%1000 == 500 {
		a.add(hour, "imagebuilder_workflow_execution_lookup_success", 0, id...)
		a.add(hour, "imagebuilder_workflow_execution_lookup_error", 1, append(id, "class", "not_found")...)
		return
	}
	a.add(hour, "imagebuilder_workflow_execution_lookup_success", 1, id...)
	a.add(hour, "imagebuilder_workflow_execution_lookup_timestamp_seconds", at(time.Minute), id...)
}

// times publishes when an execution began and ended, how long it took, and since when it waits.
func (a *account) times(e int, id []string) {
	a.add(hour, "imagebuilder_workflow_execution_start_timestamp_seconds", at(age(e)), id...)
	a.add(hour, "imagebuilder_workflow_execution_duration_seconds", 1200, id...)
	if !runs(e) {
		a.add(hour, "imagebuilder_workflow_execution_end_timestamp_seconds", at(age(e)-20*time.Minute), id...)
	}
	if e%1000 == 50 {
		a.add(hour, "imagebuilder_workflow_step_waiting_since_timestamp_seconds", at(10*time.Minute), append(id,
			"step", "Approve", "action", "WaitForAction", "step_execution_id", fmt.Sprintf("step-%08x-bac9-485b-0eb3-f70c6e924fbf", e))...)
	}
}

func failed(e int) bool { return e%100 == 25 }

func runs(e int) bool { return e%100 == 50 }

func executionStatus(e int) string {
	switch {
	case failed(e):
		return "FAILED"
	case runs(e):
		return "RUNNING"
	}
	return "COMPLETED"
}

// superseded is 1 for all but the newest build of a pipeline.
func superseded(e, pipelines int) float64 {
	if e/2 < pipelines {
		return 0
	}
	return 1
}

// age is how long ago an execution began: all within two weeks, or half an hour if it runs.
func age(e int) time.Duration {
	if runs(e) {
		return 30 * time.Minute
	}
	return time.Duration(1+e*331%(14*24)) * time.Hour
}

// at is the timestamp of so long ago.
func at(age time.Duration) float64 { return float64(now.Add(-age).Unix()) }

func executionID(e int) string { return fmt.Sprintf("wf-%08x-3a62-4618-a021-94ddcbe32908", e) }

func pipelineName(p int) string { return fmt.Sprintf("pipeline-%d", p) }

func imageVersion(i, pipelines int) string { return fmt.Sprintf("1.0.0/%d", i/pipelines+1) }

func imageARN(i, pipelines int) string {
	return "arn:aws:imagebuilder:eu-west-1:111122223333:image/" + pipelineName(i%pipelines) + "/" + imageVersion(i, pipelines)
}
