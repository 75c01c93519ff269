package imagebuilder

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// TestTimesThatAreRead are those of RFC 3339 in years for which durations are possible.
func TestTimesThatAreRead(t *testing.T) {
	for s, want := range map[string]bool{
		"2026-09-09T19:12:23.175Z":           true,
		"2026-09-09T19:12:23Z":               true,
		"2026-09-09T19:12:23.123456789Z":     true,
		"2026-09-09T21:12:23+02:00":          true,
		"2026-09-09T21:12:23.5-12:30":        true,
		"2024-02-29T00:00:00Z":               true,
		"1970-01-01T00:00:00Z":               true,
		"2200-12-31T23:59:59.999Z":           true,
		"0000-01-01T00:00:00Z":               false,
		"0001-01-01T00:00:00Z":               false,
		"1969-12-31T23:59:59.999Z":           false,
		"2201-01-01T00:00:00Z":               false,
		"12026-09-09T19:12:23Z":              false,
		"2026-09-09T19:12:23":                false, // no zone
		"2026-09-09":                         false,
		"2026-09-09 19:12:23Z":               false,
		"2026-09-09t19:12:23z":               false,
		"2026-09-09T19:12:23,175Z":           false,
		"2026-09-09T19:12:23.Z":              false,
		"2026-09-09T9:12:23Z":                false,
		"2026-9-09T19:12:23Z":                false,
		"2026-09-09T19:12Z":                  false,
		"2026-09-09T24:00:00Z":               false,
		"2026-09-09T19:60:23Z":               false,
		"2026-12-31T23:59:60Z":               false, // a leap second
		"2026-02-29T00:00:00Z":               false,
		"2026-09-09T19:12:23+0200":           false,
		"2026-09-09T19:12:23+02":             false,
		"2026-09-09T19:12:23+24:00":          false,
		"2026-09-09T19:12:23+02:60":          false,
		"2026-09-09T19:12:23 UTC":            false,
		" 2026-09-09T19:12:23Z":              false,
		"2026-09-09T19:12:23Z ":              false,
		"2026-09-09T19:12:23Z\n":             false,
		"Wed, 09 Sep 2026 19:12:23 GMT":      false,
		"1788981143":                         false,
		"\u0662026-09-09T19:12:23Z":          false,
		strings.Repeat("2026-09-09T", 1<<16): false,
	} {
		counted := 0
		got := decodeTime(&s, func(string) { counted++ })
		if read := !got.IsZero(); read != want || read == (counted == 1) {
			t.Errorf("%.50q: read as %s, counted %d times", s, got, counted)
		}
	}
}

// referenceAnswer is the example of the API reference.
const referenceAnswer = `{"requestId": "cd69c813-51c3-4261-8e59-382a1af96f73",
 "workflowBuildVersionArn": "arn:aws:imagebuilder:us-west-2:aws:workflow/build/build-image/1.0.3/1",
 "workflowExecutionId": "wf-165b1cb6-3a62-4618-a021-94ddcbe32908",
 "imageBuildVersionArn": "arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0/1",
 "type": "BUILD", "status": "COMPLETED",
 "totalStepCount": 7, "totalStepsSucceeded": 5, "totalStepsFailed": 0, "totalStepsSkipped": 2,
 "startTime": "2026-09-09T19:12:23.175Z", "endTime": "2026-09-09T19:19:06.158Z"}`

func TestAnAnswerBecomesAnExecution(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, always(emulator.Body(200, "application/json", referenceAnswer)))
		got, err := client.GetWorkflowExecution(t.Context(), testID, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := Execution{
			ID:                      testID,
			Status:                  "COMPLETED",
			WorkflowType:            "BUILD",
			WorkflowBuildVersionARN: "arn:aws:imagebuilder:us-west-2:aws:workflow/build/build-image/1.0.3/1",
			ImageBuildVersionARN:    "arn:aws:imagebuilder:us-west-2:111122223333:image/my-example-recipe/1.0.0/1",
			Image:                   ImageBuildVersion{AccountID: "111122223333", Name: "my-example-recipe", Version: "1.0.0/1"},
			Steps:                   &StepCounts{Total: 7, Succeeded: 5, Skipped: 2},
			Start:                   time.Date(2026, 9, 9, 19, 12, 23, 175e6, time.UTC),
			End:                     time.Date(2026, 9, 9, 19, 19, 6, 158e6, time.UTC),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestPartsOfAnAnswerThatCannotBeTrue(t *testing.T) {
	replace := func(old, replacement string) string {
		if !strings.Contains(referenceAnswer, old) {
			t.Fatalf("the answer has no %s", old)
		}
		return strings.Replace(referenceAnswer, old, replacement, 1)
	}
	noType := replace(`"type": "BUILD",`, "")
	for _, c := range []struct {
		name, answer, reason string
		check                func(Execution) bool
	}{
		{"start that cannot be read", replace("2026-09-09T19:12:23.175Z", "yesterday"), reasonTimestamp, func(e Execution) bool { return e.Start.IsZero() && !e.End.IsZero() }},
		{"end that cannot be read", replace("2026-09-09T19:19:06.158Z", "1757445546"), reasonTimestamp, func(e Execution) bool { return e.End.IsZero() && !e.Start.IsZero() }},
		{"end before start", replace("2026-09-09T19:19:06.158Z", "2026-09-09T19:12:23.174Z"), reasonTimestamp, func(e Execution) bool { return e.End.IsZero() && !e.Start.IsZero() }},
		{"negative count", replace(`"totalStepsFailed": 0`, `"totalStepsFailed": -1`), reasonStepCounts, func(e Execution) bool { return e.Steps == nil && e.Status == "COMPLETED" }},
		{"more steps than there are", replace(`"totalStepCount": 7`, `"totalStepCount": 6`), reasonStepCounts, func(e Execution) bool { return e.Steps == nil }},
		{"fewer steps than there are", replace(`"totalStepsSucceeded": 5`, `"totalStepsSucceeded": 1`), "", func(e Execution) bool { return e.Steps.Succeeded == 1 }},
		{"no type", noType, "", func(e Execution) bool { return e.WorkflowType == "BUILD" }},
		{"no type and no workflow ARN", strings.Replace(noType, "workflowBuildVersionArn", "x", 1), "", func(e Execution) bool { return e.WorkflowType == "" }},
		{"type of the future", replace(`"BUILD"`, `"SCAN"`), "", func(e Execution) bool { return e.WorkflowType == "SCAN" }},
		{"status of the future", replace("COMPLETED", "PAUSED"), "", func(e Execution) bool { return e.Status == "PAUSED" && !e.Status.Final() }},
		{"no times", replace(`"startTime": "2026-09-09T19:12:23.175Z", "endTime": "2026-09-09T19:19:06.158Z"`, `"x": 1`), "", func(e Execution) bool { return e.Start.IsZero() && e.End.IsZero() }},
		{"empty times", replace("2026-09-09T19:12:23.175Z", ""), "", func(e Execution) bool { return e.Start.IsZero() }},
		{"comma before the fraction", replace("12:23.175Z", "12:23,175Z"), reasonTimestamp, func(e Execution) bool { return e.Start.IsZero() && !e.End.IsZero() }},
		{"time with an offset", replace("2026-09-09T19:12:23.175Z", "2026-09-09T21:12:23+02:00"), "", func(e Execution) bool { return e.Start.Equal(time.Date(2026, 9, 9, 19, 12, 23, 0, time.UTC)) }},
		{"ARN that is none", replace("arn:aws:imagebuilder:us-west-2:111122223333:image", "image"), "", func(e Execution) bool { return e.Image == ImageBuildVersion{} && e.ImageBuildVersionARN != "" }},
		{"id in upper case", replace("wf-165b1cb6", "wf-165B1CB6"), "", func(e Execution) bool { return e.ID == testID }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, reg := newTestClient(t, always(emulator.Body(200, "application/json", c.answer)))
				e, err := client.GetWorkflowExecution(t.Context(), testID, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !c.check(e) {
					t.Errorf("got %+v, steps %+v", e, e.Steps)
				}
				want := 0
				if c.reason != "" {
					want = 1
				}
				if got := total(t, reg, "imagebuilder_exporter_invalid_responses_total", ""); got != want {
					t.Errorf("%d invalid answers were counted, want %d", got, want)
				}
				if got := total(t, reg, "imagebuilder_exporter_invalid_responses_total", c.reason); got != want {
					t.Errorf("%d answers were counted as %s, want %d", got, c.reason, want)
				}
			})
		})
	}
}

func TestTimesAreInUTC(t *testing.T) {
	s := "2026-09-09T21:12:23+02:00"
	if got := decodeTime(&s, func(reason string) { t.Error(reason) }); got.Format(time.RFC3339) != "2026-09-09T19:12:23Z" {
		t.Errorf("%s is read as %s", s, got)
	}
}

func TestAnEndAtTheStartIsAnEnd(t *testing.T) {
	s := "2026-09-09T19:12:23.175Z"
	start, end := decodeTimes(&s, &s, func(reason string) { t.Error(reason) })
	if start.IsZero() || !start.Equal(end) {
		t.Errorf("from %s to %s", start, end)
	}
}

func TestStepCountsThatArePossible(t *testing.T) {
	for c, want := range map[StepCounts]bool{
		{}:                        true,
		{Total: 1}:                true,
		{Total: 3, Succeeded: 3}:  true,
		{Total: 3, Failed: 3}:     true,
		{Total: 3, Skipped: 3}:    true,
		{3, 1, 1, 1}:              true,
		{2, 1, 1, 1}:              false,
		{Total: 3, Succeeded: -1}: false,
		{Total: 3, Failed: -1}:    false,
		{Total: 3, Skipped: -1}:   false,
		{Total: -1}:               false,
	} {
		if got := c.possible(); got != want {
			t.Errorf("%+v: %t, want %t", c, got, want)
		}
	}
}

func TestTextsOfAnExecution(t *testing.T) {
	row := &types.WorkflowExecutionMetadata{
		WorkflowExecutionId: aws.String(testID), Status: "FAILED", Type: "TEST",
		WorkflowBuildVersionArn: aws.String("arn:aws:imagebuilder:eu-west-1:aws:workflow/build/a/1.0.0/1"),
		ParallelGroup:           aws.String("group"), Message: aws.String("why"),
	}
	got, ok := decodeListedExecution(testImage, row, func(reason string) { t.Error(reason) })
	want := Execution{
		ID: testID, Status: "FAILED", WorkflowType: "TEST", WorkflowBuildVersionARN: *row.WorkflowBuildVersionArn,
		ImageBuildVersionARN: testImage, Image: ParseImageBuildVersionARN(testImage),
		ParallelGroup: "group", Message: "why", Steps: &StepCounts{},
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
