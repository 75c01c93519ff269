package lookuptest

import (
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// Executions has executions of every kind, as they are at now, and their ids.
func Executions(now time.Time) (api *emulator.API, ids []string) {
	steps := func(ends ...emulator.Outcome) []emulator.Step {
		var s []emulator.Step
		for _, e := range ends {
			s = append(s, emulator.Step{Name: "Step", Takes: time.Minute, Ends: e})
		}
		return s
	}
	const image = "arn:aws:imagebuilder:eu-west-1:111122223333:image/web-server/1.0.0/1"
	const build = "arn:aws:imagebuilder:eu-west-1:aws:workflow/build/build-image/1.0.3/1"
	const test = "arn:aws-cn:imagebuilder:cn-north-1:111122223333:workflow/test/mine/1.0.0/3"
	three := steps(emulator.Succeeded, emulator.SkippedStep, emulator.Succeeded)
	runs := []emulator.Run{
		{Type: "BUILD", ImageBuildVersionARN: image, WorkflowBuildVersionARN: build, Start: now.Add(-time.Hour), Steps: three},
		{Type: "BUILD", ImageBuildVersionARN: image, WorkflowBuildVersionARN: build, Start: now.Add(-90 * time.Second), Steps: three},
		{Type: "TEST", ParallelGroup: "smoke", ImageBuildVersionARN: image, WorkflowBuildVersionARN: test, Start: now.Add(-time.Hour), Steps: steps(emulator.Succeeded, emulator.Failed)},
		{WorkflowBuildVersionARN: test, Start: now.Add(-time.Hour), Steps: steps(emulator.FailedIgnored, emulator.Succeeded)},
		{Steps: three},
		{Type: "BUILD", Start: now.Add(-5 * time.Minute), Steps: steps(emulator.Failed), Rollback: time.Hour},
		{Type: "BUILD", Start: now.Add(-5 * time.Minute), Steps: steps(emulator.Failed), Rollback: time.Minute},
		{Type: "BUILD", Start: now.Add(-5 * time.Minute), Steps: three, Cancelled: time.Minute},
		{Type: "TEST", Start: now.Add(-5 * time.Minute), Steps: three, Skipped: true},
	}
	for i := range runs {
		runs[i].ID = ID(i)
		ids = append(ids, ID(i))
	}
	faults := map[string]http.Handler{
		ID(20): emulator.Body(200, "application/json", `{"workflowExecutionId":"`+ID(20)+`","status":"PAUSED","totalStepCount":-1,"startTime":"soon","parallelGroup":"a \"quoted\"\nline"}`),
		ID(21): emulator.Body(200, "application/json", ``),
		ID(22): emulator.Body(200, "text/html", `<html>`),
		ID(23): emulator.Error(403, "AccessDeniedException", "x"),
		ID(24): emulator.Error(400, "InvalidRequestException", "x"),
		ID(25): emulator.Hang(),
	}
	for i := 20; i <= 26; i++ { // the last one is not known
		ids = append(ids, ID(i))
	}
	return &emulator.API{
		Scenario: emulator.Runs(runs...),
		Fault:    func(_, id string) http.Handler { return faults[id] },
	}, ids
}

// Pipelines has pipelines and images of every kind, as they are at now, and selects them all.
// GetImage, which would tell the pipeline of one of them, is denied.
func Pipelines(now time.Time) (*emulator.API, lookup.Selection) {
	const account = "arn:aws:imagebuilder:eu-west-1:444455556666:"
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	step := func(name, action string, takes time.Duration, ends emulator.Outcome) emulator.Step {
		return emulator.Step{
			Name: name, Action: action, Takes: takes, Ends: ends,
			Inputs: `{"parameters":{"Password":"input-secret"}}`, Outputs: `{"result":"output-secret"}`,
		}
	}
	launch := step("LaunchBuildInstance", "LaunchInstance", time.Minute, emulator.Succeeded)
	apply := step("ApplyBuildComponents", "ExecuteComponents", 2*time.Minute, emulator.Succeeded)
	broken := step("ApplyBuildComponents", "ExecuteComponents", 2*time.Minute, emulator.Failed)
	broken.Component = &emulator.ComponentFailure{ARN: account + "component/harden/1.2.0/1", Phase: "build", Step: "InstallAgent", Action: "ExecuteBash", Message: "exit code 1"}
	approve := emulator.Step{Name: "Approve", Action: "WaitForAction", Takes: 100 * time.Hour, Waits: true}
	image := func(pipeline, name string, build int, created time.Time, steps ...emulator.Step) emulator.Image {
		i := emulator.Image{
			ARN: fmt.Sprintf("%simage/%s/1.2.0/%d", account, name, build), Name: "A Name With Spaces", Created: created,
			Attempts: []emulator.Attempt{{Runs: []emulator.Run{{
				ID: ID(0xa0 + build), Type: "BUILD", Start: created, Steps: steps,
				WorkflowBuildVersionARN: "arn:aws:imagebuilder:eu-west-1:aws:workflow/build/build-image/1.0.3/1",
			}}}},
		}
		if pipeline != "" {
			i.PipelineARN = account + "image-pipeline/" + pipeline
		}
		return i
	}
	made := image("web-server", "web", 1, ago(21*24*time.Hour), launch, apply)
	made.Deprecates = now.Add(90 * 24 * time.Hour)
	made.Outputs = []emulator.Output{{Region: "eu-west-1", AMI: "ami-0123456789abcdef0"}, {Region: "us-east-1", AMI: "ami-0fedcba9876543210"}}
	lost := image("", "lost", 4, ago(time.Hour), launch, apply)
	lost.Type, lost.Attempts[0].Fails, lost.Attempts[0].Distributes = "DOCKER", true, time.Minute
	lost.Attempts[0].Failure = &emulator.Failure{Stage: "DISTRIBUTING", Distribution: &emulator.DistributionFailure{
		Message: "1 of 2 Regions failed.", Regions: []emulator.RegionFailure{
			{Region: "eu-central-1", Status: "TIMED_OUT", AccountID: "111122223333", ConfigurationStep: "COPY_IMAGE", Message: "The copy did not end in time."},
		},
	}}
	api := &emulator.API{Unruly: 7, Scenario: &emulator.Account{
		Pipelines: []emulator.Pipeline{
			{ARN: account + "image-pipeline/web-server", Name: "Web Server", Platform: "Linux", NextRun: now.Add(time.Hour), Tags: map[string]string{"team": "web"}, AutoDisableFailures: 3},
			{ARN: account + "image-pipeline/nightly", Name: "nightly", Platform: "Windows", Disabled: true},
		},
		Images: []emulator.Image{
			made, image("web-server", "web", 2, ago(2*time.Hour), launch, broken),
			image("web-server", "web", 3, ago(time.Hour), launch, approve), lost,
		},
	}}
	api.Fault = func(operation, _ string) http.Handler {
		if operation == "GetImage" {
			return emulator.Error(403, "AccessDeniedException", "x")
		}
		return nil
	}
	return api, lookup.Selection{
		Pipelines: []lookup.Selector{{Name: regexp.MustCompile(`.`), Builds: 2, Text: "name=.*"}},
		Images:    []string{account + "image/lost/x.x.x"},

		ImageSelectors: []lookup.Selector{{Name: regexp.MustCompile(`^A`), Builds: 1, Text: "name=A.*"}},

		Steps: lookup.StepsAll, Waiting: true, TagLabels: []string{"team"},
	}
}
