package lookup

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// failing is the first build of web, which fails two minutes after it was created; and is
// retried, to fail again, as often as is said.
func (w *world) failing(created time.Duration, retries ...time.Duration) emulator.Image {
	harden := steps(emulator.Succeeded, emulator.Failed)
	harden[1].Component = &emulator.ComponentFailure{ARN: account + "component/harden/1.2.0/1", Phase: "build", Step: "InstallAgent", Message: "exit code 1"}
	image := made("web", 1, w.begin.Add(created), harden)
	for n, at := range retries {
		run := emulator.Run{ID: id(10 + n), Type: "BUILD", Start: w.begin.Add(at), Steps: harden}
		image.Attempts = append(image.Attempts, emulator.Attempt{Start: run.Start, Runs: []emulator.Run{run}})
	}
	return image
}

// TestWhyAnImageFailed scrapes for an hour in which it fails, and counts what that costs.
func TestWhyAnImageFailed(t *testing.T) {
	for _, c := range []struct {
		name    string
		where   emulator.FailureContext
		retries []time.Duration
		images  []string // that are selected, too
		asked   int      // GetImage
		known   bool
	}{
		{name: "the lists tell", where: emulator.FailureContextEverywhere, known: true},
		{name: "only the lists tell", where: emulator.FailureContextInLists, known: true},
		{name: "only GetImage tells", where: emulator.FailureContextInGetImage, asked: 1, known: true},
		{name: "nothing tells", where: emulator.FailureContextNowhere, asked: 1},
		{
			name: "only GetImage tells, and two retries fail", where: emulator.FailureContextInGetImage,
			retries: []time.Duration{20 * time.Minute, 40 * time.Minute}, asked: 3, known: true,
		},
		{
			name: "GetImage is asked about the image in any case", where: emulator.FailureContextInGetImage,
			images: []string{imageARN("web", 1)}, asked: 12, known: true, // every five minutes
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				w.FailureContext = c.where
				target := w.discovering(web(w.failing(0, c.retries...)), Selection{Pipelines: all(1), Images: c.images})
				w.scrapeEvery(target, 10*time.Second, time.Hour-10*time.Second)
				var want *imagebuilder.Failure
				if c.known {
					want = &imagebuilder.Failure{Stage: "BUILDING", Step: "Step1", Component: &imagebuilder.ComponentFailure{
						ARN: account + "component/harden/1.2.0/1", Phase: "build", Step: "InstallAgent", Message: "exit code 1",
					}}
				}
				got := w.scrape(target).Images[0].Failed
				if got != nil {
					last := id(1)
					if n := len(c.retries); n > 0 {
						last = id(10 + n - 1)
					}
					if got.ExecutionID != last {
						t.Errorf("it says that %s has failed, want %s", got.ExecutionID, last)
					}
					short := *got
					short.ExecutionID, short.StepExecutionID = "", ""
					got = &short
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if n := w.Requests("GetImage"); n != c.asked {
					t.Errorf("GetImage was called %d times, want %d", n, c.asked)
				}
			})
		})
	}
}

// TestARetryThatSucceedsHasNoFailure although GetImage has told one before.
func TestARetryThatSucceedsHasNoFailure(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.FailureContext = emulator.FailureContextInGetImage
		image := w.failing(0, 20*time.Minute)
		image.Attempts[1].Runs[0].Steps = steps(emulator.Succeeded)
		target := w.discovering(web(image), Selection{Pipelines: all(1)})
		for _, c := range []struct {
			at    time.Duration
			known bool
		}{{10 * time.Minute, true}, {30 * time.Minute, false}} {
			w.scrapeEvery(target, 10*time.Second, c.at)
			if got := w.scrape(target).Images[0].Failed; (got != nil) != c.known {
				t.Errorf("after %s it has the failure %+v", c.at, got)
			}
		}
	})
}

// TestWithoutThePermissionOfGetImage the rest goes on, and it is told.
func TestWithoutThePermissionOfGetImage(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.FailureContext = emulator.FailureContextInGetImage
		w.failOperation("GetImage", emulator.Error(403, "AccessDeniedException", "no"))
		target := w.discovering(web(w.failing(0)), Selection{Pipelines: all(1)})
		w.scrapeEvery(target, 10*time.Second, 20*time.Minute)
		s := w.expect(target, "it failed", id(1)[3:11]+" FAILED web", "web/1.0.0/1 FAILED web")
		if s.Images[0].Failed != nil || !s.Up || time.Since(s.LastSuccess) > time.Minute {
			t.Errorf("failure %+v, up %t, last success %s ago", s.Images[0].Failed, s.Up, time.Since(s.LastSuccess))
		}
		if len(s.Errors) != 1 || s.Errors[0].Operation != imagebuilder.GetImage || s.Errors[0].Subject != imageARN("web", 1) {
			t.Errorf("the lookups that fail are %+v", s.Errors)
		}
	})
}

// TestANewFailureIsLogged once, with why; and none that is older than the exporter.
func TestANewFailureIsLogged(t *testing.T) {
	for _, c := range []struct {
		name   string
		where  emulator.FailureContext
		denied bool
		create time.Duration
		retry  []time.Duration
		lines  int
		want   string // in each of them
	}{
		{name: "it failed before", create: -time.Hour, lines: 0},
		{name: "the list tells why", create: time.Minute, lines: 1, want: `component_step=InstallAgent error="exit code 1"`},
		{name: "GetImage tells why", where: emulator.FailureContextInGetImage, create: time.Minute, lines: 1, want: `component_step=InstallAgent error="exit code 1"`},
		{name: "nothing tells why", where: emulator.FailureContextNowhere, create: time.Minute, lines: 1, want: "reason="},
		{name: "GetImage is denied", where: emulator.FailureContextInGetImage, denied: true, create: time.Minute, lines: 1, want: "reason="},
		{name: "it was created and failed between two lists", create: 5*time.Minute + time.Second, lines: 1, want: "InstallAgent"},
		{name: "a retry fails, too", create: -time.Hour, retry: []time.Duration{20 * time.Minute}, lines: 1, want: "InstallAgent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				w.FailureContext = c.where
				if c.denied {
					w.failOperation("GetImage", emulator.Error(403, "AccessDeniedException", "no"))
				}
				target := w.discovering(web(w.failing(c.create, c.retry...)), Selection{Pipelines: all(1)})
				w.scrapeEvery(target, 10*time.Second, time.Hour)
				var lines []string
				for line := range strings.Lines(w.logs.String()) {
					if strings.Contains(line, "image build failed") {
						lines = append(lines, line)
						if !strings.Contains(line, c.want) || !strings.Contains(line, imageARN("web", 1)) {
							t.Errorf("it says %s", line)
						}
					}
				}
				if len(lines) != c.lines {
					t.Errorf("%d lines, want %d:\n%s", len(lines), c.lines, strings.Join(lines, ""))
				}
			})
		})
	}
}

func TestFailedBuildsInARow(t *testing.T) {
	for states, want := range map[string]int{ // the newest first
		"":                           -1,
		"BUILDING":                   0,
		"AVAILABLE FAILED":           0,
		"FAILED AVAILABLE FAILED":    1,
		"BUILDING FAILED FAILED":     2,
		"FAILED CANCELLED FAILED":    2,
		"CANCELLED AVAILABLE FAILED": 0,
		"FAILED DEPRECATED FAILED":   1,
		"FAILED DELETED FAILED":      1, // which may have been good
		"FAILED POLISHING FAILED":    2, // which has not ended
	} {
		var images []imagebuilder.Image
		for _, s := range strings.Fields(states) {
			images = append(images, imagebuilder.Image{Status: imagebuilder.ImageStatus(s)})
		}
		got := -1
		if n := failedInRow(images); n != nil {
			got = *n
		}
		if got != want {
			t.Errorf("%q: %d in a row, want %d", states, got, want)
		}
	}
}

// waitingFor is build n of web, which waits for so long an approval.
func waitingFor(n int, created time.Time, limit time.Duration) emulator.Image {
	approve := emulator.Step{Name: "Approve", Action: "WaitForAction", Takes: 30 * time.Minute, Waits: true, Timeout: limit}
	return made("web", n, created, []emulator.Step{approve, {Name: "Go", Takes: time.Minute}})
}

// TestWhenAWaitingStepGivesUp is asked once for each step of an execution that is followed.
func TestWhenAWaitingStepGivesUp(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := web(waitingFor(1, w.begin, time.Hour), waitingFor(2, w.begin, 2*time.Hour))
		other := waitingFor(3, w.begin, time.Hour)
		other.PipelineARN = ""
		a.Images = append(a.Images, other) // which nobody follows
		target := w.discovering(a, Selection{Pipelines: all(1), Waiting: true})
		w.scrapeEvery(target, 10*time.Second, 29*time.Minute)
		got := map[string]time.Duration{}
		for _, step := range w.scrape(target).Waiting {
			got[step.ExecutionID] = step.Timeout.Sub(w.begin)
		}
		if diff := cmp.Diff(map[string]time.Duration{id(1): time.Hour, id(2): 2 * time.Hour}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		w.scrapeEvery(target, 10*time.Second, 50*time.Minute)
		if n := w.Requests("GetWorkflowStepExecution"); n != 2 || len(w.scrape(target).Waiting) != 0 {
			t.Errorf("it was asked %d times, want 2; %d steps wait", n, len(w.scrape(target).Waiting))
		}
	})
}

// TestWhenAStepGivesUpThatIsFoundFirst is asked as soon as its execution is found, too.
func TestWhenAStepGivesUpThatIsFoundFirst(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.at(10 * time.Minute)
		late, fault := waitingFor(1, w.begin, time.Hour), w.Fault
		w.Fault = func(operation, id string) http.Handler {
			if id == late.ARN {
				<-time.After(3 * time.Second)
			}
			return fault(operation, id)
		}
		building := made("web", 2, w.begin, []emulator.Step{{Name: "Build", Takes: time.Hour}})
		target := w.discovering(web(late, building), Selection{Pipelines: all(1), Waiting: true})
		w.scrape(target)
		w.at(w.now() + time.Second)
		if s := w.scrape(target); len(s.Waiting) != 1 || !s.Waiting[0].Timeout.Equal(w.begin.Add(time.Hour)) {
			t.Errorf("%+v, want one that gives up at %v", s.Waiting, w.begin.Add(time.Hour))
		}
		if n := w.Requests("ListWaitingWorkflowSteps"); n != 1 {
			t.Errorf("what waits was listed %d times, want once: before the execution was found", n)
		}
	})
}

// TestWithoutThePermissionToAskWhenAStepGivesUp it waits all the same.
func TestWithoutThePermissionToAskWhenAStepGivesUp(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("GetWorkflowStepExecution", emulator.Error(403, "AccessDeniedException", "no"))
		target := w.discovering(web(waitingFor(1, w.begin, time.Hour)), Selection{Pipelines: all(1), Waiting: true})
		w.scrapeEvery(target, 10*time.Second, 20*time.Minute)
		before := w.operations()
		s := w.scrape(target)
		if len(s.Waiting) != 1 || !s.Waiting[0].Timeout.IsZero() || !s.Up || time.Since(s.LastSuccess) > time.Minute {
			t.Errorf("%d steps wait, until %v; up %t", len(s.Waiting), s.Waiting, s.Up)
		}
		if len(s.Errors) != 1 || s.Errors[0].Operation != imagebuilder.GetWorkflowStepExecution {
			t.Errorf("the lookups that fail are %+v", s.Errors)
		}
		w.scrapeEvery(target, 10*time.Second, w.now()+10*time.Minute)
		if n := w.since(before)["GetWorkflowStepExecution"]; n > 3 {
			t.Errorf("it is asked %d times in ten minutes: %v", n, maps.Collect(maps.All(w.since(before))))
		}
	})
}

// TestAReasonIsThatOfItsFailure has an image whose pipeline GetImage tells while it is built,
// and does not answer when it has failed: nothing older is taken for the reason, and it is
// asked until it answers.
func TestAReasonIsThatOfItsFailure(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.FailureContext = emulator.FailureContextInGetImage
		image := w.failing(0, 20*time.Minute)
		target := w.discovering(web(image), Selection{Images: []string{account + "image/web/1.0.0"}})
		step := func() string {
			if f := w.scrape(target).Images[0].Failed; f != nil {
				return f.ExecutionID
			}
			return ""
		}
		w.scrapeEvery(target, 10*time.Second, 10*time.Minute)
		if got := step(); got != id(1) {
			t.Errorf("at first, %q has failed", got)
		}
		w.failOperation("GetImage", emulator.Error(500, "ServiceException", ""))
		w.scrapeEvery(target, 10*time.Second, 40*time.Minute)
		if got := step(); got != "" {
			t.Errorf("while nobody tells why the retry has failed, it is %q", got)
		}
		if s := w.scrape(target); len(s.Errors) != 1 {
			t.Errorf("the lookups that fail are %+v", s.Errors)
		}
		w.failOperation("GetImage", nil)
		w.scrapeEvery(target, 10*time.Second, 45*time.Minute)
		if got := step(); got != id(10) {
			t.Errorf("in the end, %q has failed", got)
		}
	})
}

// TestNobodyAsksWhenAStepGaveUp after its execution has ended, or is not followed any more.
func TestNobodyAsksWhenAStepGaveUp(t *testing.T) {
	for name, selection := range map[string]Selection{
		"it ended":                 {Pipelines: all(1), Waiting: true},
		"it is not followed":       {Waiting: true, WorkflowExecutions: []string{id(9)}},
		"waiting is not asked for": {Pipelines: all(1)},
	} {
		t.Run(name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				w.failOperation("GetWorkflowStepExecution", emulator.Error(403, "AccessDeniedException", "no"))
				a := web(waitingFor(1, w.begin, time.Hour))
				a.Runs = []emulator.Run{{ID: id(9), Start: w.begin, Steps: []emulator.Step{{Name: "Wait", Takes: 100 * time.Hour, Waits: true}}}}
				target := w.discovering(a, Selection{Pipelines: all(1), Waiting: true})
				w.scrapeEvery(target, 10*time.Second, 10*time.Minute)
				if w.Requests("GetWorkflowStepExecution") == 0 {
					t.Fatal("it was never asked")
				}
				if name != "it ended" {
					selection.MaxExecutions, selection.MinInterval, selection.DiscoveryInterval = 10, 10*time.Second, 5*time.Minute
					selection.MaxStaleness = 5 * time.Minute
					target.Select(selection)
				}
				w.scrapeEvery(target, 10*time.Second, 40*time.Minute)
				before := w.operations()
				w.scrapeEvery(target, 10*time.Second, 70*time.Minute)
				most := 0
				if name == "it is not followed" {
					most = 10 // about the other one, which waits
				}
				if n := w.since(before)["GetWorkflowStepExecution"]; n > most {
					t.Errorf("it is asked %d times in half an hour", n)
				}
				for _, e := range w.scrape(target).Errors {
					if e.Operation == imagebuilder.GetWorkflowStepExecution && name != "it is not followed" {
						t.Errorf("%+v is told", e)
					}
				}
			})
		})
	}
}
