package lookup

import (
	"regexp"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// twoPipelines is an account with three builds each of a and b, which have ended.
func twoPipelines(w *world) *emulator.Account {
	a := &emulator.Account{}
	for _, name := range []string{"a", "b"} {
		a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN(name)})
		for n := range 3 {
			n += len(a.Images) // ids are of their own
			a.Images = append(a.Images, made(name, n, w.begin.Add(time.Duration(n-20)*time.Hour), steps(emulator.Succeeded)))
		}
	}
	return a
}

// TestWhatASelectionThatChangesCosts changes one thing after the other, and counts the
// requests of the next scrape: what was known is not asked for again.
func TestWhatASelectionThatChangesCosts(t *testing.T) {
	only := func(name string) []Selector { return []Selector{{Name: regexp.MustCompile(name), Builds: 1}} }
	for _, c := range []struct {
		name       string
		change     func(s *Selection)
		executions int
		requests   map[string]int
	}{
		{"nothing", func(*Selection) {}, 2, map[string]int{}},
		{"one pipeline less", func(s *Selection) { s.Pipelines = only("a") }, 1, map[string]int{}},
		{"more builds", func(s *Selection) { s.Pipelines = all(2) }, 4, map[string]int{"ListImagePipelineImages": 2, "ListWorkflowExecutions": 2}},
		{"an image as well", func(s *Selection) { s.Images = []string{imageARN("a", 0)} }, 3, map[string]int{"GetImage": 1, "ListWorkflowExecutions": 1}},
		{"an image in place of pipelines", func(s *Selection) { s.Pipelines, s.Images = nil, []string{imageARN("a", 2)} }, 1, map[string]int{"GetImage": 1, "ListWorkflowExecutions": 1}},
		{"an id as well", func(s *Selection) { s.WorkflowExecutions = []string{id(0)} }, 3, map[string]int{"GetWorkflowExecution": 1, "ListImagePipelineImages": 2}},
		{"steps", func(s *Selection) { s.Steps = StepsAll }, 2, map[string]int{"ListWorkflowStepExecutions": 2}},
		{"waiting steps, of which there are none", func(s *Selection) { s.Waiting = true }, 2, map[string]int{}},
		{"a lower cap", func(s *Selection) { s.MaxExecutions = 1 }, 1, map[string]int{}},
		{"intervals that are shorter", func(s *Selection) { s.DiscoveryInterval = time.Second }, 2, map[string]int{"ListImagePipelines": 1, "ListImagePipelineImages": 2}},
		{"intervals that are longer", func(s *Selection) { s.DiscoveryInterval = time.Hour }, 2, map[string]int{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				target := w.discovering(twoPipelines(w), Selection{Pipelines: all(1)})
				w.scrape(target)
				w.at(15 * time.Second)
				before, s := w.operations(), target.c.Selection
				c.change(&s)
				target.Select(s)
				got := w.scrape(target)
				if len(got.Executions) != c.executions {
					t.Errorf("%d executions, want %d: %v", len(got.Executions), c.executions, told(got))
				}
				for _, e := range got.Executions {
					if e.Value == nil || s.Steps == StepsAll && e.Steps == nil {
						t.Errorf("it is not known: %+v", e)
					}
				}
				if diff := gocmp.Diff(c.requests, w.since(before)); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
				s.Pipelines, s.Images, s.WorkflowExecutions = nil, nil, nil
				target.Select(s)
				if got := w.scrape(target); len(got.Executions)+len(got.Images)+len(got.Pipelines) != 0 || !got.DiscoveredAt.IsZero() || len(target.sources)+len(target.builds)+len(target.steps)+len(target.made) != 0 {
					t.Errorf("with nothing selected: %+v", got)
				}
			})
		})
	}
}

// TestAnIntervalThatWasTooLong becomes shorter: what was not due for long is due.
func TestAnIntervalThatWasTooLong(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t, running(1), running(2))
		target := w.target(id(1), id(2))
		s := target.c.Selection
		s.MinInterval = time.Hour
		target.Select(s)
		w.fail(id(2), emulator.Error(500, "ServiceException", ""))
		w.scrape(target)
		w.fail(id(2), nil)
		w.at(time.Minute)
		w.scrape(target)
		if n, m := len(w.callsFor(id(1))), len(w.callsFor(id(2))); n != 1 || m != 3 { // three attempts
			t.Errorf("%d and %d calls in an hour that has not passed", n, m)
		}
		s.MinInterval = 10 * time.Second
		target.Select(s)
		got := w.scrape(target)
		if n := len(w.callsFor(id(1))); n != 2 || got.Executions[1].Value == nil {
			t.Errorf("%d calls after the change, and %+v", n, got.Executions[1])
		}
	})
}

// TestTheSameQuestionTwice selects a build of whose pipeline is being asked.
func TestTheSameQuestionTwice(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(twoPipelines(w), Selection{Images: []string{account + "image/a/1.0.0"}})
		w.failOperation("GetImage", emulator.Hang())
		w.scrape(target) // which pipeline made the build is asked
		s := target.c.Selection
		s.Images = []string{imageARN("a", 2)}
		target.Select(s)
		w.failOperation("GetImage", nil)
		w.at(time.Minute)
		w.expect(target, "the build alone", "00000002 COMPLETED a", "a/1.0.0/2 AVAILABLE a")
		if left := sizes(target); left.Leaving != 0 {
			t.Errorf("left over: %+v", left)
		}
	})
}

// TestABuildThatIsNoLongerSelectedByItself is still told by its version: which pipeline made
// it is asked with the next scrape.
func TestABuildThatIsNoLongerSelectedByItself(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		version := account + "image/a/1.0.0"
		target := w.discovering(twoPipelines(w), Selection{Images: []string{version, imageARN("a", 4)}})
		w.failOperation("GetImage", emulator.Error(500, "ServiceException", ""))
		w.scrape(target)
		s := target.c.Selection
		s.Images = []string{version}
		target.Select(s)
		w.failOperation("GetImage", nil)
		w.at(20 * time.Second)
		w.expect(target, "the version alone", "00000004 COMPLETED a", "a/1.0.0/4 AVAILABLE a")
	})
}
