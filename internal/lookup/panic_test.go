package lookup

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/schedule"
)

// panics is a Client that knows every execution, and panics where a test says so.
type panics struct {
	Client
	authenticate bool
	id           string // of the execution whose lookup panics
}

func (p *panics) Authenticate(context.Context) error {
	if p.authenticate {
		panic("no luck")
	}
	return nil
}

func (p *panics) GetWorkflowExecution(_ context.Context, id string, started func()) (imagebuilder.Execution, error) {
	started()
	if id == p.id {
		panic("no luck")
	}
	return imagebuilder.Execution{ID: id, Status: imagebuilder.StatusRunning}, nil
}

// counted counts what panicked.
type counted int

func (c *counted) Inc() { *c++ }

// panicking returns a Target of two executions that asks client, what it logs, and how
// many panics it counts.
func panicking(t *testing.T, client Client) (*Target, *bytes.Buffer, *counted) {
	t.Helper()
	var logs bytes.Buffer
	var n counted
	target := New(Config{
		Name: "a", Region: "eu-west-1", Selection: Selection{
			WorkflowExecutions: []string{id(1), id(2)},
			MinInterval:        10 * time.Second, MaxStaleness: time.Minute, MaxExecutions: 10,
		},
		Client: client, Logger: log.NewLogfmtLogger(log.NewSyncWriter(&logs)), Panics: &n,
	})
	t.Cleanup(target.Close)
	return target, &logs, &n
}

// scrapeFor scrapes target at once and n more times, every 10 s, and returns what each
// scrape is told of the executions: their failures, or their statuses.
func scrapeFor(t *testing.T, target *Target, n int) []string {
	t.Helper()
	var told []string
	for i := range n {
		if i > 0 {
			<-time.After(10 * time.Second)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		s := whole(target.Lookup(ctx))
		if ctx.Err() != nil {
			t.Error("a scrape has waited in vain")
		}
		cancel()
		line := "down"
		if s.Up {
			line = "up"
		}
		for _, e := range s.Executions {
			switch {
			case e.Failure != "":
				line += " " + string(e.Failure)
			case e.Value != nil:
				line += " " + string(e.Value.Status)
			}
		}
		told = append(told, line)
	}
	return told
}

func TestAPanicIsAFailureOfOneLookup(t *testing.T) {
	test(t, func(t *testing.T) {
		client := &panics{id: id(1)}
		target, logs, n := panicking(t, client)
		if diff := cmp.Diff([]string{"up invalid RUNNING", "up invalid RUNNING"}, scrapeFor(t, target, 2)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		client.id = ""
		<-time.After(10 * time.Second)
		if diff := cmp.Diff([]string{"up RUNNING RUNNING"}, scrapeFor(t, target, 1)); diff != "" {
			t.Errorf("when it panics no more (-want +got):\n%s", diff)
		}
		if *n != 2 || strings.Count(logs.String(), "panic: no luck") != 1 || !strings.Contains(logs.String(), "panic_test.go") || !strings.Contains(logs.String(), "recovered") {
			t.Errorf("%d panics are counted, want 2; the log is\n%s", *n, logs)
		}
	})
}

func TestAPanicWhileAuthenticatingIsAFailureToAuthenticate(t *testing.T) {
	test(t, func(t *testing.T) {
		client := &panics{authenticate: true}
		target, logs, n := panicking(t, client)
		if diff := cmp.Diff([]string{"down denied denied"}, scrapeFor(t, target, 1)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		client.authenticate = false
		<-time.After(10 * time.Second)
		if diff := cmp.Diff([]string{"up RUNNING RUNNING"}, scrapeFor(t, target, 1)); diff != "" {
			t.Errorf("when it panics no more (-want +got):\n%s", diff)
		}
		if *n != 1 || strings.Count(logs.String(), "panic: no luck") != 1 {
			t.Errorf("%d panics are counted, want 1; the log is\n%s", *n, logs)
		}
	})
}

// cannotTake is a Question that cannot take in its answer.
type cannotTake struct{ *configured }

func (q cannotTake) Ask(ctx context.Context, started func()) (func(time.Time), error) {
	_, err := q.configured.Ask(ctx, started)
	return func(time.Time) { panic("cannot take") }, err
}

// cannotFail is a Question that cannot take in that there is no answer.
type cannotFail struct{ *configured }

func (cannotFail) Failed(time.Time) { panic("cannot fail") }

// knowsNothing is a Client that finds nothing.
type knowsNothing struct{ panics }

func (*knowsNothing) GetWorkflowExecution(context.Context, string, func()) (imagebuilder.Execution, error) {
	return imagebuilder.Execution{}, &imagebuilder.Error{Class: imagebuilder.NotFound, Err: context.Canceled}
}

func TestAPanicWhileTakingInAnAnswer(t *testing.T) {
	for what, c := range map[string]struct {
		client   Client
		question func(*configured) schedule.Question
		want     string
	}{
		"cannot take": {&panics{}, func(c *configured) schedule.Question { return cannotTake{c} }, "up invalid RUNNING"},
		"cannot fail": {&knowsNothing{}, func(c *configured) schedule.Question { return cannotFail{c} }, "up invalid not_found"},
	} {
		test(t, func(t *testing.T) {
			target, logs, n := panicking(t, c.client)
			broken := target.configured[id(1)]
			target.schedule.Remove(&broken.Entry)
			*broken = *newConfigured(target, id(1))
			target.schedule.Add(&broken.Entry, c.question(broken))
			if diff := cmp.Diff([]string{c.want, c.want}, scrapeFor(t, target, 2)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
			if left := sizes(target); broken.class() != imagebuilder.Invalid || broken.HasAnswer || left.Refreshes != 0 {
				t.Errorf("%s: failure %q, known %t, left over %+v", what, broken.class(), broken.HasAnswer, left)
			}
			if *n != 2 || strings.Count(logs.String(), what) != 1 {
				t.Errorf("%s: %d panics are counted, want 2; the log is\n%s", what, *n, logs)
			}
		})
	}
}

// TestAPanicOfAScrape is one in the goroutine of the scrape, which holds the Target's mutex.
func TestAPanicOfAScrape(t *testing.T) {
	test(t, func(t *testing.T) {
		target, logs, n := panicking(t, &panics{})
		scrapeFor(t, target, 1)
		good := target.reach.asked
		target.reach.asked = append(slices.Clone(good), nil) // which derive does not expect
		<-time.After(10 * time.Second)
		s := target.Lookup(t.Context())
		if diff := cmp.Diff(Snapshot{Name: "a", Region: "eu-west-1", Time: time.Now()}, s); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		target.Known()
		target.Lookup(t.Context())
		target.reach.asked = good
		<-time.After(10 * time.Second)
		if diff := cmp.Diff([]string{"up RUNNING RUNNING"}, scrapeFor(t, target, 1)); diff != "" {
			t.Errorf("when it panics no more (-want +got):\n%s", diff)
		}
		if *n != 2 || strings.Count(logs.String(), "lookup fails") != 1 || strings.Count(logs.String(), "recovered") != 1 {
			t.Errorf("%d panics are counted, want 2; the log is\n%s", *n, logs)
		}
	})
}

// TestAPanicOfAPage is one while somebody reads what is known, which asks nothing.
func TestAPanicOfAPage(t *testing.T) {
	test(t, func(t *testing.T) {
		target, logs, n := panicking(t, nil)
		good := target.derived.executions[0].question
		target.derived.executions[0].question = nil // which snapshot does not expect
		for range 2 {
			if diff := cmp.Diff(Snapshot{Name: "a", Region: "eu-west-1", Time: time.Now()}, target.Known()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		target.derived.executions[0].question = good
		if got := target.Known().Executions; len(got) != 2 || got[0].LookedUp {
			t.Errorf("when it panics no more it knows %v", got)
		}
		if *n != 2 || strings.Count(logs.String(), "lookup fails") != 1 || !strings.Contains(logs.String(), "stack=") {
			t.Errorf("%d panics are counted, want 2; the log is\n%s", *n, logs)
		}
	})
}

// spoils is a Client after whose first list of pipelines the selection cannot be read.
type spoils struct {
	Client
	target *Target
}

func (s *spoils) ListImagePipelines(ctx context.Context, started func()) ([]imagebuilder.Pipeline, error) {
	s.target.mu.Lock()
	s.target.sources["spoiled"] = nil                        // which updateFreshness does not expect
	s.target.reach.asked = append(s.target.reach.asked, nil) // and neither does derive this
	s.target.mu.Unlock()
	s.target.c.Client = s.Client
	return s.Client.ListImagePipelines(ctx, started)
}

// TestAPanicOfTheSelection is one in what follows from an answer of discovery.
func TestAPanicOfTheSelection(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		var n counted
		w.panics = &n
		target := w.discovering(web(made("web", 1, w.begin, steps())), Selection{Pipelines: all(1)})
		target.c.Client = &spoils{target.c.Client, target}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		target.wait(ctx, target.refresh(time.Now()))
		target.mu.Lock()
		delete(target.sources, "spoiled")
		target.reach.asked = slices.DeleteFunc(target.reach.asked, func(q *question) bool { return q == nil })
		if class := target.pipelines.class(); ctx.Err() != nil || n != 2 || class != imagebuilder.Invalid {
			t.Errorf("%v, %d panics are counted, failure %q", ctx.Err(), n, class)
		}
		target.mu.Unlock()
		w.at(2 * time.Minute)
		if s := w.scrape(target); !s.Up || len(s.Images) != 1 || n != 2 {
			t.Errorf("when it panics no more: up %t, %d images are found, %d panics are counted", s.Up, len(s.Images), n)
		}
	})
}
