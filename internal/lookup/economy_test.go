package lookup

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// TestSixtyPipelines is discovery over empty pages and rows in no order.
func TestSixtyPipelines(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Unruly = 1
		a := &emulator.Account{}
		for p := range 60 {
			name := fmt.Sprintf("pipeline-%02d", p)
			a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN(name), Name: name})
			for n := range 40 {
				created := w.begin.Add(-time.Duration(41-n) * time.Hour)
				a.Images = append(a.Images, emulator.Image{
					ARN: imageARN(name, n+1), PipelineARN: pipelineARN(name), Created: created,
					Attempts: []emulator.Attempt{{Runs: []emulator.Run{{ID: id(p*100 + n), Start: created, Steps: steps(emulator.Succeeded)}}}},
				})
			}
		}
		target := w.discovering(a, Selection{Pipelines: all(2)})
		w.scrapeEvery(target, 10*time.Second, time.Minute)
		s := w.scrape(target)
		var want, got []string
		for p := range 60 {
			want = append(want, id(p*100+38), id(p*100+39))
		}
		for _, e := range s.Executions {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("executions (-want +got):\n%s", diff)
		}
		if len(s.Images) != 120 || len(s.Pipelines) != 60 || s.DiscoveredAt.IsZero() || s.Dropped != 0 {
			t.Errorf("%d images, %d pipelines, discovered at %s, %d dropped", len(s.Images), len(s.Pipelines), s.DiscoveredAt, s.Dropped)
		}
		for _, p := range s.Pipelines {
			if want := w.begin.Add(-2 * time.Hour); !p.LastSuccess.Equal(want) {
				t.Errorf("%s: last success %s, want %s", p.Name, p.LastSuccess, want)
			}
		}
	})
}

// TestWhatDiscoveryCosts is 200 pipelines of 60 builds each, of which nothing runs.
func TestWhatDiscoveryCosts(t *testing.T) {
	t.Parallel()
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.client.RateLimit, w.client.Burst = 20, 40
		a := &emulator.Account{}
		for p := range 200 {
			name := fmt.Sprintf("pipeline-%03d", p)
			a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN(name), Name: name})
			for n := range 60 {
				created := w.begin.Add(-time.Duration(61-n) * time.Hour)
				a.Images = append(a.Images, emulator.Image{
					ARN: imageARN(name, n+1), PipelineARN: pipelineARN(name), Created: created,
					Attempts: []emulator.Attempt{{Runs: []emulator.Run{{ID: id(p*100 + n), Start: created, Steps: steps(emulator.Succeeded)}}}},
				})
			}
		}
		target := w.discovering(a, Selection{Pipelines: all(1), Steps: StepsActive, Waiting: true})
		w.scrapeEvery(target, 15*time.Second, 10*time.Minute-time.Second)
		if s := w.scrape(target); len(s.Executions) != 200 {
			t.Fatalf("%d executions are known", len(s.Executions))
		}
		before := w.operations()
		w.scrapeEvery(target, 15*time.Second, 30*time.Minute-time.Second)
		want := map[string]int{"ListImagePipelines": 4 * 8, "ListImagePipelineImages": 4 * 200 * 3}
		if diff := cmp.Diff(want, w.since(before)); diff != "" {
			t.Errorf("requests in 20 minutes (-want +got):\n%s", diff)
		}
	})
}

// TestWhatARunningBuildCosts counts the requests for a build of two executions, one of
// which runs.
func TestWhatARunningBuildCosts(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web")}}, Images: []emulator.Image{{
			ARN: imageARN("web", 1), PipelineARN: pipelineARN("web"), Created: w.begin,
			Attempts: []emulator.Attempt{{Runs: []emulator.Run{
				{ID: id(1), Type: "BUILD", Start: w.begin, Steps: steps(emulator.Succeeded)},
				{ID: id(2), Type: "TEST", Start: w.begin.Add(time.Minute), Steps: []emulator.Step{{Name: "Step", Takes: time.Hour}}},
			}}},
		}}}
		target := w.discovering(a, Selection{Pipelines: all(1), Steps: StepsActive, Waiting: true})
		w.scrape(target)
		w.scrapeEvery(target, 5*time.Second, 2*time.Minute)
		before := w.operations()
		w.scrapeEvery(target, 5*time.Second, 12*time.Minute)
		want := map[string]int{
			"ListImagePipelines": 2, "ListImagePipelineImages": 2,
			"ListWorkflowExecutions": 60, "ListWorkflowStepExecutions": 60, "ListWaitingWorkflowSteps": 60,
		}
		if diff := cmp.Diff(want, w.since(before)); diff != "" {
			t.Errorf("requests in 10 minutes (-want +got):\n%s", diff)
		}
	})
}

func TestThousandsOfBuildsOfWhichOneIsFollowed(t *testing.T) {
	t.Parallel()
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web")}}}
		for n := range 2000 {
			a.Images = append(a.Images, made("web", n+1, w.begin.Add(-time.Duration(2001-n)*time.Hour), steps(emulator.Succeeded)))
		}
		target := w.discovering(a, Selection{Pipelines: all(1), Steps: StepsActive})
		w.expect(target, "the newest", "000007d0 COMPLETED web", "web/1.0.0/2000 AVAILABLE web")
		want := map[string]int{"ListImagePipelines": 1, "ListImagePipelineImages": 80, "ListWorkflowExecutions": 1}
		if diff := cmp.Diff(want, w.operations()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

func TestATargetOfIDsAloneAsksForNothingElse(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(&emulator.Account{Runs: []emulator.Run{running(1), ended(2)}},
			Selection{WorkflowExecutions: []string{id(1), id(2)}, Steps: StepsNone})
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, time.Hour)
		if diff := cmp.Diff(map[string]int{"GetWorkflowExecution": 362}, w.operations()); diff != "" {
			t.Errorf("requests in an hour (-want +got):\n%s", diff)
		}
	})
}

// TestWhatIsLeftBehindIsAskedForRarely is an image that has failed while one of its
// executions stays as it is for ever.
func TestWhatIsLeftBehindIsAskedForRarely(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListWorkflowExecutions", emulator.Body(200, "application/json",
			`{"requestId":"x","workflowExecutions":[{"workflowExecutionId":"`+id(1)+`","status":"PENDING"}]}`))
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))), Selection{Pipelines: all(1)})
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, 24*time.Hour)
		if n := w.operations()["ListWorkflowExecutions"]; n > 330 {
			t.Errorf("%d lists in a day", n)
		}
		w.expect(target, "it is still there", "00000001 PENDING web", "web/1.0.0/1 FAILED web")
	})
}

// TestForgottenExecutionsOfAnImage is an image that AWS knows and whose executions it
// has forgotten.
func TestForgottenExecutionsOfAnImage(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListWorkflowExecutions", emulator.Error(404, "ResourceNotFoundException", ""))
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))), Selection{Pipelines: all(1)})
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, time.Hour)
		if n := w.operations()["ListWorkflowExecutions"]; n != forgottenAfter {
			t.Errorf("%d lists in an hour, want %d", n, forgottenAfter)
		}
		w.expect(target, "the image", "web/1.0.0/1 FAILED web")
	})
}

var forever = []emulator.Step{{Name: "Step", Takes: 100000 * time.Hour}}

// TestOneNotFoundIsNotTheEnd has one 404 for the executions of an image that has ended.
func TestOneNotFoundIsNotTheEnd(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListWorkflowExecutions", emulator.Error(404, "ResourceNotFoundException", ""))
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))), Selection{Pipelines: all(1)})
		w.scrape(target)
		w.failOperation("ListWorkflowExecutions", nil)
		w.scrapeEvery(target, 15*time.Second, 24*time.Hour)
		w.expect(target, "a day after one 404", "00000001 FAILED web", "web/1.0.0/1 FAILED web")
	})
}

// TestExecutionsThatAreForgottenWhileTheyRun are polled with back-off, and so are their steps.
func TestExecutionsThatAreForgottenWhileTheyRun(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		stuck := `{"requestId":"x","workflowExecutions":[{"workflowExecutionId":"` + id(1) + `","status":"RUNNING"}]}`
		w.failOperation("ListWorkflowExecutions", emulator.Body(200, "application/json", stuck))
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))), Selection{Pipelines: all(1), Steps: StepsActive, Waiting: true})
		w.scrape(target)
		w.failOperation("ListWorkflowExecutions", emulator.Error(404, "ResourceNotFoundException", ""))
		w.scrapeEvery(target, 10*time.Second, time.Hour)
		before := w.operations()
		w.scrapeEvery(target, 10*time.Second, 2*time.Hour)
		if diff := cmp.Diff(map[string]int{"ListImagePipelines": 12, "ListImagePipelineImages": 12}, w.since(before)); diff != "" {
			t.Errorf("requests in an hour (-want +got):\n%s", diff)
		}
	})
}

// TestNothingIsAskedAboutAForgottenExecution was configured, ran, and was forgotten.
func TestNothingIsAskedAboutAForgottenExecution(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(&emulator.Account{Runs: []emulator.Run{running(1)}},
			Selection{WorkflowExecutions: []string{id(1)}, Steps: StepsActive, Waiting: true})
		w.scrape(target)
		w.failOperation("GetWorkflowExecution", emulator.Error(404, "ResourceNotFoundException", ""))
		w.scrapeEvery(target, 10*time.Second, time.Hour)
		before := w.operations()
		w.scrapeEvery(target, 10*time.Second, 2*time.Hour)
		got := w.since(before)
		if got["ListWaitingWorkflowSteps"] > 12 || got["ListWorkflowStepExecutions"] > 12 {
			t.Errorf("requests in an hour: %v", got)
		}
	})
}

// TestNothingIsAskedAboutWhatIsNotPublished is a build that is no longer published because discovery is denied.
func TestNothingIsAskedAboutWhatIsNotPublished(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), forever)), Selection{Pipelines: all(1), Steps: StepsActive, Waiting: true})
		w.scrape(target)
		w.failOperation("ListImagePipelines", emulator.Error(403, "AccessDeniedException", ""))
		w.scrapeEvery(target, 10*time.Second, time.Hour)
		before := w.operations()
		w.scrapeEvery(target, 10*time.Second, 2*time.Hour)
		if got := w.since(before); got["ListWorkflowStepExecutions"] > 0 || len(w.scrape(target).Executions) > 0 {
			t.Errorf("requests in an hour in which nothing is published: %v", got)
		}
	})
}

// TestTheCapAfterAnOutage has room again after an outage of discovery.
func TestTheCapAfterAnOutage(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web")}}}
		for n := 1; n <= 9; n++ {
			a.Images = append(a.Images, made("web", n, w.begin.Add(-time.Duration(10-n)*time.Hour), steps(emulator.Failed)))
			if n > 3 {
				a.Images[n-1].Deleted = w.begin.Add(time.Hour)
			}
		}
		target := w.discovering(a, Selection{Pipelines: all(100), MaxExecutions: 3})
		w.scrape(target)
		w.at(59 * time.Minute)
		w.failOperation("ListImagePipelines", emulator.Error(403, "AccessDeniedException", ""))
		w.scrapeEvery(target, 15*time.Second, 80*time.Minute)
		w.failOperation("ListImagePipelines", nil)
		w.scrapeEvery(target, 15*time.Second, 100*time.Minute)
		w.expect(target, "three are left, and three allowed", "00000001 FAILED web", "00000002 FAILED web", "00000003 FAILED web",
			"web/1.0.0/1 FAILED web", "web/1.0.0/2 FAILED web", "web/1.0.0/3 FAILED web")
	})
}

// TestTheCapOfImages holds before the executions are known.
func TestTheCapOfImages(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web")}}}
		for n := 1; n <= 9; n++ {
			a.Images = append(a.Images, made("web", n, w.begin.Add(-time.Duration(10-n)*time.Hour), steps(emulator.Failed)))
		}
		w.failOperation("ListWorkflowExecutions", emulator.Hang())
		target := w.discovering(a, Selection{Pipelines: all(100), MaxExecutions: 3})
		if s := w.scrape(target); len(s.Images) > 3 {
			t.Errorf("%d images, at most 3", len(s.Images))
		}
	})
}

func TestConfiguredExecutionsDoNotCountForTheCap(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web")}}}
		for n := 1; n <= 3; n++ {
			a.Images = append(a.Images, made("web", n, w.begin.Add(-time.Duration(10-n)*time.Hour), steps(emulator.Failed)))
		}
		target := w.discovering(a, Selection{Pipelines: all(100), MaxExecutions: 2, WorkflowExecutions: []string{id(1)}})
		if s := w.scrape(target); s.Dropped != 0 || len(s.Executions) != 3 {
			t.Errorf("%d dropped, %d published, of 3", s.Dropped, len(s.Executions))
		}
	})
}

// TestARetryOfWhatWasLeftBehind is followed as closely as any build.
func TestARetryOfWhatWasLeftBehind(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		image := made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))
		image.Attempts = append(image.Attempts, emulator.Attempt{
			Start: w.begin.Add(3*time.Hour + 10*time.Second), Runs: []emulator.Run{{ID: id(2), Start: w.begin.Add(3*time.Hour + 10*time.Second), Steps: forever}},
		})
		w.failOperation("ListWorkflowExecutions", emulator.Body(200, "application/json",
			`{"requestId":"x","workflowExecutions":[{"workflowExecutionId":"`+id(1)+`","status":"PENDING"}]}`))
		target := w.discovering(web(image), Selection{Pipelines: all(1)})
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, 3*time.Hour+4*time.Minute+50*time.Second)
		for s := w.scrape(target); s.Images[0].Status != "BUILDING"; s = w.scrape(target) {
			w.at(w.now() + 10*time.Second)
		}
		before := w.operations()
		w.scrapeEvery(target, 10*time.Second, w.now()+4*time.Minute)
		if n := w.since(before)["ListWorkflowExecutions"]; n < 20 {
			t.Errorf("%d lists in 4 minutes in which the image is building", n)
		}
	})
}

// TestStepsThatAreNotFound of an execution that has ended.
func TestStepsThatAreNotFound(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListWorkflowStepExecutions", emulator.Error(404, "ResourceNotFoundException", ""))
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))), Selection{Pipelines: all(1), Steps: StepsActive})
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, 24*time.Hour)
		if n := w.operations()["ListWorkflowStepExecutions"]; n > 24 {
			t.Errorf("%d lists of steps in a day", n)
		}
	})
}

func TestRefusedCredentialsAreNotRenewedForEachLookup(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		runs, ids := allRunning(100)
		w.behindRole(emulator.Runs(runs...))
		w.client.Concurrency, w.client.RateLimit, w.client.Burst = 10, 20, 40
		w.failOperation("GetWorkflowExecution", emulator.Error(403, "UnrecognizedClientException", ""))
		target := w.target(ids...)
		w.scrapeEvery(target, 15*time.Second, 10*time.Minute)
		if n := w.operations()["AssumeRole"]; n > 60 {
			t.Errorf("AssumeRole %d times in 10 minutes", n)
		}
	})
}

// TestStepsAreBackWithTheCredentials after they were missing for long.
func TestStepsAreBackWithTheCredentials(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.behindRole(emulator.Runs(running(1)))
		target := w.targetWith(Selection{WorkflowExecutions: []string{id(1)}, Steps: StepsActive, MaxExecutions: 1})
		w.scrape(target)
		w.failOperation("AssumeRole", emulator.Error(403, "AccessDenied", ""))
		w.scrapeEvery(target, 10*time.Second, 91*time.Minute)
		w.failOperation("AssumeRole", nil)
		w.scrapeEvery(target, 10*time.Second, 92*time.Minute)
		if s := w.scrape(target); s.Executions[0].Value == nil || s.Executions[0].Steps == nil {
			t.Errorf("a minute after: %+v", s.Executions[0])
		}
	})
}

// TestReasonsThatDifferAreNoRetry has an image of which two sources say more and less.
func TestReasonsThatDifferAreNoRetry(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		image := made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))
		w.failOperation("GetImage", emulator.Body(200, "application/json",
			`{"requestId":"x","image":{"arn":"`+image.ARN+`","state":{"status":"FAILED","reason":"more than the list says"}}}`))
		target := w.discovering(web(image), Selection{Pipelines: all(1), Images: []string{image.ARN}, Steps: StepsActive})
		w.scrape(target)
		w.scrapeEvery(target, 10*time.Second, 10*time.Minute)
		before := w.operations()
		w.scrapeEvery(target, 10*time.Second, 70*time.Minute)
		if n := w.since(before)["ListWorkflowExecutions"]; n > 0 {
			t.Errorf("%d lists in an hour in which nothing happens", n)
		}
	})
}

// TestImagesInAnUnknownState are polled at an interval that grows.
func TestImagesInAnUnknownState(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		var rows []string
		for n := range 25 {
			rows = append(rows, fmt.Sprintf(`{"arn":%q,"state":{"status":"ARCHIVED"}}`, imageARN("web", n+1)))
		}
		w.failOperation("ListImagePipelineImages", emulator.Body(200, "application/json", `{"requestId":"x","imageSummaryList":[`+strings.Join(rows, ",")+`]}`))
		w.failOperation("ListWorkflowExecutions", emulator.Body(200, "application/json", `{"requestId":"x","workflowExecutions":[]}`))
		target := w.discovering(&emulator.Account{Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web")}}}, Selection{Pipelines: all(1)})
		w.scrape(target)
		before := w.operations()
		w.scrapeEvery(target, 10*time.Second, time.Hour)
		if n := w.since(before)["ListWorkflowExecutions"]; n > 1200 {
			t.Errorf("%d lists in an hour, for builds: 1", n)
		}
	})
}

func TestARoleIsRenewedBehindASlowRate(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		runs, ids := allRunning(100)
		w.behindRole(emulator.Runs(runs...))
		w.client.Concurrency, w.client.RateLimit, w.client.Burst = 10, 0.5, 1
		target := w.target(ids...)
		w.scrapeEvery(target, 15*time.Second, 3*time.Hour)
		if w.logs.Len() > 0 {
			t.Errorf("without any failure of AWS:\n%s", &w.logs)
		}
	})
}
