package imagebuilder

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

func TestTextsAreCutBetweenCharacters(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		counted        int
	}{
		{"empty", "", "", 0},
		{"the longest", strings.Repeat("x", 1024), strings.Repeat("x", 1024), 0},
		{"one byte more", strings.Repeat("x", 1025), strings.Repeat("x", 1024), 1},
		{"characters of two bytes", strings.Repeat("ü", 512), strings.Repeat("ü", 512), 0},
		{"characters of two bytes, and one more", strings.Repeat("ü", 513), strings.Repeat("ü", 512), 1},
		{"a character of two bytes at the end", strings.Repeat("x", 1023) + "ü", strings.Repeat("x", 1023), 1},
		{"a character of four bytes at the end", strings.Repeat("x", 1022) + "😀", strings.Repeat("x", 1022), 1},
		{"a megabyte", strings.Repeat("😀", 1<<18), strings.Repeat("😀", 256), 1},
	} {
		counted := 0
		got := text(c.in, func(reason string) {
			if reason == reasonTooLong {
				counted++
			}
		})
		if diff := cmp.Diff(c.want, got); diff != "" || counted != c.counted {
			t.Errorf("%s: counted %d times, want %d (-want +got):\n%s", c.name, counted, c.counted, diff)
		}
	}
}

// longTexts returns the answer of each operation with a text of 128 KiB in the place of
// every one that a row can do without.
func longTexts() map[string]any {
	type object = map[string]any
	long := strings.Repeat("ü", 1<<16)
	image := object{
		"arn": testImage, "state": object{"status": long, "reason": long}, "platform": long, "type": long, "buildType": long, "name": long,
		"sourcePipelineArn": testPipeline + long, "sourcePipelineName": long,
		"outputResources": object{"amis": []object{{"region": "eu-west-1", "image": "ami-1"}, {"region": long, "image": "ami-2"}, {"region": "eu-west-1", "image": long}}},
	}
	execution := func(n int) object {
		return object{
			"workflowExecutionId": fmt.Sprintf("wf-%08d-0000-0000-0000-000000000000", n), "status": long, "type": long, "parallelGroup": long, "message": long,
			"workflowBuildVersionArn": "arn:aws:imagebuilder:us-west-2:aws:workflow/build/" + long + "/1.0.3/1",
		}
	}
	alone := execution(0)
	alone["workflowExecutionId"], alone["imageBuildVersionArn"] = testID, testImage+long
	step := object{
		"stepExecutionId": "step-1", "workflowExecutionId": testID, "name": long, "action": long, "status": long, "rollbackStatus": long,
		"startTime": "2026-09-09T19:12:23Z",
	}
	noStep := object{"stepExecutionId": long, "workflowExecutionId": testID, "startTime": "2026-09-09T19:12:23Z"}
	pipeline := object{
		"arn": testPipeline, "name": long, "platform": long, "status": long, "lastRunStatus": long, "tags": object{"a": "b", "c": long},
	}
	return map[string]any{
		"GetWorkflowExecution":       alone,
		"GetImage":                   object{"image": image},
		"ListWorkflowExecutions":     object{"requestId": "x", "workflowExecutions": []object{execution(1)}},
		"ListWorkflowStepExecutions": object{"requestId": "x", "steps": []object{step, noStep}},
		"ListWaitingWorkflowSteps":   object{"requestId": "x", "steps": []object{step, noStep}},
		"ListImagePipelines":         object{"requestId": "x", "imagePipelineList": []object{pipeline, {"arn": testPipeline + long, "name": "a"}}},
		"ListImagePipelineImages":    object{"requestId": "x", "imageSummaryList": []object{image, {"arn": testImage + long, "state": object{"status": "NEW"}}}},
	}
}

// TestNoTextIsTooLong looks at every text of what is read, whatever it is for.
func TestNoTextIsTooLong(t *testing.T) {
	bodies := longTexts()
	for operation, c := range map[string]struct {
		call    func(*Client, context.Context) (any, error)
		counted float64
	}{
		"GetWorkflowExecution": {func(c *Client, ctx context.Context) (any, error) { return c.GetWorkflowExecution(ctx, testID, nil) }, 6},
		"GetImage":             {func(c *Client, ctx context.Context) (any, error) { return c.GetImage(ctx, testImage, nil) }, 9},
		"ListWorkflowExecutions": {func(c *Client, ctx context.Context) (any, error) {
			return c.ListWorkflowExecutions(ctx, testImage, nil)
		}, 5},
		"ListWorkflowStepExecutions": {func(c *Client, ctx context.Context) (any, error) {
			return c.ListWorkflowStepExecutions(ctx, testID, nil)
		}, 5},
		"ListWaitingWorkflowSteps": {func(c *Client, ctx context.Context) (any, error) { return c.ListWaitingWorkflowSteps(ctx, nil) }, 3},
		"ListImagePipelines":       {func(c *Client, ctx context.Context) (any, error) { return c.ListImagePipelines(ctx, nil) }, 6},
		"ListImagePipelineImages": {func(c *Client, ctx context.Context) (any, error) {
			return c.ListImagePipelineImages(ctx, testPipeline, nil)
		}, 8},
	} {
		t.Run(operation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body, err := json.Marshal(bodies[operation])
				if err != nil {
					t.Fatal(err)
				}
				if len(body) > maxResponseBytes {
					t.Fatalf("the answer has %d bytes", len(body))
				}
				client, reg := newTestClient(t, &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler {
					return emulator.Body(200, "application/json", string(body))
				}})
				got, err := c.call(client, t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if n := invalid(t, reg, "too_long"); n != c.counted {
					t.Errorf("%g texts are counted, want %g", n, c.counted)
				}
				checkTexts(t, operation, reflect.ValueOf(got))
			})
		})
	}
}

// checkTexts holds that no text in v is too long, or breaks off within a character; and that
// one that looks like an ARN is whole.
func checkTexts(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		most := maxText
		if strings.HasSuffix(path, ".Message") || strings.HasSuffix(path, ".Reason") {
			most = maxMessage
		}
		if s := v.String(); len(s) > most || !utf8.ValidString(s) || strings.HasPrefix(s, "arn:") && strings.Contains(s, "ü") {
			t.Errorf("%s has %d bytes: %.60q", path, len(s), s)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				checkTexts(t, path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Len() != 1 {
			t.Errorf("%s has %d elements, want the one that has an id", path, v.Len())
		}
		for i := range v.Len() {
			checkTexts(t, path, v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			checkTexts(t, path, key)
			checkTexts(t, path+"."+key.String(), v.MapIndex(key))
		}
	}
}

// TestOutputsAreBounded has an image with many outputs, each of them twice.
func TestOutputsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var amis []string
		for n := range maxOutputs + 2 {
			ami := fmt.Sprintf(`{"region":"eu-west-1","image":"ami-%d"}`, n)
			amis = append(amis, ami, ami)
		}
		client, reg := newTestClient(t, always(answer(`{"image":{"arn":%q,"state":{"status":"AVAILABLE"},"outputResources":{"amis":[%s]}}}`, testImage, strings.Join(amis, ","))))
		image, err := client.GetImage(t.Context(), testImage, nil)
		if err != nil || len(image.Outputs) != maxOutputs || invalid(t, reg, "outputs") != 4 {
			t.Errorf("%d outputs, %v; %g are counted", len(image.Outputs), err, invalid(t, reg, "outputs"))
		}
	})
}
