package status

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// pointer returns a pointer to v.
func pointer[T any](v T) *T { return &v }

func TestPipelineRows(t *testing.T) {
	east := time.FixedZone("UTC+2", 2*60*60)
	for _, c := range []struct {
		name string
		p    lookup.Pipeline
		want pipeline
	}{
		{"enabled", lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{Status: "ENABLED"}}, pipeline{Enabled: pointer(true)}},
		{"disabled", lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{Status: "DISABLED"}}, pipeline{Enabled: pointer(false)}},
		{"a status that is not in the API reference is neither", lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{Status: "PAUSED"}}, pipeline{}},
		{
			"its runs",
			lookup.Pipeline{
				Pipeline:    &imagebuilder.Pipeline{LastRunStatus: "FAILED", ConsecutiveFailures: pointer(2), NextRun: now.In(east)},
				LastSuccess: now.Add(-time.Hour),
			},
			pipeline{LastRun: "FAILED", Failures: pointer(2), NextRun: pointer(now), LastSuccess: pointer(now.Add(-time.Hour))},
		},
		{
			"its schedule, tags and logs",
			lookup.Pipeline{FailedInRow: pointer(3), Pipeline: &imagebuilder.Pipeline{
				ARN: "arn:aws-cn:imagebuilder:cn-north-1:111122223333:image-pipeline/web", Tags: map[string]string{"team": "web", "secret": "x"},
				Schedule: &imagebuilder.Schedule{Expression: "rate(1 day)", Timezone: "UTC", AutoDisableFailures: 5},
			}},
			pipeline{
				ARN: "arn:aws-cn:imagebuilder:cn-north-1:111122223333:image-pipeline/web", Tags: "team=web", InRow: pointer(3),
				Schedule: "rate(1 day)", Timezone: "UTC", AutoDisable: 5,
				Logs: "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#logsV2:log-groups/log-group/$252Faws$252Fimagebuilder$252Fpipeline$252Fweb",
			},
		},
	} {
		if diff := cmp.Diff(c.want, newPipeline(&c.p, []string{"team", "env"})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	in := newPipeline(&lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{NextRun: now.In(east)}}, nil).NextRun
	if in.Location() != time.UTC {
		t.Errorf("the next run is in %s, want UTC", in.Location())
	}
}

func TestImageRows(t *testing.T) {
	got := newImage(&lookup.Image{Pipeline: "Golden", Image: &imagebuilder.Image{
		ARN: "arn", Build: imagebuilder.ImageBuildVersion{Name: "linux", Version: "1.0.0/1"}, Status: "AVAILABLE", Reason: "none", Created: now,
		Outputs: []imagebuilder.Output{
			{Region: "eu-west-1", ID: "ami-1", AccountID: "111122223333", State: "FAILED", Reason: "no key"}, {Region: "us-east-1", ID: "ami-2"},
		},
		Deprecates: now.Add(time.Hour),
	}}, nil)
	want := image{
		ARN: "arn", Name: "linux", Version: "1.0.0/1", Status: "AVAILABLE", Reason: "none", Pipeline: "Golden", Created: pointer(now),
		Outputs:     []output{{Region: "eu-west-1", ID: "ami-1", AccountID: "111122223333", State: "FAILED", Reason: "no key"}, {Region: "us-east-1", ID: "ami-2"}},
		Deprecation: pointer(now.Add(time.Hour)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWaitingRows(t *testing.T) {
	s := snapshot(executionOf(1, "RUNNING"), lookup.Execution{ID: "wf-2"})[0]
	s.Waiting = []lookup.WaitingStep{
		{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: s.Executions[0].ID, Name: "Approve", Since: now}, Timeout: now.Add(time.Hour)},
		{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: "wf-2", Name: "Test", Since: now}},
	}
	s.TagLabels = []string{"team"}
	s.Pipelines = []lookup.Pipeline{{Pipeline: &imagebuilder.Pipeline{Name: "Linux", Tags: map[string]string{"team": "web", "cost": "hidden"}}}}
	got := newWaiting(&s, s.Waiting)
	want := []waiting{
		{ExecutionID: s.Executions[0].ID, Step: "Approve", Since: now, Timeout: pointer(now.Add(time.Hour)), Image: "linux", Version: "1.0.0/1", Tags: "team=web", Target: "golden eu-west-1", Href: executionHref(s.Executions[0].ID)},
		{ExecutionID: "wf-2", Step: "Test", Since: now, Target: "golden eu-west-1", Href: executionHref("wf-2")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStepRows(t *testing.T) {
	x := executionOf(1, "FAILED")
	x.Steps = []imagebuilder.Step{
		{ID: "step-2", Name: "Test", Action: "ExecuteComponents", Status: "FAILED", Start: now.Add(-time.Minute), End: now},
		{ID: "step-3", Name: "Later", Status: "PENDING"},
		{ID: "step-1", Name: "Patch", Start: now.Add(-time.Hour), Message: "for people"},
	}
	got := newSteps(&x, now)
	want := []step{
		{ID: "step-1", Name: "Patch", Started: pointer(now.Add(-time.Hour)), Message: "for people"}, // without a duration: its end is not known
		{ID: "step-2", Name: "Test", Action: "ExecuteComponents", Status: "FAILED", Started: pointer(now.Add(-time.Minute)), Duration: pointer(60.0)},
		{ID: "step-3", Name: "Later", Status: "PENDING"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
