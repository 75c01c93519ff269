package lookup

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

var (
	refused     = emulator.Error(403, "AccessDeniedException", "")
	expired     = emulator.Error(403, "ExpiredTokenException", "")
	unavailable = emulator.Error(503, "ServiceUnavailableException", "")
	throttled   = emulator.Error(429, "CallRateLimitExceededException", "")
)

// upCase is a row of the table of imagebuilder_up in docs/metrics.md.
type upCase struct {
	name   string
	target func(w *world) *Target // after what the world is like from the start
	change func(w *world)         // what happens after five minutes; nil for nothing
	every  time.Duration          // between two scrapes; 15 s when zero
	want   string                 // up at each scrape of the half hour that follows, see upChanges
}

// upChanges writes the values of imagebuilder_up, one for each scrape: each with the time
// of its first scrape after the change.
func upChanges(w *world, target *Target, every time.Duration) string {
	text, before := "", -1
	for at := time.Duration(0); at <= 30*time.Minute; at += every {
		w.at(5*time.Minute + at)
		up := 0
		if w.scrape(target).Up {
			up = 1
		}
		if up != before {
			text += fmt.Sprintf(", %d from %s", up, at)
			before = up
		}
	}
	return text[2:]
}

// nineSettled returns a world's executions of which one, with the number 9, runs for so
// long.
func nineSettled(w *world, runs time.Duration) (ids []string) {
	var all []emulator.Run
	for n := range 9 {
		all, ids = append(all, ended(n)), append(ids, id(n))
	}
	all = append(all, emulator.Run{ID: id(9), Start: w.begin, Steps: []emulator.Step{{Takes: runs}}})
	w.Scenario = emulator.Runs(all...)
	return append(ids, id(9))
}

// runningTarget returns what makes a Target of so many executions that run.
func runningTarget(n int) func(w *world) *Target {
	return func(w *world) *Target {
		runs, ids := allRunning(n)
		w.Scenario = emulator.Runs(runs...)
		w.client.Concurrency = 10
		return w.target(ids...)
	}
}

// runningAndPipelines returns a Target of an execution that runs for so long, and of a
// pipeline.
func runningAndPipelines(w *world, runs time.Duration) *Target {
	a := web(made("web", 2, w.begin.Add(-time.Hour), steps(emulator.Succeeded)))
	a.Runs = []emulator.Run{{ID: id(1), Start: w.begin, Steps: []emulator.Step{{Takes: runs}}}}
	return w.discovering(a, Selection{WorkflowExecutions: []string{id(1)}, Pipelines: all(1)})
}

var upCases = []upCase{
	{
		name: "all settled, ids only, credentials expire: as it was",
		target: func(w *world) *Target {
			return w.target(nineSettled(w, time.Minute)...)
		},
		change: func(w *world) { w.fail("", expired) },
		want:   "1 from 0s",
	},
	{
		name: "all settled, with pipelines, credentials expire: 0 at the next discovery, stays 0",
		target: func(w *world) *Target {
			return w.discovering(web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded))), Selection{Pipelines: all(1)})
		},
		change: func(w *world) { w.fail("", expired) },
		want:   "0 from 0s",
	},
	{
		name: "nine settled, one denied from the start: 1",
		target: func(w *world) *Target {
			w.fail(id(9), refused)
			return w.target(nineSettled(w, time.Hour)...)
		},
		want: "1 from 0s",
	},
	{
		name: "nine settled, one denied from the start, which is asked first: 1",
		target: func(w *world) *Target {
			w.fail(id(0), refused)
			w.client.Concurrency = 1
			return w.target(nineSettled(w, time.Minute)...)
		},
		want: "1 from 0s",
	},
	{
		name:   "nine settled, a running one that was answered loses its permission: 0",
		target: func(w *world) *Target { return w.target(nineSettled(w, time.Hour)...) },
		change: func(w *world) { w.fail(id(9), refused) },
		want:   "0 from 0s",
	},
	{
		name:   "one denied of ten running: 1",
		target: runningTarget(10),
		change: func(w *world) { w.fail(id(3), refused) },
		want:   "1 from 0s",
	},
	{
		name: "discovery denied from the start, executions running and answered: 1",
		target: func(w *world) *Target {
			w.failOperation("ListImagePipelines", refused)
			return runningAndPipelines(w, time.Hour)
		},
		want: "1 from 0s",
	},
	{
		name:   "discovery denied later, executions running and answered: 1",
		target: func(w *world) *Target { return runningAndPipelines(w, time.Hour) },
		change: func(w *world) { w.failOperation("ListImagePipelines", refused) },
		want:   "1 from 0s",
	},
	{
		name: "discovery denied, executions that run and then settle: 1, then 0",
		target: func(w *world) *Target {
			w.failOperation("ListImagePipelines", refused)
			return runningAndPipelines(w, 15*time.Minute)
		},
		want: "1 from 0s, 0 from 10m0s",
	},
	{
		name:   "GetWorkflowExecution always 503, ListImagePipelines answered every 5 m: 0 at the first failure, 1 from the next list on",
		target: func(w *world) *Target { return runningAndPipelines(w, time.Hour) },
		change: func(w *world) {
			w.scrape(w.last) // this discovery is over
			w.at(5*time.Minute + time.Second)
			w.failOperation("GetWorkflowExecution", unavailable)
		},
		want: "1 from 0s, 0 from 15s, 1 from 5m0s",
	},
	{
		name: "throttled wholly from the start: 1",
		target: func(w *world) *Target {
			w.fail("", throttled)
			return runningTarget(10)(w)
		},
		want: "1 from 0s",
	},
	{
		name: "the role is throttled from the start: 0, for Image Builder was never asked",
		target: func(w *world) *Target {
			runs, ids := allRunning(2)
			w.behindRole(emulator.Runs(runs...))
			w.failOperation("AssumeRole", emulator.Body(400, "text/xml", `<ErrorResponse><Error><Code>Throttling</Code><Message>m</Message></Error></ErrorResponse>`))
			return w.target(ids...)
		},
		want: "0 from 0s",
	},
	{
		name:   "throttled wholly later: 1",
		target: func(w *world) *Target { return runningAndPipelines(w, time.Hour) },
		change: func(w *world) { w.fail("", throttled) },
		want:   "1 from 0s",
	},
	{
		name: "hang at the start: 0",
		target: func(w *world) *Target {
			w.fail("", emulator.Hang())
			return runningTarget(10)(w)
		},
		want: "0 from 0s",
	},
	{
		name:   "hang later: 0 after the first time-out, and stays",
		target: runningTarget(10),
		change: func(w *world) { w.fail("", emulator.Hang()) },
		want:   "1 from 0s, 0 from 15s",
	},
	{
		name:   "hang later of a thousand: 0 after the first time-out, and stays",
		target: runningTarget(1000),
		change: func(w *world) { w.fail("", emulator.Hang()) },
		want:   "1 from 0s, 0 from 15s",
	},
	{
		name: "one of two pipelines always 500: 1",
		target: func(w *world) *Target {
			a := web(made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded)))
			a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN("broken")})
			w.fail(pipelineARN("broken"), emulator.Error(500, "ServiceException", ""))
			return w.discovering(a, Selection{Pipelines: all(1)})
		},
		want: "1 from 0s",
	},
	{
		name:   "a selection that keeps and adds subjects: as it was",
		target: runningTarget(2),
		change: func(w *world) { selectIDs(w.last, id(1), id(7)) },
		want:   "1 from 0s",
	},
	{
		name:   "a selection of other subjects, which hang: as it was until the first time-out",
		target: runningTarget(2),
		change: func(w *world) {
			w.fail("", emulator.Hang())
			selectIDs(w.last, id(7))
		},
		want: "1 from 0s, 0 from 15s",
	},
	{
		name: "another service that knows no pipelines: 0",
		target: func(w *world) *Target {
			w.failOperation("ListImagePipelines", emulator.Body(404, "application/json", `{"message":"no Route matched with those values"}`))
			return w.discovering(web(), Selection{Pipelines: all(1)})
		},
		want: "0 from 0s",
	},
	{
		name: "another service to which the list is a bad request: 0",
		target: func(w *world) *Target {
			w.failOperation("ListImagePipelines", emulator.Error(400, "InvalidRequestException", ""))
			return w.discovering(web(), Selection{Pipelines: all(1)})
		},
		want: "0 from 0s",
	},
	{
		name: "another service that knows no such operation: 0",
		target: func(w *world) *Target {
			w.fail("", emulator.Error(404, "UnknownOperationException", ""))
			return runningTarget(3)(w)
		},
		want: "0 from 0s",
	},
	{
		name: "ids that are not found: 1",
		target: func(w *world) *Target {
			w.fail("", emulator.Error(404, "ResourceNotFoundException", ""))
			return runningTarget(3)(w)
		},
		want: "1 from 0s",
	},
}

// TestUpIsAFactOfTheTarget plays the table of imagebuilder_up in docs/metrics.md.
func TestUpIsAFactOfTheTarget(t *testing.T) {
	t.Parallel()
	for _, c := range upCases {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				target := c.target(w)
				w.last = target
				w.scrape(target)
				w.scrapeEvery(target, 15*time.Second, 4*time.Minute+45*time.Second)
				w.at(5 * time.Minute)
				if c.change != nil {
					c.change(w)
				}
				if c.every == 0 {
					c.every = 15 * time.Second
				}
				if got := upChanges(w, target, c.every); got != c.want {
					t.Errorf("up is %s; want %s", got, c.want)
				}
			})
		})
	}
}

// TestWithoutCredentialsEveryAnswerIsOutdated asks one subject now, and others later.
func TestWithoutCredentialsEveryAnswerIsOutdated(t *testing.T) {
	for name, c := range map[string]struct {
		fault http.Handler
		up    bool
	}{
		"credentials that are not accepted": {expired, false},
		"a refusal of this operation":       {refused, true},
		"a service that fails":              {unavailable, false},
		"a throttle":                        {throttled, true},
	} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			target := runningAndPipelines(w, time.Hour)
			w.scrape(target)
			w.failOperation("GetWorkflowExecution", c.fault)
			w.at(10 * time.Second)
			w.scrape(target)
			w.at(30 * time.Second)
			if s := w.scrape(target); s.Up != c.up {
				t.Errorf("%s: up %t, want %t, while the pipelines are not due", name, s.Up, c.up)
			}
		})
	}
}

// TestARefusalOutdatesItsOperation asks about two images at different times: when the
// first one is refused, the answer about the other counts no longer.
func TestARefusalOutdatesItsOperation(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := made("a", 1, w.begin.Add(-time.Hour), steps(emulator.Failed)), made("b", 2, w.begin.Add(-time.Hour), steps(emulator.Failed))
		w.fail(b.ARN, emulator.Error(500, "ServiceException", "")) // so that it is due at other times
		target := w.discovering(&emulator.Account{Images: []emulator.Image{a, b}}, Selection{Images: []string{a.ARN, b.ARN}})
		w.scrapeEvery(target, 15*time.Second, 2*time.Minute)
		w.fail(b.ARN, nil)
		w.scrapeEvery(target, 15*time.Second, 10*time.Minute)
		w.failOperation("GetImage", refused)
		for {
			w.at(w.now() + 15*time.Second)
			s := w.scrape(target)
			failing := 0
			for _, source := range target.sources {
				if source.Failing {
					failing++
				}
			}
			if s.Up != (failing == 0) || failing > 1 {
				t.Fatalf("at %s: up %t while %d of 2 are refused", w.now(), s.Up, failing)
			}
			if failing == 1 {
				return
			}
		}
	})
}
