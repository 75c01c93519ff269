package imagebuilder

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

const (
	testImage    = "arn:aws:imagebuilder:eu-west-1:111122223333:image/web/1.0.0/1"
	testPipeline = "arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/web"
)

// calls has the lists, each with a subject of its own.
var calls = map[string]func(c *Client, ctx context.Context) (rows int, err error){
	"ListWorkflowExecutions": func(c *Client, ctx context.Context) (int, error) {
		rows, err := c.ListWorkflowExecutions(ctx, testImage, nil)
		return len(rows), err
	},
	"ListWorkflowStepExecutions": func(c *Client, ctx context.Context) (int, error) {
		rows, err := c.ListWorkflowStepExecutions(ctx, testID, nil)
		return len(rows), err
	},
	"ListWaitingWorkflowSteps": func(c *Client, ctx context.Context) (int, error) {
		rows, err := c.ListWaitingWorkflowSteps(ctx, nil)
		return len(rows), err
	},
	"ListImagePipelines": func(c *Client, ctx context.Context) (int, error) {
		rows, err := c.ListImagePipelines(ctx, nil)
		return len(rows), err
	},
	"ListImagePipelineImages": func(c *Client, ctx context.Context) (int, error) {
		rows, err := c.ListImagePipelineImages(ctx, testPipeline, nil)
		return len(rows), err
	},
	"GetWorkflowStepExecution": func(c *Client, ctx context.Context) (int, error) {
		_, err := c.GetWorkflowStepExecution(ctx, testStep, nil)
		return 1, err
	},
	"ListImages": func(c *Client, ctx context.Context) (int, error) {
		rows, err := c.ListImages(ctx, nil)
		return len(rows), err
	},
	"ListImageBuildVersions": func(c *Client, ctx context.Context) (int, error) {
		rows, err := c.ListImageBuildVersions(ctx, strings.TrimSuffix(testImage, "/1"), nil)
		return len(rows), err
	},
	"GetImage": func(c *Client, ctx context.Context) (int, error) {
		_, err := c.GetImage(ctx, testImage, nil)
		return 1, err
	},
}

func answer(format string, args ...any) http.Handler {
	return emulator.Body(200, "application/json", fmt.Sprintf(format, args...))
}

// TestAnswersThatCannotBeUsed has what a list must not be taken for.
func TestAnswersThatCannotBeUsed(t *testing.T) {
	for _, c := range []struct {
		name, body string
		class      Class
		except     string // the beginning of operations to whose answers it says nothing wrong
	}{
		{"nothing", "", Invalid, ""},
		{"an empty object", "{}", Invalid, ""},
		{"text", "oops", Unavailable, ""},
		{"a list in place of an object", "[]", Invalid, ""},
		{"a page that names itself", `{"requestId":"x","nextToken":"again","steps":[],"stepExecutionId":"` + testStep + `","image":{"arn":"` + testImage + `","state":{"status":"AVAILABLE"}}}`, Invalid, "Get"},
	} {
		for operation, call := range calls {
			if c.except != "" && strings.HasPrefix(operation, c.except) {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				client, _ := newTestClient(t, always(answer("%s", c.body)))
				_, err := call(client, t.Context())
				var e *Error
				if !errors.As(err, &e) || e.Class != c.class || string(e.Operation) != operation {
					t.Errorf("%s, %s: %v, want class %s", operation, c.name, err, c.class)
				}
			})
		}
	}
}

func TestAnswersAboutSomethingElse(t *testing.T) {
	for operation, body := range map[string]string{
		"ListWorkflowExecutions":     `{"requestId":"x","imageBuildVersionArn":"` + testImage + `1","workflowExecutions":[]}`,
		"ListWorkflowStepExecutions": `{"requestId":"x","workflowExecutionId":"wf-065b1cb6-3a62-4618-a021-94ddcbe32908","steps":[]}`,
		"GetImage":                   `{"requestId":"x","image":{"arn":"` + testImage + `1","state":{"status":"AVAILABLE"}}}`,
		"GetWorkflowStepExecution":   `{"requestId":"x","stepExecutionId":"step-another"}`,
	} {
		synctest.Test(t, func(t *testing.T) {
			client, reg := newTestClient(t, always(answer("%s", body)))
			if _, err := calls[operation](client, t.Context()); !errors.Is(err, Invalid) {
				t.Errorf("%s: %v, want class invalid", operation, err)
			}
			if n := invalid(t, reg, "foreign_id"); n != 1 {
				t.Errorf("%s: %g foreign ids are counted", operation, n)
			}
		})
	}
}

// invalid returns how many answers were left out for a reason.
func invalid(t *testing.T, reg prometheus.Gatherer, reason string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "imagebuilder_exporter_invalid_responses_total" && m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// TestRowsThatCannotBeUsed are left out and counted, and the others are read.
func TestRowsThatCannotBeUsed(t *testing.T) {
	for operation, c := range map[string]struct {
		key        string
		good, twin string
		bad        []string
	}{
		"ListWorkflowExecutions": {
			"workflowExecutions", `{"workflowExecutionId":"` + testID + `","status":"PAUSED"}`, `{"workflowExecutionId":"WF-` + testID[3:] + `","status":"RUNNING"}`,
			[]string{`{}`, `{"status":"RUNNING"}`, `{"workflowExecutionId":"` + testID + `"}`, `{"workflowExecutionId":"1","status":"RUNNING"}`, `{"workflowExecutionId":"WF-` + testID[3:] + `","status":"RUNNING"}`},
		},
		"ListWorkflowStepExecutions": {
			"steps", `{"stepExecutionId":"step-1","name":"A","status":"WAITING"}`, `{"stepExecutionId":"step-1"}`,
			[]string{`{}`, `{"name":"A","status":"RUNNING"}`},
		},
		"ListWaitingWorkflowSteps": {
			"steps",
			`{"stepExecutionId":"step-1","workflowExecutionId":"` + testID + `","startTime":"2026-09-09T19:12:23.175Z"}`, `{"stepExecutionId":"step-1","workflowExecutionId":"` + testID + `","startTime":"2026-09-09T19:12:23.175Z"}`,
			[]string{`{}`, `{"stepExecutionId":"step-2","workflowExecutionId":"` + testID + `"}`, `{"stepExecutionId":"step-2","workflowExecutionId":"1","startTime":"2026-09-09T19:12:23.175Z"}`, `{"stepExecutionId":"step-2","workflowExecutionId":"` + testID + `","startTime":"soon"}`},
		},
		"ListImagePipelines": {
			"imagePipelineList", `{"arn":"` + testPipeline + `"}`, `{"arn":"` + testPipeline + `","name":"Web"}`,
			[]string{`{}`, `{"name":"Web"}`, `{"arn":"web"}`},
		},
		"ListImagePipelineImages": {
			"imageSummaryList", `{"arn":"` + testImage + `","state":{"status":"NEW"}}`, `{"arn":"` + testImage + `","state":{"status":"NEW"}}`,
			[]string{
				`{}`, `{"arn":"` + strings.TrimSuffix(testImage, "/1") + `","state":{"status":"NEW"}}`, `{"arn":"` + testImage + `"}`, `{"arn":"` + testImage + `","state":{}}`, `{"arn":"x","state":{"status":"NEW"}}`,
				`{"arn":"arn:aws:imagebuilder:us-east-1:111122223333:image/web/1.0.0/1","state":{"status":"NEW"}}`,
				`{"arn":"arn:aws:imagebuilder:eu-west-1:111122223333:image/ \n/1/ü","state":{"status":"NEW"}}`,
			},
		},
		"ListImages": {
			"imageVersionList", `{"arn":"` + strings.TrimSuffix(testImage, "/1") + `","name":"My Web"}`, `{"arn":"` + strings.TrimSuffix(testImage, "/1") + `","name":"My Web"}`,
			[]string{
				`{}`, `{"name":"web"}`, `{"arn":"` + testImage + `"}`, `{"arn":"` + testPipeline + `"}`, `{"arn":"arn:aws:imagebuilder:us-east-1:111122223333:image/web/1.0.0"}`,
				`{"arn":"` + strings.TrimSuffix(testImage, "/1") + `","dateCreated":"soon"}`,
			},
		},
		"ListImageBuildVersions": {
			"imageSummaryList", `{"arn":"` + testImage + `","state":{"status":"NEW"}}`, `{"arn":"` + testImage + `","state":{"status":"NEW"}}`,
			[]string{
				`{"arn":"arn:aws:imagebuilder:eu-west-1:111122223333:image/another/1.0.0/1","state":{"status":"NEW"}}`,
				`{"arn":"arn:aws:imagebuilder:eu-west-1:111122223333:image/website/1.0.0/1","state":{"status":"NEW"}}`,
			},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			rows := append([]string{c.good, c.twin}, c.bad...)
			if operation == "ListWorkflowExecutions" {
				rows[1] = c.good
			}
			client, reg := newTestClient(t, always(answer(`{"requestId":"x",%q:[%s]}`, c.key, strings.Join(rows, ","))))
			n, err := calls[operation](client, t.Context())
			if err != nil || n != 1 {
				t.Errorf("%s: %d rows, %v; want 1", operation, n, err)
			}
			if n := invalid(t, reg, "empty") + invalid(t, reg, "timestamp") + invalid(t, reg, "foreign_id"); int(n) != len(c.bad) {
				t.Errorf("%s: %g of %d bad rows are counted", operation, n, len(c.bad))
			}
		})
	}
}

func TestWhatAListTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bodies := map[string]string{
			"ListImagePipelines": `{"requestId":"x","imagePipelineList":[{"arn":"` + testPipeline + `","name":"My Web","platform":"Linux","status":"ENABLED",
				"tags":{"a":"b"},"lastRunStatus":"FAILED","consecutiveFailures":3,"dateLastRun":"2026-09-09T19:12:23.175Z","dateNextRun":"2026-09-09T19:12:23.175Z"}]}`,
			"GetImage": `{"requestId":"x","image":{"arn":"` + testImage + `","name":"My Web","platform":"Linux","type":"AMI","buildType":"SCHEDULED",
				"state":{"status":"FAILED","reason":"why"},"dateCreated":"2026-09-09T19:12:23.175Z","sourcePipelineArn":"` + testPipeline + `",
				"outputResources":{"amis":[{"region":"eu-west-1","image":"ami-1"},{"region":"eu-west-1","image":"ami-1"},{"region":"eu-west-1"}],
				"containers":[{"region":"eu-west-1","imageUris":["a:1","a:2"]}]}}}`,
			"ListWorkflowStepExecutions": `{"requestId":"x","steps":[{"stepExecutionId":"step-1","name":"A","action":"WaitForAction","status":"WAITING","rollbackStatus":"RUNNING",
				"startTime":"2026-09-09T19:12:23.175Z","endTime":"2026-09-09T19:12:22.175Z","inputs":"secret","outputs":"secret","message":"for people"}]}`,
		}
		client, reg := newTestClient(t, &emulator.API{Scenario: emulator.Runs(), Fault: func(operation, _ string) http.Handler {
			return answer("%s", bodies[operation])
		}})
		at := time.Date(2026, 9, 9, 19, 12, 23, 175e6, time.UTC)
		three := 3
		pipelines, err := client.ListImagePipelines(t.Context(), nil)
		if diff := cmp.Diff([]Pipeline{{
			ARN: testPipeline, Name: "My Web", Platform: "Linux", Status: "ENABLED", Tags: map[string]string{"a": "b"},
			LastRunStatus: ImageFailed, ConsecutiveFailures: &three, LastRun: at, NextRun: at,
		}}, pipelines); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		image, err := client.GetImage(t.Context(), testImage, nil)
		if diff := cmp.Diff(Image{
			ARN: testImage, Build: ImageBuildVersion{AccountID: "111122223333", Name: "web", Version: "1.0.0/1"},
			Status: ImageFailed, Reason: "why", Platform: "Linux", Type: "AMI", BuildType: "SCHEDULED", Created: at,
			Outputs:           []Output{{Region: "eu-west-1", ID: "ami-1"}, {Region: "eu-west-1", ID: "a:1"}, {Region: "eu-west-1", ID: "a:2"}},
			SourcePipelineARN: testPipeline, SourcePipelineName: "web",
		}, image); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		steps, err := client.ListWorkflowStepExecutions(t.Context(), testID, nil)
		if diff := cmp.Diff([]Step{{ID: "step-1", Name: "A", Action: "WaitForAction", Status: "WAITING", RollbackStatus: "RUNNING", Message: "for people", Start: at}}, steps); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if n := invalid(t, reg, "timestamp"); n != 1 {
			t.Errorf("%g bad times are counted, want the end before its start", n)
		}
	})
}

// TestDiscoveryHasAQuarterOfTheRate lists a hundred pages.
func TestDiscoveryHasAQuarterOfTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := &emulator.Account{}
		for n := range 2500 {
			account.Pipelines = append(account.Pipelines, emulator.Pipeline{ARN: fmt.Sprint(testPipeline, n)})
		}
		client, _ := newClientWith(t, &emulator.API{Scenario: account}, ClientConfig{Limits: Limits{Concurrency: 10, RateLimit: 20, Burst: 40, Timeout: time.Second}})
		begin := time.Now()
		pipelines, err := client.ListImagePipelines(t.Context(), nil)
		// 10 at once, then 5 a second.
		if took := time.Since(begin); len(pipelines) != 2500 || err != nil || took != 18*time.Second {
			t.Errorf("%d pipelines after %s, %v; want 2500 after 18s", len(pipelines), took, err)
		}
	})
}
