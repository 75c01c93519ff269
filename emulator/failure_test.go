package emulator

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const testVersion = inEurope + "image/web-server/1.0.0"

// aboutImages are the requests that tell about images, by operation: path, and body.
var aboutImages = map[string][2]string{
	"GetImage":                {"/GetImage?imageBuildVersionArn=" + testImage},
	"ListImageBuildVersions":  {"/ListImageBuildVersions", `{"imageVersionArn":"` + testVersion + `"}`},
	"ListImagePipelineImages": {"/ListImagePipelineImages", `{"imagePipelineArn":"` + testPipeline + `"}`},
}

// contexts returns the status of the only image, and its failureContext, as an operation
// answers it; "none" for none.
func contexts(t *testing.T, api *API, operation string) (status, context string) {
	t.Helper()
	r := signed(aboutImages[operation][0])
	if body := aboutImages[operation][1]; body != "" {
		r = httptest.NewRequest("POST", aboutImages[operation][0], strings.NewReader(body))
		r.Header = signed("/").Header
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	type image struct {
		State struct {
			Status         string
			FailureContext json.RawMessage
		}
	}
	var answer struct {
		Image            image
		ImageSummaryList []image
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 {
		t.Fatalf("%s: %d %s", operation, w.Code, w.Body)
	}
	for _, i := range answer.ImageSummaryList {
		answer.Image = i
	}
	if s := answer.Image.State; s.FailureContext != nil {
		return s.Status, string(s.FailureContext)
	}
	return answer.Image.State.Status, "none"
}

// failing returns an image of one attempt.
func failing(a Attempt) Image {
	a.Start = start
	return Image{ARN: testImage, PipelineARN: testPipeline, Created: start, Attempts: []Attempt{a}}
}

// failed returns a run of one type whose only step fails after ten minutes.
func failed(kind string, s Step) Run {
	s.Name, s.Takes, s.Ends = "Apply", 10*time.Minute, Failed
	return Run{ID: testID, Type: kind, WorkflowBuildVersionARN: workflowARN("eu-west-1", "BUILD"), Start: start, Steps: []Step{s}}
}

func TestWhyAnImageFailed(t *testing.T) {
	harden := &ComponentFailure{
		ARN: inEurope + "component/harden/1.2.0/1", Phase: "build", Step: "InstallAgent", Action: "ExecuteBash", Message: "exit code 1",
	}
	regions := []RegionFailure{
		{"eu-central-1", "TIMED_OUT", "444455556666", "COPY_IMAGE", "The copy did not end in time."},
		{"us-east-1", "FAILED", "", "", ""},
		{"us-west-2", "CANCELLED", "111122223333", "", "Another Region failed."},
	}
	const regionsJSON = `[{"region":"eu-central-1","status":"TIMED_OUT","targetAccountId":"444455556666","imageConfigurationStep":"COPY_IMAGE","errorMessage":"The copy did not end in time."},` +
		`{"region":"us-east-1","status":"FAILED"},{"region":"us-west-2","status":"CANCELLED","targetAccountId":"111122223333","errorMessage":"Another Region failed."}]`
	run := failed("BUILD", Step{})
	where := `"workflowArn":"` + run.WorkflowBuildVersionARN + `","workflowExecutionId":"` + testID + `","stepExecutionId":"` + run.StepID(0) + `","failedStep":"Apply"`
	rolls, ignored := failed("", Step{Component: harden}), failed("BUILD", Step{Component: harden})
	rolls.Rollback, ignored.Steps[0].Ends = time.Hour, FailedIgnored
	withRuns := func(runs ...Run) Image { return failing(Attempt{Runs: runs}) }
	cancelled := failing(Attempt{Runs: []Run{run}, Failure: &Failure{Stage: "BUILDING"}})
	cancelled.Attempts[0].Runs[0].Cancelled = time.Minute
	retried := withRuns(run)
	retried.Attempts = append(retried.Attempts, Attempt{Start: start.Add(15 * time.Minute), Distributes: time.Hour})
	const component = `"componentFailure":{"componentArn":"` + inEurope + `component/harden/1.2.0/1","phaseName":"build","stepName":"InstallAgent","action":"ExecuteBash","errorMessage":"exit code 1"}`
	for _, c := range []struct {
		name   string
		image  Image
		after  time.Duration
		status string
		want   string
	}{
		{"a step fails, and nothing says why", withRuns(run), 10 * time.Minute, "FAILED", `{"imageStatus":"BUILDING",` + where + `}`},
		{"before that", withRuns(run), 9 * time.Minute, "BUILDING", "none"},
		{"a component fails in a test", withRuns(failed("TEST", Step{Component: harden})), time.Hour, "FAILED", `{"imageStatus":"TESTING",` + where + `,` + component + `}`},
		{"the build rolls back", withRuns(rolls), 15 * time.Minute, "FAILED", `{"imageStatus":"BUILDING",` + where + `,` + component + `}`},
		{
			"three regions fail", withRuns(failed("DISTRIBUTION", Step{Regions: regions})), time.Hour, "FAILED",
			`{"imageStatus":"DISTRIBUTING",` + where + `,"distributionFailure":{"errorMessage":"Distribution failed in 3 Regions.","regionFailures":` + regionsJSON + `}}`,
		},
		{"the failure of a step is ignored", withRuns(ignored), time.Hour, "AVAILABLE", "none"},
		{"it was cancelled", cancelled, time.Hour, "CANCELLED", "none"},
		{"it is being retried", retried, 20 * time.Minute, "CREATING", "none"},
		{"nothing has begun", failing(Attempt{Distributes: time.Minute, Fails: true}), time.Hour, "FAILED", `{"imageStatus":"CREATING"}`},
		{"it cannot be distributed", failing(Attempt{Runs: []Run{oneStep(0, "BUILD", 0, 0)}, Fails: true}), time.Hour, "FAILED", `{"imageStatus":"DISTRIBUTING"}`},
		{"it cannot be integrated", failing(Attempt{Runs: []Run{oneStep(0, "BUILD", 0, 0)}, Integrates: time.Minute, Fails: true}), time.Hour, "FAILED", `{"imageStatus":"INTEGRATING"}`},
		{"while it is integrated", failing(Attempt{Runs: []Run{oneStep(0, "BUILD", 0, 0)}, Integrates: time.Hour, Fails: true}), time.Hour, "INTEGRATING", "none"},
		{"it says what it wants", failing(Attempt{Runs: []Run{run}, Failure: &Failure{Distribution: &DistributionFailure{Regions: regions}}}), time.Hour, "FAILED", `{"distributionFailure":{"regionFailures":` + regionsJSON + `}}`},
		{"it says nothing", failing(Attempt{Runs: []Run{run}, Failure: &Failure{}}), time.Hour, "FAILED", `{}`},
		{"it says that there is nothing to say", failing(Attempt{Fails: true, Failure: &Failure{Component: &ComponentFailure{}, Distribution: &DistributionFailure{}}}), time.Hour, "FAILED", `{"componentFailure":{},"distributionFailure":{}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := &API{Scenario: &Account{Pipelines: []Pipeline{{ARN: testPipeline}}, Images: []Image{c.image}}}
			api.Now = func() time.Time { return start.Add(c.after) }
			for operation := range aboutImages {
				status, got := contexts(t, api, operation)
				if diff := cmp.Diff(c.status+" "+c.want, status+" "+got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", operation, diff)
				}
			}
		})
	}
}

func TestWhichAnswersSayWhyAnImageFailed(t *testing.T) {
	for _, c := range []struct {
		name            string
		where           FailureContext
		inImage, inList bool
	}{
		{"all of them", FailureContextEverywhere, true, true},
		{"only GetImage", FailureContextInGetImage, true, false},
		{"only the lists", FailureContextInLists, false, true},
		{"none", FailureContextNowhere, false, false},
	} {
		api := &API{FailureContext: c.where, Now: func() time.Time { return start.Add(time.Hour) }}
		api.Scenario = &Account{Pipelines: []Pipeline{{ARN: testPipeline}}, Images: []Image{failing(Attempt{Fails: true})}}
		want := map[string]bool{"GetImage": c.inImage, "ListImageBuildVersions": c.inList, "ListImagePipelineImages": c.inList}
		got := map[string]bool{}
		for operation := range aboutImages {
			_, context := contexts(t, api, operation)
			got[operation] = context != "none"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestARetryGoesWell holds that what a caller retries does not fail again for the old reason.
func TestARetryGoesWell(t *testing.T) {
	c := newChanging(t, Attempt{Runs: []Run{failed("BUILD", Step{})}, Integrates: time.Minute, Failure: &Failure{Step: "Apply"}})
	c.at(time.Hour, c.retry)
	for after, want := range map[time.Duration]string{
		time.Hour - 1:               `FAILED {"failedStep":"Apply"}`,
		70 * time.Minute:            "INTEGRATING none",
		71 * time.Minute:            "AVAILABLE none",
		time.Hour + 5*time.Minute:   "BUILDING none",
		time.Hour + 500*time.Second: "BUILDING none",
	} {
		c.api.Now = func() time.Time { return start.Add(after) }
		status, got := contexts(t, c.api, "GetImage")
		if diff := cmp.Diff(want, status+" "+got); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", after, diff)
		}
	}
}
