package imagebuilder

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

const testComponent = "arn:aws:imagebuilder:eu-west-1:111122223333:component/harden/1.2.0/1"

// failureContexts has what answers say of failures, and what is made of it.
var failureContexts = []struct {
	name, json string
	want       *Failure
	invalid    float64 // how many parts are counted
}{
	{name: "nothing", json: `null`},
	{name: "an empty object", json: `{}`},
	{name: "empty parts", json: `{"imageStatus":"","failedStep":null}`},
	{
		name: "a component", json: `{
		"imageStatus":"BUILDING","workflowArn":"arn:aws:imagebuilder:eu-west-1:aws:workflow/build/build-image/1.0.3/1",
		"workflowExecutionId":"WF-065B1CB6-3a62-4618-a021-94ddcbe32908","stepExecutionId":"step-1","failedStep":"ApplyBuildComponents",
		"componentFailure":{"componentArn":"` + testComponent + `","phaseName":"build","stepName":"InstallAgent","action":"ExecuteBash","errorMessage":"exit code 1"}}`,
		invalid: 1, // WF in upper case is no id
		want: &Failure{
			Stage:           "BUILDING",
			StepExecutionID: "step-1", Step: "ApplyBuildComponents",
			Component: &ComponentFailure{ARN: testComponent, Phase: "build", Step: "InstallAgent", Action: "ExecuteBash", Message: "exit code 1"},
		},
	},
	{
		name: "three regions, one of them twice", json: `{
		"imageStatus":"DISTRIBUTING","workflowExecutionId":"wf-0A1B2C3D-1111-4222-8333-444455556666","failedStep":"CopyEverywhere",
		"distributionFailure":{"errorMessage":"1 of 3 Regions failed","regionFailures":[
			{"region":"eu-central-1","status":"TIMED_OUT","targetAccountId":"444455556666","imageConfigurationStep":"COPY_IMAGE","errorMessage":"The copy did not end in time."},
			{"region":"us-east-1","status":"FAILED"},{"region":"us-east-1","status":"FAILED","errorMessage":"again"},
			{"region":"ap-south-1","status":"CANCELLED","targetAccountId":"444455556666"},{}]}}`,
		want: &Failure{
			Stage: "DISTRIBUTING", ExecutionID: "wf-0a1b2c3d-1111-4222-8333-444455556666", Step: "CopyEverywhere",
			Distribution: &DistributionFailure{Message: "1 of 3 Regions failed", Regions: []RegionFailure{
				{Region: "eu-central-1", AccountID: "444455556666", Status: "TIMED_OUT", ConfigurationStep: "COPY_IMAGE", Message: "The copy did not end in time."},
				{Region: "us-east-1", Status: "FAILED"},
				{Region: "ap-south-1", AccountID: "444455556666", Status: "CANCELLED"},
			}},
		},
	},
	{name: "an integration", json: `{"imageStatus":"INTEGRATING"}`, want: &Failure{Stage: "INTEGRATING"}},
	{
		name: "what is not known yet", json: `{"imageStatus":"POLISHING","polishFailure":{"a":[1]},"componentFailure":{"new":true}}`,
		want: &Failure{Stage: "POLISHING"},
	},
	{
		name: "a part of another type", json: `{"failedStep":7,"imageStatus":"TESTING","componentFailure":[],"distributionFailure":{"regionFailures":{}}}`,
		invalid: 1, want: &Failure{Stage: "TESTING"},
	},
	{name: "all of another type", json: `"BUILDING"`, invalid: 1},
	{
		name: "names that are too long for a label", json: `{"failedStep":"` + strings.Repeat("x", 1<<20) + `"}`,
		invalid: 1, want: &Failure{Step: strings.Repeat("x", maxText)},
	},
}

// TestFailureContexts reads each from all answers that may have it.
func TestFailureContexts(t *testing.T) {
	for _, c := range failureContexts {
		row := `{"arn":"` + testImage + `","state":{"status":"FAILED","failureContext":` + c.json + `}}`
		for operation, body := range map[string]string{
			"GetImage":                `{"requestId":"x","image":` + row + `}`,
			"ListImagePipelineImages": `{"requestId":"x","imageSummaryList":[` + strings.ReplaceAll(row, "1.0.0/1", "1.0.0/2") + `,` + row + `]}`,
			"ListImageBuildVersions":  `{"requestId":"x","imageSummaryList":[` + row + `]}`,
		} {
			t.Run(c.name+", "+operation, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, reg := newTestClient(t, always(answer("%s", body)))
					image := imageOf(t, client, operation)
					if diff := cmp.Diff(c.want, image.Failure); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
					times := 1.0
					if operation == "ListImagePipelineImages" {
						times = 2 // rows
					}
					if n := invalid(t, reg, reasonFailureContext) + invalid(t, reg, reasonTooLong); n != times*c.invalid {
						t.Errorf("%g parts are counted, want %g", n, times*c.invalid)
					}
				})
			})
		}
	}
}

// imageOf returns testImage as an operation answers it.
func imageOf(t *testing.T, client *Client, operation string) Image {
	t.Helper()
	var images []Image
	var err error
	switch operation {
	case "GetImage":
		images = make([]Image, 1)
		images[0], err = client.GetImage(t.Context(), testImage, nil)
	case "ListImagePipelineImages":
		images, err = client.ListImagePipelineImages(t.Context(), testPipeline, nil)
	default:
		images, err = client.ListImageBuildVersions(t.Context(), strings.TrimSuffix(testImage, "/1"), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return images[len(images)-1]
}

// TestOnlyFailedImagesHaveAFailure although an answer says more.
func TestOnlyFailedImagesHaveAFailure(t *testing.T) {
	for status, want := range map[string]bool{"FAILED": true, "AVAILABLE": false, "BUILDING": false, "CANCELLED": false, "DELETED": false} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := newTestClient(t, always(answer(
				`{"requestId":"x","image":{"arn":%q,"state":{"status":%q,"failureContext":{"imageStatus":"BUILDING"}}}}`, testImage, status)))
			if got := imageOf(t, client, "GetImage").Failure != nil; got != want {
				t.Errorf("%s has a failure: %t", status, got)
			}
		})
	}
}

// TestRegionsThatFailedAreBounded has an image that arrived in none of 40,000 regions.
func TestRegionsThatFailedAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var regions []string
		for n := range 40_000 {
			regions = append(regions, fmt.Sprintf(`{"region":"r-%d"}`, n))
		}
		client, reg := newTestClient(t, always(answer(
			`{"requestId":"x","image":{"arn":%q,"state":{"status":"FAILED","failureContext":{"distributionFailure":{"regionFailures":[%s]}}}}}`,
			testImage, strings.Join(regions, ","))))
		failure := imageOf(t, client, "GetImage").Failure
		if n := len(failure.Distribution.Regions); n != maxRegions || invalid(t, reg, reasonFailureContext) != 1 {
			t.Errorf("%d regions, %g counted; want %d and 1", n, invalid(t, reg, reasonFailureContext), maxRegions)
		}
	})
}

func TestWhenAStepGivesUp(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
		invalid          float64
	}{
		{"a time limit", `{"stepExecutionId":"` + testStep + `","startTime":"2026-09-09T19:12:23.175Z","timeoutSeconds":3600}`, "2026-09-09 20:12:23.175 +0000 UTC", 0},
		{"none", `{"stepExecutionId":"` + testStep + `","startTime":"2026-09-09T19:12:23.175Z"}`, "0001-01-01 00:00:00 +0000 UTC", 0},
		{"no start", `{"stepExecutionId":"` + testStep + `","timeoutSeconds":3600}`, "0001-01-01 00:00:00 +0000 UTC", 0},
		{"no time at all", `{"stepExecutionId":"` + testStep + `","startTime":"2026-09-09T19:12:23.175Z","timeoutSeconds":0}`, "0001-01-01 00:00:00 +0000 UTC", 1},
		{"more than 32 bits", `{"stepExecutionId":"` + testStep + `","startTime":"2026-09-09T19:12:23.175Z","timeoutSeconds":4294967303}`, "0001-01-01 00:00:00 +0000 UTC", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, reg := newTestClient(t, always(answer("%s", c.body)))
			got, err := client.GetWorkflowStepExecution(t.Context(), testStep, nil)
			if got.String() != c.want || err != nil || invalid(t, reg, reasonStepTimeout) != c.invalid {
				t.Errorf("%s: %s, %v, %g counted; want %s", c.name, got, err, invalid(t, reg, reasonStepTimeout), c.want)
			}
		})
	}
}
