package lookup

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// errorsOf returns the lookups of a snapshot that fail, as "operation subject class".
func errorsOf(s Snapshot) []string {
	var all []string
	for _, e := range s.Errors {
		all = append(all, fmt.Sprintf("%s %s %s", e.Operation, strings.TrimPrefix(e.Subject, account), e.Class))
	}
	return all
}

// TestOneSubjectIsRefused holds that the error of one subject is told, though everything
// else is answered and the target is up.
func TestOneSubjectIsRefused(t *testing.T) {
	const list = account + "image/shared/1.0.0"
	denied, missing, bad := refused, emulator.Error(404, "ResourceNotFoundException", "no"), emulator.Error(400, "InvalidRequestException", "no")
	for _, c := range []struct {
		name, id, operation string
		fault               http.Handler
		want                []string // after 20 minutes
	}{
		{"nothing fails", "", "", nil, nil},
		{"an image of another account", imageARN("shared", 1), "", denied, []string{"GetImage image/shared/1.0.0/1 denied", "ListWorkflowExecutions image/shared/1.0.0/1 denied"}},
		{"an image without executions that is a bad request", imageARN("shared", 1), "", bad, []string{"GetImage image/shared/1.0.0/1 bad_request", "ListWorkflowExecutions image/shared/1.0.0/1 bad_request"}},
		{"the versions of an image are not found", list, "", missing, []string{"ListImageBuildVersions image/shared/1.0.0 not_found"}},
		{"one pipeline of two", pipelineARN("web"), "", denied, []string{"ListImagePipelineImages image-pipeline/web denied"}},
		{"steps, for every execution that is asked for them", "", "ListWorkflowStepExecutions", denied, []string{
			"ListWorkflowStepExecutions " + id(2) + " denied", "ListWorkflowStepExecutions " + id(9) + " denied",
		}},
		{"steps that wait", "", "ListWaitingWorkflowSteps", denied, []string{"ListWaitingWorkflowSteps  denied"}},
		{"which pipeline made an image", "", "GetImage", denied, []string{"GetImage image/shared/1.0.0/1 denied"}},
		{"an execution that is selected by its id", id(9), "GetWorkflowExecution", denied, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				if c.operation != "" {
					w.failOperation(c.operation, c.fault)
				} else if c.fault != nil {
					w.fail(c.id, c.fault)
				}
				shared := made("shared", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded))
				shared.PipelineARN = ""
				long := []emulator.Step{{Name: "Long", Takes: 10 * time.Hour}}
				a := web(shared, made("web", 2, w.begin, long))
				a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN("other")})
				a.Runs = []emulator.Run{{ID: id(9), Start: w.begin, Steps: long}}
				target := w.discovering(a, Selection{
					WorkflowExecutions: []string{id(9)}, Pipelines: all(1), Images: []string{list}, Steps: StepsActive, Waiting: true,
				})
				w.scrapeEvery(target, time.Minute, 20*time.Minute)
				s := w.scrape(target)
				if diff := cmp.Diff(c.want, errorsOf(s)); diff != "" || !s.Up {
					t.Errorf("up %t; errors (-want +got):\n%s", s.Up, diff)
				}
				for _, e := range s.Errors {
					if e.Reason == "" {
						t.Errorf("%s has no reason", e.Operation)
					}
				}
				w.fail(c.id, nil)
				w.failOperation(c.operation, nil)
				w.scrapeEvery(target, time.Minute, time.Hour)
				if got := errorsOf(w.scrape(target)); got != nil {
					t.Errorf("nothing fails any more, and there are %q", got)
				}
			})
		})
	}
}

// TestGivenUp holds that the page can tell what is not asked for any more: the executions
// of an image that has ended, which are not found.
func TestGivenUp(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failOperation("ListWorkflowExecutions", emulator.Error(404, "ResourceNotFoundException", "no"))
		target := w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded))), Selection{Pipelines: all(1)})
		w.scrapeEvery(target, 15*time.Second, time.Minute)
		if diff := cmp.Diff([]string{"ListWorkflowExecutions image/web/1.0.0/1 not_found"}, errorsOf(w.scrape(target))); diff != "" {
			t.Errorf("while it is asked for (-want +got):\n%s", diff)
		}
		w.scrapeEvery(target, 15*time.Second, 2*time.Hour)
		s := w.scrape(target)
		if len(s.Errors) > 0 || len(s.Images) != 1 || s.Images[0].Failure != "not_found" || s.Images[0].Reason == "" {
			t.Errorf("given up: %q, %+v", errorsOf(s), s.Images)
		}
	})
}

// named selects pipelines by name.
func named(text string) Selector {
	return Selector{Name: regexp.MustCompile(`\A(?:` + text + `)\z`), Builds: 1, Text: text}
}

// TestSelectors plays a pipeline that is deleted, and made again.
func TestSelectors(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := web()
		a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN("web-2")})
		var end time.Duration
		target := w.discovering(a, Selection{Pipelines: []Selector{named("web.*"), named("web-2"), named("nothing")}})
		check := func(when, log string, want ...SelectorMatches) {
			t.Helper()
			w.logs.Reset()
			end += 11 * time.Minute
			w.scrapeEvery(target, 15*time.Second, end)
			if diff := cmp.Diff(want, w.scrape(target).Selectors); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
			if got := w.logs.String(); got != log {
				t.Errorf("%s, the log is\n%swant\n%s", when, got, log)
			}
		}
		const nothing = `level=warn target=golden-images region=eu-west-1 msg="selector matches no pipelines" selector=`
		if got := target.Known().Selectors; got != nil {
			t.Errorf("before the first list: %v", got)
		}
		both := a.Pipelines
		check("at first", nothing+"nothing pipelines_listed=2\n", SelectorMatches{"nothing", 0}, SelectorMatches{"web-2", 1}, SelectorMatches{"web.*", 2})
		a.Pipelines = both[:1]
		check("one is deleted", nothing+"web-2 pipelines_listed=1\n", SelectorMatches{"nothing", 0}, SelectorMatches{"web-2", 0}, SelectorMatches{"web.*", 1})
		a.Pipelines = nil
		check("both are", nothing+"web.* pipelines_listed=0\n", SelectorMatches{"nothing", 0}, SelectorMatches{"web-2", 0}, SelectorMatches{"web.*", 0})
		a.Pipelines = both
		check("both are there again", `level=info target=golden-images region=eu-west-1 msg="selector matches pipelines again" selector=web-2 pipelines=1
level=info target=golden-images region=eu-west-1 msg="selector matches pipelines again" selector=web.* pipelines=2
`, SelectorMatches{"nothing", 0}, SelectorMatches{"web-2", 1}, SelectorMatches{"web.*", 2})
		s := target.c.Selection
		s.Pipelines = []Selector{named("web-2"), named("web-2"), named("none")}
		w.logs.Reset()
		target.Select(s)
		if got, want := w.logs.String(), nothing+"none pipelines_listed=2\n"; got != want {
			t.Errorf("after a reload the log is\n%swant\n%s", got, want)
		}
		check("after a reload", "", SelectorMatches{"none", 0}, SelectorMatches{"web-2", 1})
		w.failOperation("ListImagePipelines", unavailable)
		w.logs.Reset()
		w.scrapeEvery(target, 15*time.Second, end+15*time.Minute)
		if got := w.scrape(target).Selectors; got != nil {
			t.Errorf("the list is stale: %v", got)
		}
	})
}

// TestAGoodImageStaysOne holds that a lifecycle policy does not make good images vanish.
func TestAGoodImageStaysOne(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		created := w.begin.Add(-40 * 24 * time.Hour)
		old, failed := made("web", 1, created, steps(emulator.Succeeded)), made("web", 2, w.begin.Add(-time.Hour), steps(emulator.Failed))
		old.Deprecated = w.begin.Add(-9 * 24 * time.Hour)
		target := w.discovering(web(old, failed), Selection{Pipelines: all(2)})
		s := w.scrape(target)
		if len(s.Images) != 2 || s.Images[0].Status != "DEPRECATED" {
			t.Fatalf("the images are %+v", s.Images)
		}
		if got := s.Pipelines[0].LastSuccess; !got.Equal(created) {
			t.Errorf("the last good image is of %s, want %s", got, created)
		}
	})
}
