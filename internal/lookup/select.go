package lookup

import (
	"context"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// Select replaces what t looks up, and how often. What is known of that which stays
// survives. That which goes is forgotten, and no scrape waits for it any longer. What is
// new is asked for at the next scrape.
func (t *Target) Select(s Selection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, now := t.c.Selection, time.Now()
	t.c.Selection = s
	t.selectExecutions(before.WorkflowExecutions)
	t.selectImages()
	t.selectPipelineList()
	t.selectWaiting()
	t.reselect(now)
	t.keepPace(before)
	t.selectSteps(now)
	if len(t.discoveries()) == 0 {
		t.wholeAt = time.Time{}
	}
	t.born = nil // the next scrape asks what is new
}

// selectExecutions makes t ask for the executions that are selected by their ids.
func (t *Target) selectExecutions(before []string) {
	old := t.configured
	t.configured = make(map[string]*entry, len(t.c.WorkflowExecutions))
	for _, id := range t.c.WorkflowExecutions {
		e := old[id]
		if e == nil {
			e = t.add(subject{"GetWorkflowExecution", id}, &configured{id: id})
		}
		t.configured[id] = e
		delete(old, id)
	}
	for id, e := range old {
		t.dismiss(e)
		t.dismissSteps(id)
	}
	if some := len(t.configured) > 0; some != (len(before) > 0) {
		for _, e := range t.sources {
			if q := e.question.(*source); some && q.pipelineARN != "" {
				t.askAnew(e) // for t.made
			} else {
				q.leave(t)
			}
		}
	}
}

// selectImages makes t ask for the images that are selected by their ARNs.
func (t *Target) selectImages() {
	selected := make(map[subject]bool, len(t.c.Images))
	for _, arn := range t.c.Images {
		s, q := imageQuestion(arn)
		selected[s] = true
		if t.sources[s] != nil {
			continue
		}
		if b := t.builds[arn]; b != nil && b.origin != nil { // the same question
			t.dismiss(b.origin)
			b.origin = nil
		}
		t.sources[s] = t.addDiscovery(s, q)
	}
	for s, e := range t.sources {
		if e.question.(*source).pipelineARN == "" && !selected[s] {
			delete(t.sources, s)
			t.dismiss(e)
		}
	}
}

// imageQuestion returns what asks for the builds that an ARN stands for.
func imageQuestion(arn string) (subject, *source) {
	parsed, err := imagebuilder.ParseImageARN(arn)
	if err != nil {
		panic(err) // Selection says that it can be parsed
	}
	if parsed.Build {
		return subject{"GetImage", arn}, &source{builds: 1, list: oneImage(arn)}
	}
	return subject{"ListImageBuildVersions", arn}, &source{builds: 1, list: func(ctx context.Context, c Client, started func()) ([]imagebuilder.Image, error) {
		return c.ListImageBuildVersions(ctx, arn, started)
	}}
}

// selectPipelineList makes t ask which pipelines there are, if some are to be selected.
func (t *Target) selectPipelineList() {
	switch some := len(t.c.Pipelines) > 0; {
	case some && t.pipelines == nil:
		t.pipelines = t.addDiscovery(subject{"ListImagePipelines", ""}, &pipelineList{})
	case some:
		t.pipelines.question.(*pipelineList).choose(t.c.Pipelines)
	case t.pipelines != nil:
		t.pipelines.question.(*pipelineList).choose(nil)
		t.selectPipelines(time.Time{}) // none, so their builds are asked for no more
		t.dismiss(t.pipelines)
		t.pipelines = nil
	}
}

func (t *Target) selectWaiting() {
	switch {
	case t.c.Waiting && t.waiting == nil:
		t.waiting = t.addOptional(subject{"ListWaitingWorkflowSteps", ""}, &waitingList{})
	case !t.c.Waiting && t.waiting != nil:
		t.dismiss(t.waiting)
		t.waiting = nil
	}
}

// selectSteps makes t ask for the steps of the executions that it knows, as Steps says.
func (t *Target) selectSteps(now time.Time) {
	for _, e := range t.configured {
		if v := e.question.(*configured).value; v != nil {
			t.followSteps(v, e.interval, now)
		}
	}
	for _, b := range t.builds { // also of those that are not published for now
		for _, x := range b.executions {
			if !x.dropped {
				t.followSteps(x.value, b.entry.interval, now)
			}
		}
	}
	t.listed = nil
}

// askAnew makes e due at once.
func (t *Target) askAnew(e *entry) {
	e.dueAt = time.Time{}
	t.awaken(e)
}

// keepPace makes everything due as the intervals say that have taken the place of those
// before.
func (t *Target) keepPace(before Selection) {
	if before.MinInterval == t.c.MinInterval && before.DiscoveryInterval == t.c.DiscoveryInterval {
		return
	}
	for _, e := range t.entries {
		was, is := before.MinInterval, t.c.MinInterval
		if e.lane.discovery {
			was, is = before.DiscoveryInterval, t.c.DiscoveryInterval
		}
		e.retry = t.c.MinInterval
		if e.interval == was || e.interval < is {
			e.interval = is
		}
		switch next := e.begun.Add(e.retry); {
		case e.dueAt.IsZero():
		case e.failure == "":
			e.again(e.interval)
		case next.Before(e.dueAt):
			e.dueAt = next
		}
	}
}
