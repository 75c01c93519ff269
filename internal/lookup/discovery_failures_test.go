package lookup

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// TestADiscoveryThatFails keeps the last selection for as long as values are kept.
func TestADiscoveryThatFails(t *testing.T) {
	for _, operation := range []string{"ListImagePipelines", "ListImagePipelineImages"} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			target := w.discovering(web(
				made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded)),
				made("web", 2, w.begin.Add(-time.Minute), []emulator.Step{{Takes: 1000 * time.Hour}}),
			), Selection{Pipelines: all(1)})
			known := []string{"00000001 COMPLETED web", "00000002 RUNNING web", "web/1.0.0/1 AVAILABLE web", "web/1.0.0/2 BUILDING web"}
			first := w.expect(target, "at the start", known...)
			w.failOperation(operation, emulator.Error(403, "AccessDeniedException", ""))
			w.scrapeEvery(target, 15*time.Second, 9*time.Minute+45*time.Second)
			s := w.expect(target, "the last selection", known...)
			if !s.Up || !s.DiscoveredAt.Equal(first.DiscoveredAt) {
				t.Errorf("up %t, discovered at %s, at first at %s", s.Up, s.DiscoveredAt, first.DiscoveredAt)
			}
			w.scrapeEvery(target, 15*time.Second, 10*time.Minute+15*time.Second)
			w.expect(target, "it is too old")
			w.scrapeEvery(target, 15*time.Second, 11*time.Minute+30*time.Second)
			if s := w.scrape(target); s.Up && operation == "ListImagePipelines" {
				t.Error("up, while everything that is asked is denied")
			}
			before := w.operations()
			w.failOperation(operation, nil)
			w.scrapeEvery(target, 15*time.Second, 13*time.Minute)
			if s := w.expect(target, "it is back", known...); !s.Up || !s.DiscoveredAt.After(first.DiscoveredAt) {
				t.Errorf("up %t, discovered at %s", s.Up, s.DiscoveredAt)
			}
			if n := w.since(before)["ListWorkflowExecutions"]; n > 11 {
				t.Errorf("%d lists of executions; the build that had ended is known", n)
			}
		})
	}
}

// TestOnePipelineThatIsDeniedDoesNotDarkenTheTarget although its retries are refreshes in
// which everything is denied.
func TestOnePipelineThatIsDeniedDoesNotDarkenTheTarget(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := &emulator.Account{}
		for n, name := range []string{"a", "b", "c"} {
			a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN(name)})
			a.Images = append(a.Images, made(name, n, w.begin.Add(-time.Hour), steps(emulator.Succeeded)))
		}
		w.fail(pipelineARN("b"), emulator.Error(403, "AccessDeniedException", ""))
		target := w.discovering(a, Selection{Pipelines: all(1)})
		for range 80 {
			if s := w.scrape(target); !s.Up || len(s.Executions) != 2 {
				t.Fatalf("after %s: up %t", w.now(), s.Up)
			}
			w.at(w.now() + 15*time.Second)
		}
		w.fail("", emulator.Error(403, "AccessDeniedException", ""))
		w.scrapeEvery(target, 15*time.Second, w.now()+6*time.Minute)
		if w.scrape(target).Up {
			t.Error("up, while everything is denied")
		}
	})
}

func TestOnePipelineThatFailsSpoilsNoOther(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fail(pipelineARN("b"), emulator.Error(500, "ServiceException", ""))
		b := made("b", 2, w.begin.Add(-time.Hour), steps(emulator.Succeeded))
		target := w.discovering(&emulator.Account{
			Pipelines: []emulator.Pipeline{{ARN: pipelineARN("a")}, {ARN: pipelineARN("b")}},
			Images:    []emulator.Image{made("a", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded)), b},
		}, Selection{Pipelines: all(1)})
		s := w.expect(target, "the other one", "00000001 COMPLETED a", "a/1.0.0/1 AVAILABLE a")
		if !s.Up || !s.DiscoveredAt.IsZero() || len(s.Pipelines) != 2 {
			t.Errorf("up %t, discovered at %s, %d pipelines", s.Up, s.DiscoveredAt, len(s.Pipelines))
		}
	})
}

// TestAnEmptyListIsNotAnEmptyAnswer holds that a list must say that it is one.
func TestAnEmptyListIsNotAnEmptyAnswer(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded))), Selection{Pipelines: all(1)})
		w.scrape(target)
		for _, operation := range []string{"ListImagePipelines", "ListImagePipelineImages", "ListWorkflowExecutions"} {
			w.failOperation(operation, emulator.Body(200, "application/json", ""))
		}
		w.scrapeEvery(target, 15*time.Second, 6*time.Minute)
		w.expect(target, "after empty answers", "00000001 COMPLETED web", "web/1.0.0/1 AVAILABLE web")
	})
}

// TestAScrapeIsNotLateWhileDiscoveryIsSlow has an API that takes seconds for a page.
func TestAScrapeIsNotLateWhileDiscoveryIsSlow(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1))
		account := &emulator.Account{Runs: []emulator.Run{running(1)}}
		for n := range 100 {
			account.Pipelines = append(account.Pipelines, emulator.Pipeline{ARN: pipelineARN(fmt.Sprintf("p-%d", n))})
		}
		w.client.Concurrency = 4
		target := w.discovering(account, Selection{Pipelines: all(1), WorkflowExecutions: []string{id(1)}})
		w.failOperation("ListImagePipelineImages", emulator.Hang())
		begin := time.Now()
		s := w.scrape(target)
		if took := time.Since(begin); took != 9500*time.Millisecond || s.Executions[0].Value == nil {
			t.Errorf("the first scrape took %s, and has %v", took, told(s))
		}
		w.failOperation("ListImagePipelineImages", nil)
		w.scrapeEvery(target, 15*time.Second, 2*time.Minute)
		w.failOperation("ListImagePipelineImages", emulator.Hang())
		w.scrapeEvery(target, 15*time.Second, 5*time.Minute)
		for range 4 {
			w.at(w.now() + 15*time.Second)
			begin := time.Now()
			if s, took := w.scrape(target), time.Since(begin); took > discoveryWait || time.Since(s.Executions[0].ReadAt) > discoveryWait {
				t.Errorf("a scrape while discovery hangs took %s", took)
			}
		}
	})
}

// TestOptionalListsThatAreDenied cost their families, and nothing else.
func TestOptionalListsThatAreDenied(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		denied := emulator.Error(403, "AccessDeniedException", "")
		w.failOperation("ListWorkflowStepExecutions", denied)
		w.failOperation("ListWaitingWorkflowSteps", denied)
		wait := []emulator.Step{{Name: "Approve", Action: "WaitForAction", Takes: 1000 * time.Hour, Waits: true}}
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), wait)), Selection{Pipelines: all(1), Steps: StepsActive, Waiting: true})
		w.scrape(target)
		w.scrapeEvery(target, 15*time.Second, time.Hour)
		s := w.expect(target, "the rest is there", "00000001 RUNNING web", "web/1.0.0/1 BUILDING web")
		if !s.Up || s.Executions[0].Steps != nil || s.Waiting != nil || time.Since(s.LastSuccess) > time.Minute {
			t.Errorf("up %t, %d steps, %d waiting, last success %s", s.Up, len(s.Executions[0].Steps), len(s.Waiting), s.LastSuccess)
		}
		if n := w.operations(); n["ListWorkflowStepExecutions"] > 20 || n["ListWaitingWorkflowSteps"] > 20 {
			t.Errorf("what is denied is asked for too often in an hour: %v", n)
		}
		w.failOperation("ListWorkflowStepExecutions", nil)
		w.failOperation("ListWaitingWorkflowSteps", nil)
		w.scrapeEvery(target, 15*time.Second, 66*time.Minute)
		s = w.scrape(target)
		if len(s.Executions[0].Steps) != 1 || s.Executions[0].Steps[0].Status != "WAITING" {
			t.Errorf("steps %+v", s.Executions[0].Steps)
		}
		if len(s.Waiting) != 1 || s.Waiting[0].Name != "Approve" || s.Waiting[0].Action != "WaitForAction" || !s.Waiting[0].Since.Equal(w.begin.Add(-time.Hour)) {
			t.Errorf("waiting %+v", s.Waiting)
		}
	})
}

// TestOutagesAreNoMisses has a single 404 after a long outage.
func TestOutagesAreNoMisses(t *testing.T) {
	for _, operation := range []string{"ListWorkflowExecutions", "ListWorkflowStepExecutions"} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			w.failOperation(operation, emulator.Error(500, "ServiceException", ""))
			target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))), Selection{Pipelines: all(1), Steps: StepsActive})
			w.scrapeEvery(target, 15*time.Second, 10*time.Minute)
			w.failOperation(operation, emulator.Error(404, "ResourceNotFoundException", ""))
			for n := w.operations()[operation]; w.operations()[operation] == n; {
				w.at(w.now() + 5*time.Second)
				w.scrape(target)
			}
			w.failOperation(operation, nil)
			w.scrapeEvery(target, 15*time.Second, 3*time.Hour)
			s := w.expect(target, "hours later", "00000001 FAILED web", "web/1.0.0/1 FAILED web")
			if len(s.Executions) == 1 && s.Executions[0].Steps == nil {
				t.Error("the steps are not known")
			}
		})
	}
}

// TestAFreshSourceGoesFirst has an image that GetImage tells while its pipeline's list is
// denied, or hangs after a pause of the scrapes.
func TestAFreshSourceGoesFirst(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		image := made("web", 1, w.begin.Add(-10*time.Second), []emulator.Step{{Name: "S", Takes: 20 * time.Minute}})
		target := w.discovering(web(image), Selection{Pipelines: all(1), Images: []string{image.ARN}})
		w.scrape(target)
		w.failOperation("ListImagePipelines", emulator.Error(403, "AccessDeniedException", ""))
		w.scrapeEvery(target, 10*time.Second, 2*time.Hour)
		before := w.operations()
		w.scrapeEvery(target, 10*time.Second, 3*time.Hour)
		w.expect(target, "while the list is denied", "00000001 COMPLETED web", "web/1.0.0/1 AVAILABLE web")
		if n := w.since(before)["ListWorkflowExecutions"]; n > 0 {
			t.Errorf("%d lists of a build that has ended", n)
		}
	})
	test(t, func(t *testing.T) {
		w := newWorld(t)
		image := made("web", 1, w.begin.Add(-10*time.Second), []emulator.Step{{Name: "S", Takes: 20 * time.Minute}})
		target := w.discovering(web(image), Selection{Pipelines: all(1), Images: []string{image.ARN}})
		w.scrape(target)
		w.at(3 * time.Hour)
		w.failOperation("ListImagePipelineImages", emulator.Hang())
		w.scrape(target)
		w.at(w.now() + 2*time.Second)
		w.expect(target, "while the list hangs", "00000001 COMPLETED web", "web/1.0.0/1 AVAILABLE web")
	})
}

// TestARetryWhileAListFails is told by GetImage first, and then by the list.
func TestARetryWhileAListFails(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		image := made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))
		start := w.begin.Add(12 * time.Minute)
		image.Attempts = append(image.Attempts, emulator.Attempt{Start: start, Runs: []emulator.Run{{ID: id(2), Start: start, Steps: steps(emulator.Failed)}}})
		target := w.discovering(web(image), Selection{Pipelines: all(1), Images: []string{image.ARN}})
		w.scrapeEvery(target, 10*time.Second, 10*time.Minute+30*time.Second)
		w.failOperation("ListImagePipelineImages", emulator.Error(500, "ServiceException", ""))
		w.scrapeEvery(target, 10*time.Second, 17*time.Minute)
		w.failOperation("ListImagePipelineImages", nil)
		w.scrapeEvery(target, 10*time.Second, time.Hour)
		w.expect(target, "after a retry", "00000001 FAILED web", "00000002 FAILED web", "web/1.0.0/1 FAILED web")
	})
}

// TestADeniedPartBesideASlowOne fails before the slow one has answered.
func TestADeniedPartBesideASlowOne(t *testing.T) {
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-time.After(3 * time.Second)
		emulator.Body(200, "application/json", `{"requestId":"x","imageSummaryList":[]}`).ServeHTTP(w, r)
	})
	for _, every := range []time.Duration{10 * time.Second, 15 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			denied, answered := account+"image/a/x.x.x", account+"image/b/x.x.x"
			w.fail(denied, emulator.Error(403, "AccessDeniedException", ""))
			w.fail(answered, slow)
			target := w.discovering(&emulator.Account{}, Selection{Images: []string{denied, answered}})
			for w.now() < time.Hour {
				if s := w.scrape(target); !s.Up {
					t.Errorf("down at %s", w.now())
				}
				w.at(w.now().Truncate(every) + every)
			}
		})
	}
}

// TestWithoutCredentialsATargetIsDownAtOnce although a part of its discovery is not due yet.
func TestWithoutCredentialsATargetIsDownAtOnce(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := made("a", 1, w.begin.Add(-time.Hour), steps(emulator.Failed)), made("b", 2, w.begin.Add(-time.Hour), steps(emulator.Failed))
		account := &emulator.Account{Images: []emulator.Image{a, b}}
		w.behindRole(account)
		w.fail(b.ARN, emulator.Error(500, "ServiceException", "")) // so that it is due at other times
		target := w.discovering(account, Selection{Images: []string{a.ARN, b.ARN}})
		w.scrapeEvery(target, 15*time.Second, 2*time.Minute)
		w.fail(b.ARN, nil)
		w.scrapeEvery(target, 15*time.Second, 54*time.Minute)
		w.failOperation("AssumeRole", emulator.Error(403, "AccessDenied", ""))
		w.scrapeEvery(target, 15*time.Second, time.Hour)
		failed := func() (n int) {
			for _, s := range target.sources {
				if s.class() == imagebuilder.Denied {
					n++
				}
			}
			return n
		}
		for failed() == 0 { // the credentials have ended
			w.at(w.now() + 15*time.Second)
			if s := w.scrape(target); failed() == 1 && s.Up {
				t.Errorf("up at %s", w.now())
			}
		}
		if n := failed(); n != 1 {
			t.Errorf("%d were due at once, want 1", n)
		}
	})
}
