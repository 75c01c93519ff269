package collector

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

var targetLabel = regexp.MustCompile(`\b(region|target)="[^"]*",?`)

// series returns the series of a snapshot whose names begin with prefix, as they are exposed,
// but without the labels of the target.
func series(t *testing.T, s lookup.Snapshot, o Options, prefix string) []string {
	t.Helper()
	s.Name, s.Region, s.Time = "a", "eu-west-1", now
	all := allSeries(t, o, prefix, s)
	for i, line := range all {
		line = targetLabel.ReplaceAllString(line, "")
		all[i] = strings.NewReplacer(",}", "}", "{}", "").Replace(line)
	}
	return all
}

// allSeries returns the series of targets whose names begin with prefix.
func allSeries(t *testing.T, o Options, prefix string, targets ...lookup.Snapshot) []string {
	t.Helper()
	var sources []Source
	for _, s := range targets {
		sources = append(sources, fakeSource(s))
	}
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(New(t.Context(), sources, o, func(part string, value any, stack []byte) {
		t.Errorf("%s panics: %v\n%s", part, value, stack)
	}))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	var all []string
	for line := range strings.Lines(text.String()) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, prefix) {
			all = append(all, line)
		}
	}
	return all
}

// ones returns those of series that are 1.
func ones(series []string) []string {
	var all []string
	for _, s := range series {
		if strings.HasSuffix(s, " 1") {
			all = append(all, s)
		}
	}
	return all
}

// failures are consecutive ones.
func failures(n int) *int { return &n }

func TestPipelines(t *testing.T) {
	const labels = `{pipeline="Golden"}`
	const arn = "arn:aws:imagebuilder:eu-west-1:444455556666:image-pipeline/golden"
	const info = `imagebuilder_pipeline_info{account_id="444455556666",pipeline="Golden",pipeline_arn="` + arn + `",platform="Linux"} 1`
	for _, c := range []struct {
		name string
		p    lookup.Pipeline
		want []string // except last_run_status
	}{
		{"a status that is not in the API reference is neither enabled nor disabled", lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{Status: "PAUSED"}}, []string{info}},
		{"no status", lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{}}, []string{info}},
		{
			"enabled",
			lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{Status: "ENABLED"}},
			[]string{`imagebuilder_pipeline_enabled` + labels + ` 1`, info},
		},
		{
			"disabled",
			lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{Status: "DISABLED"}},
			[]string{`imagebuilder_pipeline_enabled` + labels + ` 0`, info},
		},
		{
			"no failure is not the same as no number",
			lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{ConsecutiveFailures: failures(0)}},
			[]string{`imagebuilder_pipeline_consecutive_failures` + labels + ` 0`, info},
		},
		{
			"everything",
			lookup.Pipeline{
				Pipeline:    &imagebuilder.Pipeline{Status: "ENABLED", ConsecutiveFailures: failures(3), NextRun: now},
				LastSuccess: start,
			},
			[]string{
				`imagebuilder_pipeline_consecutive_failures` + labels + ` 3`,
				`imagebuilder_pipeline_enabled` + labels + ` 1`,
				info,
				`imagebuilder_pipeline_last_success_timestamp_seconds` + labels + ` 1.7889804e+09`,
				`imagebuilder_pipeline_next_run_timestamp_seconds` + labels + ` 1.788984e+09`,
			},
		},
		{
			"a schedule, and a policy that disables it",
			lookup.Pipeline{FailedInRow: new(2), Pipeline: &imagebuilder.Pipeline{Schedule: &imagebuilder.Schedule{
				Expression: "cron(0 6 ? * sun *)", Timezone: "Europe/Berlin", StartCondition: "EXPRESSION_MATCH_ONLY", AutoDisableFailures: 3,
			}}},
			[]string{
				`imagebuilder_pipeline_auto_disable_failures` + labels + ` 3`,
				`imagebuilder_pipeline_consecutive_failed_builds` + labels + ` 2`,
				info,
				`imagebuilder_pipeline_schedule_info{expression="cron(0 6 ? * sun *)",pipeline="Golden",start_condition="EXPRESSION_MATCH_ONLY",timezone="Europe/Berlin"} 1`,
			},
		},
		{
			"a schedule without a policy",
			lookup.Pipeline{FailedInRow: new(0), Pipeline: &imagebuilder.Pipeline{Schedule: &imagebuilder.Schedule{Expression: "rate(1 day)"}}},
			[]string{
				`imagebuilder_pipeline_consecutive_failed_builds` + labels + ` 0`,
				info,
				`imagebuilder_pipeline_schedule_info{expression="rate(1 day)",pipeline="Golden",start_condition="",timezone=""} 1`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.p.ARN, c.p.Name, c.p.Platform = arn, "Golden", "Linux"
			got := series(t, lookup.Snapshot{Pipelines: []lookup.Pipeline{c.p}}, Options{Pipelines: true}, "imagebuilder_pipeline_")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestStateSets holds that of a state set exactly one series is 1, and that it has a series for
// each state.
func TestStateSets(t *testing.T) {
	for _, c := range []struct {
		name   string
		status string
		want   string // the state that is 1, empty for no series
		series int
		prefix string
	}{
		{"the status of an execution", "RUNNING", "RUNNING", 9, "imagebuilder_workflow_execution_status"},
		{"an execution whose status is not in the API reference", "WAITING", "UNKNOWN", 9, "imagebuilder_workflow_execution_status"},
		{"the state of an image", "AVAILABLE", "AVAILABLE", 13, "imagebuilder_image_status"},
		{"an image whose state is not in the API reference", "COMPLETED", "UNKNOWN", 13, "imagebuilder_image_status"},
		{"the last run of a pipeline", "FAILED", "FAILED", 13, "imagebuilder_pipeline_last_run_status"},
		{"a last run whose state is not in the API reference", "BROKEN", "UNKNOWN", 13, "imagebuilder_pipeline_last_run_status"},
		{"a pipeline that never ran", "", "", 0, "imagebuilder_pipeline_last_run_status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := imagebuilder.ImageStatus(c.status)
			got := series(t, lookup.Snapshot{
				Executions: []lookup.Execution{{ID: id, Value: &imagebuilder.Execution{Status: imagebuilder.Status(c.status)}}},
				Images:     []lookup.Image{{Image: &imagebuilder.Image{Status: state}}},
				Pipelines:  []lookup.Pipeline{{Pipeline: &imagebuilder.Pipeline{LastRunStatus: state}}},
			}, Options{Status: true, Images: true, Pipelines: true}, c.prefix)
			if len(got) != c.series {
				t.Errorf("there are %d series, want %d", len(got), c.series)
			}
			current := ones(got)
			if c.want == "" && len(current) == 0 {
				return
			}
			if len(current) != 1 || !strings.Contains(current[0], `status="`+c.want+`"`) {
				t.Errorf("the current ones are %q, want %s", current, c.want)
			}
		})
	}
}

func TestImages(t *testing.T) {
	s := lookup.Snapshot{Images: []lookup.Image{
		{Pipeline: "Golden", Image: &imagebuilder.Image{
			ARN: "arn/1", Build: imagebuilder.ImageBuildVersion{Name: "linux", Version: "1.0.0/1"}, Status: "AVAILABLE",
			Platform: "Linux", Type: "AMI", BuildType: "SCHEDULED", Created: start,
			Outputs: []imagebuilder.Output{
				{Region: "eu-west-1", ID: "ami-1", AccountID: "111122223333", State: "AVAILABLE", Reason: "for people"},
				{Region: "us-east-1", ID: "ami-2"},
			},
			Deprecates: start.Add(time.Hour),
		}},
		{Image: &imagebuilder.Image{ARN: "arn/2", Status: "PENDING"}, Superseded: lookup.Fact{Known: true}},
		{Image: &imagebuilder.Image{ARN: "arn/3", Status: "FAILED"}, Superseded: lookup.Fact{Known: true, True: true}},
	}}
	for prefix, want := range map[string][]string{
		"imagebuilder_image_created": {
			`imagebuilder_image_created_timestamp_seconds{image_build_version_arn="arn/1"} 1.7889804e+09`,
		},
		"imagebuilder_image_info": {
			`imagebuilder_image_info{build_type="",image_build_version_arn="arn/2",image_name="",image_type="",image_version="",pipeline="",platform="",status="PENDING"} 1`,
			`imagebuilder_image_info{build_type="",image_build_version_arn="arn/3",image_name="",image_type="",image_version="",pipeline="",platform="",status="FAILED"} 1`,
			`imagebuilder_image_info{build_type="SCHEDULED",image_build_version_arn="arn/1",image_name="linux",image_type="AMI",image_version="1.0.0/1",pipeline="Golden",platform="Linux",status="AVAILABLE"} 1`,
		},
		"imagebuilder_image_superseded": { // not known of the first one
			`imagebuilder_image_superseded{image_build_version_arn="arn/2"} 0`,
			`imagebuilder_image_superseded{image_build_version_arn="arn/3"} 1`,
		},
		"imagebuilder_image_output": {
			`imagebuilder_image_output_info{account_id="",image_build_version_arn="arn/1",output="ami-2",output_region="us-east-1",state=""} 1`,
			`imagebuilder_image_output_info{account_id="111122223333",image_build_version_arn="arn/1",output="ami-1",output_region="eu-west-1",state="AVAILABLE"} 1`,
		},
		"imagebuilder_image_deprecation": {
			`imagebuilder_image_deprecation_timestamp_seconds{image_build_version_arn="arn/1"} 1.788984e+09`,
		},
	} {
		if diff := cmp.Diff(want, series(t, s, Options{Images: true}, prefix)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", prefix, diff)
		}
	}
}

func TestSteps(t *testing.T) {
	const labels = `step="Patch",step_execution_id="step-1",workflow_execution_id="` + id + `"`
	name := func(metric string) string { return "imagebuilder_workflow_step_" + metric + "{" + labels + "}" }
	info := `imagebuilder_workflow_step_info{action="ExecuteComponents",rollback_status="",status="RUNNING",` + labels + `} 1`
	for _, c := range []struct {
		name      string
		execution *imagebuilder.Execution
		step      imagebuilder.Step
		want      []string
	}{
		{"the execution is not published", nil, imagebuilder.Step{Start: start}, nil},
		{
			"it runs", &imagebuilder.Execution{Status: "RUNNING"},
			imagebuilder.Step{Start: start},
			[]string{name("duration_seconds") + " 3600", info, name("start_timestamp_seconds") + " 1.7889804e+09"},
		},
		{
			"it has ended", &imagebuilder.Execution{Status: "RUNNING"},
			imagebuilder.Step{Start: start, End: now.Add(-time.Minute + time.Millisecond)},
			[]string{
				name("duration_seconds") + " 3540.001", name("end_timestamp_seconds") + " 1.788983940001e+09",
				info, name("start_timestamp_seconds") + " 1.7889804e+09",
			},
		},
		{
			"the execution has ended, but the end of the step is not known", &imagebuilder.Execution{Status: "FAILED"},
			imagebuilder.Step{Start: start},
			[]string{info, name("start_timestamp_seconds") + " 1.7889804e+09"},
		},
		{"it has not started", &imagebuilder.Execution{Status: "RUNNING"}, imagebuilder.Step{}, []string{info}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.step.ID, c.step.Name, c.step.Action, c.step.Status = "step-1", "Patch", "ExecuteComponents", "RUNNING"
			s := lookup.Snapshot{Executions: []lookup.Execution{{ID: id, Value: c.execution, Steps: []imagebuilder.Step{c.step}}}}
			if diff := cmp.Diff(c.want, series(t, s, Options{Steps: true}, "imagebuilder_workflow_step_")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := series(t, s, Options{Status: true, Waiting: true, Images: true, Pipelines: true}, "imagebuilder_workflow_step_"); len(got) > 0 {
				t.Errorf("without Steps there are %q", got)
			}
		})
	}
}

func TestWaitingSteps(t *testing.T) {
	s := lookup.Snapshot{Waiting: []lookup.WaitingStep{
		{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: id, ID: "step-1", Name: "Approve", Action: "WaitForAction", Since: start}, Timeout: start.Add(time.Hour)},
		{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: id, ID: "step-2", Name: "Sign", Action: "WaitForAction", Since: start}}, // until when is not known
	}}
	want := []string{
		`imagebuilder_workflow_step_timeout_timestamp_seconds{step="Approve",step_execution_id="step-1",workflow_execution_id="` + id + `"} 1.788984e+09`,
		`imagebuilder_workflow_step_waiting_since_timestamp_seconds{action="WaitForAction",step="Approve",step_execution_id="step-1",workflow_execution_id="` + id + `"} 1.7889804e+09`,
		`imagebuilder_workflow_step_waiting_since_timestamp_seconds{action="WaitForAction",step="Sign",step_execution_id="step-2",workflow_execution_id="` + id + `"} 1.7889804e+09`,
	}
	if diff := cmp.Diff(want, series(t, s, Options{Waiting: true}, "imagebuilder_workflow_step_")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExecutions(t *testing.T) {
	s := lookup.Snapshot{Dropped: 5, Executions: []lookup.Execution{
		{ID: "wf-1", Pipeline: "Golden", LookedUp: true, ReadAt: now, Value: &imagebuilder.Execution{
			Status: "CANCELLED", WorkflowType: "BUILD", WorkflowBuildVersionARN: "arn/workflow", ImageBuildVersionARN: "arn/image",
			Image: imagebuilder.ImageBuildVersion{AccountID: "111122223333", Name: "linux", Version: "1.0.0/1"}, ParallelGroup: "group",
			Steps: &imagebuilder.StepCounts{Total: 7, Succeeded: 3, Failed: 2, Skipped: 1},
		}},
		{ID: "wf-2", LookedUp: true, Failure: imagebuilder.Denied},
		{ID: "wf-3"},
	}}
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"imagebuilder_workflow_executions", []string{"imagebuilder_workflow_executions 3", "imagebuilder_workflow_executions_dropped 5"}},
		{"imagebuilder_workflow_execution_info", []string{
			`imagebuilder_workflow_execution_info{account_id="111122223333",image_build_version_arn="arn/image",image_name="linux",image_version="1.0.0/1",parallel_group="group",pipeline="Golden",status="CANCELLED",workflow_build_version_arn="arn/workflow",workflow_execution_id="wf-1",workflow_type="BUILD"} 1`,
		}},
		{"imagebuilder_workflow_execution_steps", []string{
			`imagebuilder_workflow_execution_steps{workflow_execution_id="wf-1"} 7`,
			`imagebuilder_workflow_execution_steps_failed{workflow_execution_id="wf-1"} 2`,
			`imagebuilder_workflow_execution_steps_skipped{workflow_execution_id="wf-1"} 1`,
			`imagebuilder_workflow_execution_steps_succeeded{workflow_execution_id="wf-1"} 3`,
		}},
		{"imagebuilder_workflow_execution_lookup", []string{
			`imagebuilder_workflow_execution_lookup_error{class="denied",workflow_execution_id="wf-2"} 1`,
			`imagebuilder_workflow_execution_lookup_success{workflow_execution_id="wf-1"} 1`,
			`imagebuilder_workflow_execution_lookup_success{workflow_execution_id="wf-2"} 0`,
			`imagebuilder_workflow_execution_lookup_timestamp_seconds{workflow_execution_id="wf-1"} 1.788984e+09`,
		}},
	} {
		if diff := cmp.Diff(c.want, series(t, s, Options{}, c.prefix)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.prefix, diff)
		}
	}
}

func TestSelectionsAndErrors(t *testing.T) {
	s := lookup.Snapshot{
		DiscoveryInterval: 1153 * time.Second,
		Selectors:         []lookup.SelectorMatches{{Selector: "name=web-.*", Matches: 2}, {Selector: "tag:team=web", Matches: 0}},
		ImageSelectors:    []lookup.SelectorMatches{{Selector: "name=web-.*", Matches: 3}, {Selector: "tag:team=db", Matches: 0}},
		Errors: []lookup.FailedLookup{
			{Operation: "ListImagePipelines", Class: imagebuilder.Denied, Reason: "for people"},
			{Operation: "ListWorkflowExecutions", Subject: "arn", Class: imagebuilder.BadRequest},
		},
	}
	for prefix, want := range map[string][]string{
		"imagebuilder_discovery_": {`imagebuilder_discovery_interval_seconds 1153`},
		"imagebuilder_selector_": {
			`imagebuilder_selector_images{selector="name=web-.*"} 3`,
			`imagebuilder_selector_images{selector="tag:team=db"} 0`,
			`imagebuilder_selector_pipelines{selector="name=web-.*"} 2`,
			`imagebuilder_selector_pipelines{selector="tag:team=web"} 0`,
		},
		"imagebuilder_lookup_": {
			`imagebuilder_lookup_error{class="bad_request",operation="ListWorkflowExecutions",subject="arn"} 1`,
			`imagebuilder_lookup_error{class="denied",operation="ListImagePipelines",subject=""} 1`,
		},
	} {
		if diff := cmp.Diff(want, series(t, s, Options{}, prefix)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", prefix, diff)
		}
	}
}
