package collector_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// invalid returns what is counted as invalid, by reason, without the reasons of which there
// was nothing.
func invalid(w families) map[string]float64 {
	counted := w.samples("imagebuilder_exporter_invalid_responses_total", "reason")
	for reason, n := range counted {
		if n == 0 {
			delete(counted, reason)
		}
	}
	return counted
}

// TestWhatPrometheusSeesOfANumberThatDoesNotFit has an execution by its id, one of an image,
// and a pipeline, each with such a number and beside one that is well.
func TestWhatPrometheusSeesOfANumberThatDoesNotFit(t *testing.T) {
	const (
		execution = `{"workflowExecutionId":%q,"status":"RUNNING","totalStepCount":%s,"startTime":"2000-01-01T00:00:00Z"}`
		pipeline  = `{"arn":"arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/%[1]s","name":%[1]q,"status":"ENABLED","consecutiveFailures":%[2]s}`
		tooLarge  = "4294967303"
	)
	executionOf := func(n int, count string) string { return fmt.Sprintf(execution, lookuptest.ID(n), count) }
	synctest.Test(t, func(t *testing.T) {
		bodies := map[string]string{
			"GetWorkflowExecution " + lookuptest.ID(1): executionOf(1, tooLarge),
			"GetWorkflowExecution " + lookuptest.ID(2): executionOf(2, "7"),
			"ListWorkflowExecutions " + unboundedImage: `{"requestId":"x","workflowExecutions":[` + executionOf(3, tooLarge) + `,` + executionOf(4, "7") + `]}`,
			"GetImage " + unboundedImage:               `{"requestId":"x","image":{"arn":"` + unboundedImage + `","state":{"status":"BUILDING"}}}`,
			"ListImagePipelines ":                      `{"requestId":"x","imagePipelineList":[` + fmt.Sprintf(pipeline, "a", tooLarge) + `,` + fmt.Sprintf(pipeline, "b", "3") + `]}`,
			"ListWaitingWorkflowSteps ":                `{"steps":[]}`,
			"ListWorkflowStepExecutions":               `{"requestId":"x","steps":[]}`,
			"ListImagePipelineImages":                  `{"requestId":"x","imageSummaryList":[]}`,
		}
		api := &emulator.API{Scenario: emulator.Runs(), Fault: func(operation, subject string) http.Handler {
			body, ok := bodies[operation+" "+subject]
			if !ok {
				body = bodies[operation]
			}
			return emulator.Body(200, "application/json", body)
		}}
		s := newScraped()
		s.addIDs(t, lookuptest.Config{API: api, Selection: lookup.Selection{
			Images: []string{unboundedImage}, Pipelines: []lookup.Selector{{Tags: map[string]string{}, Builds: 1}},
		}}, lookuptest.ID(1), lookuptest.ID(2))
		w := s.scrape(t)
		steps := map[string]float64{lookuptest.ID(2): 7, lookuptest.ID(4): 7}
		if diff := cmp.Diff(steps, w.samples("imagebuilder_workflow_execution_steps", "workflow_execution_id")); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]float64{"b": 3}, w.samples("imagebuilder_pipeline_consecutive_failures", "pipeline")); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
		for n := range 4 {
			id := lookuptest.ID(n + 1)
			for metric, want := range map[string]float64{"info": 1, "lookup_success": 1, "start_timestamp_seconds": 946684800} {
				if got := w.samples("imagebuilder_workflow_execution_"+metric, "workflow_execution_id")[id]; got != want {
					t.Errorf("%s of %s is %g, want %g", metric, id, got, want)
				}
			}
		}
		if diff := cmp.Diff(map[string]float64{"step_counts": 2, "consecutive_failures": 1}, invalid(w)); diff != "" {
			t.Errorf("what is counted (-want +got):\n%s", diff)
		}
	})
}

// TestExecutionsWithTooManySteps have none: a part would not be the truth. They spoil
// neither the scrape nor an execution beside them, and cost a bounded number of requests.
func TestExecutionsWithTooManySteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const executions, scrapes = 5, 3
		many, few := make([]emulator.Step, 700), make([]emulator.Step, 625)
		many[0].Takes, few[0].Takes = time.Hour, time.Hour
		var runs []emulator.Run
		var ids []string
		for n := range executions + 1 {
			run := emulator.Run{ID: lookuptest.ID(n), Start: time.Now(), Steps: many}
			if n == executions {
				run.Steps = few
			}
			runs, ids = append(runs, run), append(ids, run.ID)
		}
		api := &emulator.API{Scenario: emulator.Runs(runs...)}
		s := newScraped()
		s.addIDs(t, lookuptest.Config{
			API: api, Selection: lookup.Selection{Steps: lookup.StepsActive},
			Limits: imagebuilder.Limits{Concurrency: 10, Burst: 1, Timeout: 10 * time.Second},
		}, ids...)
		begin := time.Now()
		for n := range scrapes {
			<-time.After(time.Until(begin.Add(time.Duration(n) * 15 * time.Second)))
			w := s.scrape(t)
			if diff := cmp.Diff(map[string]float64{ids[executions]: 1}, w.samples("imagebuilder_workflow_step_info", "workflow_execution_id")); diff != "" {
				t.Errorf("scrape %d: executions with steps (-want +got):\n%s", n, diff)
			}
			if shown := w.samples("imagebuilder_workflow_step_info", "step_execution_id"); len(shown) != 625 {
				t.Errorf("scrape %d: there are %d steps", n, len(shown))
			}
			if published := w.samples("imagebuilder_workflow_execution_steps", "workflow_execution_id"); len(published) != executions+1 {
				t.Errorf("scrape %d: there are %d executions", n, len(published))
			}
		}
		requests := api.Requests("ListWorkflowStepExecutions")
		if lists := requests / 25; requests%25 != 0 || lists > scrapes*(executions+1) || invalid(gather(t, s.own))["pages"] != float64(lists-scrapes) {
			t.Errorf("%d requests for steps; counted: %v", requests, invalid(gather(t, s.own)))
		}
	})
}

// TestLabelsAreBounded has a step and a pipeline with a name of a megabyte.
func TestLabelsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("ü", 1<<19)
		good := emulator.Runs(emulator.Run{ID: lookuptest.ID(1), Start: time.Now(), Steps: []emulator.Step{{Takes: time.Hour}}})
		api := &emulator.API{Scenario: good, Fault: func(operation, _ string) http.Handler {
			switch operation {
			case "ListWorkflowStepExecutions":
				return emulator.Body(200, "application/json", `{"requestId":"x","steps":[{"stepExecutionId":"step-1","name":"`+long+`"},{"stepExecutionId":"`+long+`"}]}`)
			case "ListImagePipelines":
				return emulator.Body(200, "application/json", `{"requestId":"x","imagePipelineList":[{"arn":"arn:1","name":"`+long+`","tags":{"team":"a"}}]}`)
			}
			return nil
		}}
		s := newScraped()
		s.addIDs(t, lookuptest.Config{API: api, Selection: lookup.Selection{
			Steps: lookup.StepsActive, Pipelines: []lookup.Selector{{Tags: map[string]string{"team": "a"}, Builds: 1}},
		}}, lookuptest.ID(1))
		w := s.scrape(t)
		for metric, label := range map[string]string{"imagebuilder_workflow_step_info": "step", "imagebuilder_pipeline_info": "pipeline"} {
			if diff := cmp.Diff(map[string]float64{long[:1024]: 1}, w.samples(metric, label)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", metric, diff)
			}
		}
		if diff := cmp.Diff(map[string]float64{"too_long": 3}, invalid(w)); diff != "" {
			t.Errorf("what is counted (-want +got):\n%s", diff)
		}
	})
}

// TestHostileFailuresAreBounded has an image whose failure is described by what no service
// would say: 40,000 regions, names of half a megabyte, HTML, escapes and
// new lines.
func TestHostileFailuresAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("x", 1<<19)
		regions := []string{`{"region":"` + long + `"}`, `{"region":"` + long + `1"}`}
		for n := range 40_000 {
			regions = append(regions, fmt.Sprintf(`{"region":"\u001b[31m\n<b>%d"}`, n))
		}
		failure := `{"imageStatus":"BUILDING","failedStep":"<script>\u001b[2J\r\n\"","componentFailure":{"componentArn":"` + long + `"},
			"distributionFailure":{"regionFailures":[` + strings.Join(regions, ",") + `]}}`
		api := &emulator.API{Scenario: emulator.Runs(), Fault: func(operation, _ string) http.Handler {
			if operation != "GetImage" {
				return emulator.Error(404, "ResourceNotFoundException", "")
			}
			return emulator.Body(200, "application/json", `{"requestId":"x","image":{"arn":"`+unboundedImage+`","state":{"status":"FAILED","failureContext":`+failure+`}}}`)
		}}
		s := newScraped()
		s.addIDs(t, lookuptest.Config{API: api, Selection: lookup.Selection{Images: []string{unboundedImage}}})
		w := s.scrape(t)
		want := map[string]float64{"<script>\x1b[2J\r\n\"  BUILDING": 1}
		if diff := cmp.Diff(want, w.samples("imagebuilder_image_failure_info", "step", "component_arn", "stage")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		published := w.samples("imagebuilder_image_distribution_failure_info", "output_region")
		if len(published) != 1000 || published[long[:1024]] != 1 || published["\x1b[31m\n<b>0"] != 1 {
			t.Errorf("%d regions are published", len(published))
		}
		// The ARN and two regions; what is beyond the last region that is published.
		if diff := cmp.Diff(map[string]float64{"too_long": 3, "failure_context": 1}, invalid(w)); diff != "" {
			t.Errorf("what is counted (-want +got):\n%s", diff)
		}
	})
}
