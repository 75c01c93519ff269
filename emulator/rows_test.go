package emulator

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/google/go-cmp/cmp"
)

func TestTheScheduleAndTheLogsOfAPipeline(t *testing.T) {
	schedule := func(expression, zone, condition string, policy *types.AutoDisablePolicy) *types.Schedule {
		return &types.Schedule{
			ScheduleExpression: &expression, Timezone: &zone, AutoDisablePolicy: policy,
			PipelineExecutionStartCondition: types.PipelineExecutionStartCondition(condition),
		}
	}
	const match, updates = "EXPRESSION_MATCH_ONLY", "EXPRESSION_MATCH_AND_DEPENDENCY_UPDATES_AVAILABLE"
	for _, c := range []struct {
		name     string
		pipeline Pipeline
		schedule *types.Schedule
		logs     *types.PipelineLoggingConfiguration
	}{
		{"no schedule", Pipeline{Timezone: "Asia/Kolkata", AutoDisableFailures: 3}, nil, nil},
		{"what is usual", Pipeline{Every: time.Hour}, schedule("rate(60 minutes)", "UTC", match, nil), nil},
		{"each day", Pipeline{Every: 24 * time.Hour}, schedule("rate(1 day)", "UTC", match, nil), nil},
		{"each week", Pipeline{Every: 7 * 24 * time.Hour}, schedule("rate(7 days)", "UTC", match, nil), nil},
		{"each minute", Pipeline{Every: time.Minute}, schedule("rate(1 minute)", "UTC", match, nil), nil},
		{
			"one that is given", Pipeline{
				Every: time.Hour, Expression: "cron(0 6 * * ? *)", Timezone: "Asia/Kolkata", StartCondition: updates, AutoDisableFailures: 3,
			}, schedule("cron(0 6 * * ? *)", "Asia/Kolkata", updates, &types.AutoDisablePolicy{FailureCount: aws.Int32(3)}), nil,
		},
		{"only an expression", Pipeline{Expression: "cron(0 6 * * ? *)"}, schedule("cron(0 6 * * ? *)", "UTC", match, nil), nil},
		{"its log", Pipeline{LogGroup: "/p"}, nil, &types.PipelineLoggingConfiguration{PipelineLogGroupName: aws.String("/p")}},
		{
			"both logs",
			Pipeline{LogGroup: "/p", ImageLogGroup: "/i"},
			nil,
			&types.PipelineLoggingConfiguration{PipelineLogGroupName: aws.String("/p"), ImageLogGroupName: aws.String("/i")},
		},
	} {
		c.pipeline.ARN = testPipeline
		row := allPipelines(t, newSDK(t, &API{Scenario: &Account{Pipelines: []Pipeline{c.pipeline}}}, "eu-west-1"))["web-server"]
		want := types.ImagePipeline{Schedule: c.schedule, LoggingConfiguration: c.logs}
		got := types.ImagePipeline{Schedule: row.Schedule, LoggingConfiguration: row.LoggingConfiguration}
		if diff := cmp.Diff(want, got, sdkTypes...); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestWhatARowSaysOfAnImage reads it in a list, and in the answer of GetImage.
func TestWhatARowSaysOfAnImage(t *testing.T) {
	type row struct {
		Deprecation string
		LogGroup    string
		AMIs        []types.Ami
	}
	ami := func(region, account, state, reason string) types.Ami {
		a := types.Ami{Region: &region, AccountId: &account, State: &types.ImageState{Status: types.ImageStatus(state)}}
		if reason != "" {
			a.State.Reason = &reason
		}
		return a
	}
	for _, c := range []struct {
		name  string
		image Image
		want  row
	}{
		{"nothing", Image{}, row{}},
		{"a deprecation that lies ahead", Image{Deprecates: start.Add(time.Hour)}, row{Deprecation: "2026-09-09T20:12:23.000Z"}},
		{"a deprecation that has come", Image{Deprecates: start.AddDate(0, 0, -1)}, row{Deprecation: "2026-09-08T19:12:23.000Z"}},
		{"a log group", Image{LogGroup: "/golden"}, row{LogGroup: "/golden"}},
		{"an AMI", Image{Outputs: []Output{{Region: "eu-west-1", AMI: "ami-01"}}}, row{AMIs: []types.Ami{ami("eu-west-1", "111122223333", "AVAILABLE", "")}}},
		{
			"an AMI of another account, which failed",
			Image{Outputs: []Output{{Region: "us-east-1", AMI: "ami-01", AccountID: "444455556666", State: "FAILED", Reason: "No key."}}},
			row{AMIs: []types.Ami{ami("us-east-1", "444455556666", "FAILED", "No key.")}},
		},
	} {
		c.image.ARN = testImage
		client := newSDK(t, &API{Scenario: &Account{Images: []Image{c.image}}, Now: func() time.Time { return start }}, "eu-west-1")
		read := func(deprecation *time.Time, logs *types.ImageLoggingConfiguration, out *types.OutputResources) (got row) {
			if deprecation != nil {
				got.Deprecation = Timestamp(*deprecation)
			}
			if logs != nil {
				got.LogGroup = aws.ToString(logs.LogGroupName)
			}
			if out != nil {
				got.AMIs = out.Amis
			}
			for n := range got.AMIs {
				got.AMIs[n].Image, got.AMIs[n].Name = nil, nil
			}
			return got
		}
		one, err := client.GetImage(t.Context(), getImage(testImage))
		if err != nil {
			t.Fatal(err)
		}
		i := one.Image
		if diff := cmp.Diff(c.want, read(i.DeprecationTime, i.LoggingConfiguration, i.OutputResources), sdkTypes...); diff != "" {
			t.Errorf("%s, in GetImage (-want +got):\n%s", c.name, diff)
		}
		for _, i := range allBuilds(t, client, testVersion) {
			if diff := cmp.Diff(c.want, read(i.DeprecationTime, i.LoggingConfiguration, i.OutputResources), sdkTypes...); diff != "" {
				t.Errorf("%s, in a list (-want +got):\n%s", c.name, diff)
			}
		}
	}
}

func TestTheTimeLimitOfAStep(t *testing.T) {
	for name, c := range map[string]struct {
		timeout time.Duration
		want    int32
	}{"of its own": {90 * time.Minute, 5400}, "the usual one": {0, 43200}} {
		run := Run{ID: testID, ImageBuildVersionARN: testImage, Start: start, Steps: []Step{{Takes: time.Hour, Waits: true, Timeout: c.timeout}}}
		client := newSDK(t, &API{Scenario: Runs(run), Now: func() time.Time { return start }}, "eu-west-1")
		out, err := client.GetWorkflowStepExecution(t.Context(), &imagebuilder.GetWorkflowStepExecutionInput{StepExecutionId: aws.String(run.StepID(0))})
		if err != nil || aws.ToInt32(out.TimeoutSeconds) != c.want {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}
