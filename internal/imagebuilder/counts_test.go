package imagebuilder

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

func TestCountsThatArePassedOn(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"the largest number", `{"totalStepCount":2147483647}`, `{"totalStepCount":2147483647}`},
		{"one more", `{"totalStepCount":2147483648}`, `{"totalStepCount":-1}`},
		{"a number that the SDK would cut to 7", `{"totalStepCount":4294967303,"status":"A"}`, `{"totalStepCount":-1,"status":"A"}`},
		{"a number of more than 64 bits", `{"totalStepCount":99999999999999999999}`, `{"totalStepCount":-1}`},
		{"the least number", `{"totalStepsFailed":-2147483648}`, `{"totalStepsFailed":-2147483648}`},
		{"one less", `{"totalStepsFailed":-2147483649}`, `{"totalStepsFailed":-1}`},
		{"a number that the SDK would cut to 1", `{"totalStepsFailed":-4294967295}`, `{"totalStepsFailed":-1}`},
		{"a fraction", `{"totalStepsSkipped":1.5}`, `{"totalStepsSkipped":-1}`},
		{"an exponent", `{"totalStepsSucceeded":1e2}`, `{"totalStepsSucceeded":-1}`},
		{"every count", `{"totalStepsSucceeded":3e9,"totalStepsSkipped":3e9,"totalStepsFailed":3e9,"consecutiveFailures":3000000000,"failureCount":3e9,"timeoutSeconds":3e9}`, `{"totalStepsSucceeded":-1,"totalStepsSkipped":-1,"totalStepsFailed":-1,"consecutiveFailures":-1,"failureCount":-1,"timeoutSeconds":-1}`},
		{"space", "{ \"totalStepCount\" \t:\r\n 4294967303 }", "{ \"totalStepCount\" \t:\r\n -1 }"},
		{"an escaped key", `{"total\u0053tepCount":4294967303}`, `{"total\u0053tepCount":-1}`},
		{"a key of escapes", `{"` + escaped("totalStepsSucceeded") + `":4294967303}`, `{"` + escaped("totalStepsSucceeded") + `":-1}`},
		{"another key", `{"total":4294967303,"deprecationTime":4294967303.5}`, `{"total":4294967303,"deprecationTime":4294967303.5}`},
		{"a key that begins like one", `{"totalStepCounts":4294967303}`, `{"totalStepCounts":4294967303}`},
		{"a text that looks like one", `{"message":"\"totalStepCount\":4294967303","x":"\\","totalStepCount":7}`, `{"message":"\"totalStepCount\":4294967303","x":"\\","totalStepCount":7}`},
		{"a text in place of a number", `{"totalStepCount":"4294967303"}`, `{"totalStepCount":"4294967303"}`},
		{"null and a list", `{"totalStepCount":null,"totalStepsFailed":[4294967303]}`, `{"totalStepCount":null,"totalStepsFailed":[4294967303]}`},
		{"a key as a value", `{"a":"totalStepCount","b":4294967303,"c":["totalStepCount",4294967303]}`, `{"a":"totalStepCount","b":4294967303,"c":["totalStepCount",4294967303]}`},
		{"no JSON", `{"totalStepCount":42949-67303}`, `{"totalStepCount":42949-67303}`},
		{"cut off", `{"totalStepCount":42949`, `{"totalStepCount":42949`},
		{"a page of HTML", `<html lang="en">4294967303`, `<html lang="en">4294967303`},
		{"nothing", ``, ``},
	} {
		for how, reader := range map[string]io.Reader{
			"at once": strings.NewReader(c.in), "byte by byte": iotest.OneByteReader(strings.NewReader(c.in)),
			"with its end": iotest.DataErrReader(strings.NewReader(c.in)), "in halves": iotest.HalfReader(strings.NewReader(c.in)),
		} {
			got, err := io.ReadAll(&countReader{ReadCloser: io.NopCloser(reader)})
			if diff := cmp.Diff(c.want, string(got)); err != nil || diff != "" {
				t.Errorf("%s, %s: %v (-want +got):\n%s", c.name, how, err, diff)
			}
		}
	}
}

// escaped returns s with each character written as \u and its number.
func escaped(s string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String()
}

func TestAFailureBehindACount(t *testing.T) {
	failed := errors.New("reset")
	r := &countReader{ReadCloser: io.NopCloser(io.MultiReader(strings.NewReader(`{"totalStepCount":12`), iotest.ErrReader(failed)))}
	if got, err := io.ReadAll(r); string(got) != `{"totalStepCount":12` || !errors.Is(err, failed) {
		t.Errorf("%s, %v", got, err)
	}
}

// badCounts are numbers that no count can be.
var badCounts = []string{"4294967303", "2147483648", "-1", "-4294967295", "1.5", "7.0", "1e2", "99999999999999999999"}

// TestCountsThatDoNotFit are left out of an execution, and counted.
func TestCountsThatDoNotFit(t *testing.T) {
	for _, key := range []string{`"totalStepCount": 7`, `"totalStepsSucceeded": 5`, `"totalStepsFailed": 0`, `"totalStepsSkipped": 2`} {
		for _, bad := range badCounts {
			synctest.Test(t, func(t *testing.T) {
				body := strings.Replace(referenceAnswer, key, key[:strings.Index(key, ":")+1]+bad, 1)
				client, reg := newTestClient(t, always(emulator.Body(200, "application/json", body)))
				e, err := client.GetWorkflowExecution(t.Context(), testID, nil)
				if err != nil || e.Steps != nil || e.Status != "COMPLETED" || e.End.IsZero() {
					t.Errorf("%s %s: %+v, %v", key, bad, e, err)
				}
				if n := invalid(t, reg, "step_counts"); n != 1 {
					t.Errorf("%s %s: %g are counted", key, bad, n)
				}
			})
		}
	}
}

// TestCountsOfARowThatDoNotFit spoil no other row, and nothing else of their own.
func TestCountsOfARowThatDoNotFit(t *testing.T) {
	for _, bad := range badCounts {
		synctest.Test(t, func(t *testing.T) {
			bodies := map[string]string{
				"ListWorkflowExecutions": `{"requestId":"x","workflowExecutions":[
					{"workflowExecutionId":"wf-00000000-0000-0000-0000-000000000001","status":"RUNNING","totalStepCount":` + bad + `},
					{"workflowExecutionId":"wf-00000000-0000-0000-0000-000000000002","status":"RUNNING","totalStepCount":7}]}`,
				"ListImagePipelines": `{"requestId":"x","imagePipelineList":[
					{"arn":"` + testPipeline + `","consecutiveFailures":` + bad + `},{"arn":"` + testPipeline + `2","consecutiveFailures":3}]}`,
			}
			client, reg := newTestClient(t, &emulator.API{Scenario: emulator.Runs(), Fault: func(operation, _ string) http.Handler {
				return answer("%s", bodies[operation])
			}})
			executions, err := client.ListWorkflowExecutions(t.Context(), testImage, nil)
			if err != nil || len(executions) != 2 || executions[0].Steps != nil || executions[1].Steps == nil || executions[1].Steps.Total != 7 {
				t.Errorf("%s: %+v, %v", bad, executions, err)
			}
			pipelines, err := client.ListImagePipelines(t.Context(), nil)
			if err != nil || len(pipelines) != 2 || pipelines[0].ConsecutiveFailures != nil || pipelines[1].ConsecutiveFailures == nil || *pipelines[1].ConsecutiveFailures != 3 {
				t.Errorf("%s: %+v, %v", bad, pipelines, err)
			}
			if steps, failures := invalid(t, reg, "step_counts"), invalid(t, reg, "consecutive_failures"); steps != 1 || failures != 1 {
				t.Errorf("%s: %g counts of steps and %g of failures are counted", bad, steps, failures)
			}
		})
	}
}
