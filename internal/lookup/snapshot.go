package lookup

import (
	"cmp"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// Snapshot is what a Target knows at one moment. What its pointers and slices hold is
// shared and must not be changed.
type Snapshot struct {
	Name, Region string
	Time         time.Time // the moment

	// Up is false when the last refresh found Image Builder out of reach, or the one
	// that the scrape has waited for did so far, and before the first answer.
	Up bool
	// RefreshEnded tells whether a refresh has ended; RefreshDuration is how long the
	// last one took.
	RefreshEnded    bool
	RefreshDuration time.Duration
	// LastSuccess is when a refresh last ended with every lookup answered; zero for
	// never.
	LastSuccess time.Time
	// DiscoveredAt is the moment since which everything that the selection consists of
	// was read; zero for never, and without discovery.
	DiscoveredAt time.Time

	Executions []Execution // all that are selected, in the order of their ids
	Dropped    int         // executions that were found and left out
	Images     []Image     // those whose executions are followed, in the order of their ARNs
	Pipelines  []Pipeline  // those that are selected, in the order of their names
	Waiting    []imagebuilder.WaitingStep
}

// Execution is what is known about one selected execution.
type Execution struct {
	ID string
	// Value is what is to be published, nil for nothing.
	Value *imagebuilder.Execution
	// Pipeline is the name of the pipeline that made the image, empty when not known.
	Pipeline string
	// Steps are those of the execution, nil when they are not known.
	Steps []imagebuilder.Step
	// ReadAt is when Value was read.
	ReadAt time.Time
	// LookedUp tells whether a lookup has ended.
	LookedUp bool
	// Failure is why the last lookup that ended has failed; empty when it succeeded.
	Failure imagebuilder.Class
	// Reason is that failure in words, for people.
	Reason string
}

// Image is an image build version, and the name of the pipeline that made it, empty
// when that is not known.
type Image struct {
	*imagebuilder.Image
	Pipeline string
}

// Pipeline is a pipeline, and when the newest available image among all its builds was
// created, zero when there is none or it is not known.
type Pipeline struct {
	*imagebuilder.Pipeline
	LastSuccess time.Time
}

// Known returns what t knows, and asks nothing. After a panic that is nothing.
func (t *Target) Known() Snapshot {
	s := Snapshot{Name: t.c.Name, Region: t.c.Region, Time: time.Now()}
	err := t.contain("Known", imagebuilder.Invalid, func() {
		known := t.snapshot(s.Time)
		s = known
	})
	if err != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.listed = nil // it may be half a list
		t.report(t.scrapes, err, s.Time)
	}
	return s
}

// snapshot returns what t knows.
func (t *Target) snapshot(now time.Time) Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.list() // first of all: it decides what is left out
	s := Snapshot{
		Name: t.c.Name, Region: t.c.Region, Time: now,
		Up: t.up, RefreshEnded: t.ended, RefreshDuration: t.duration, LastSuccess: t.lastSuccess,
		DiscoveredAt: t.wholeAt,
		Images:       t.imagesAt(),
		Pipelines:    t.pipelinesAt(now),
		Dropped:      t.dropped,
		Executions:   make([]Execution, len(all)),
	}
	active := map[string]bool{}
	for i := range all {
		f := &all[i]
		x := &s.Executions[i]
		*x = Execution{ID: f.id, LookedUp: f.entry.lookedUp, Failure: f.entry.failure, Reason: f.entry.reason}
		if !f.publishable(now, t.c.MaxStaleness) {
			continue
		}
		x.Value, x.ReadAt, x.Pipeline = f.value, f.readAt, t.pipelineOf(f)
		if e := t.steps[f.id]; e != nil && e.publishable(now, t.c.MaxStaleness) {
			x.Steps = e.question.(*stepList).steps
		}
		if t.waiting != nil && !f.value.Status.Final() {
			active[f.id] = true
		}
	}
	s.Waiting = t.waitingAt(now, active)
	return s
}

// waitingAt returns the steps of active executions that wait.
func (t *Target) waitingAt(now time.Time, active map[string]bool) []imagebuilder.WaitingStep {
	if t.waiting == nil || !t.waiting.publishable(now, t.c.MaxStaleness) {
		return nil
	}
	var all []imagebuilder.WaitingStep
	for _, step := range t.waiting.question.(*waitingList).steps {
		if active[step.ExecutionID] {
			all = append(all, step)
		}
	}
	return all
}

func (t *Target) imagesAt() []Image {
	var all []Image
	for _, b := range t.builds {
		if !b.entry.paused && !b.dropped {
			all = append(all, Image{Image: b.image, Pipeline: b.pipeline})
		}
	}
	slices.SortFunc(all, func(a, b Image) int { return cmp.Compare(a.ARN, b.ARN) })
	return all
}

func (t *Target) pipelinesAt(now time.Time) []Pipeline {
	if t.pipelines == nil || !t.pipelines.publishable(now, t.c.MaxStaleness) {
		return nil
	}
	selected := t.pipelines.question.(*pipelineList).selected
	all := make([]Pipeline, len(selected))
	for i := range selected {
		all[i].Pipeline = &selected[i]
		e := t.sources[subject{"ListImagePipelineImages", selected[i].ARN}]
		if e != nil && e.publishable(now, t.c.MaxStaleness) {
			all[i].LastSuccess = e.question.(*source).lastSuccess
		}
	}
	return all
}
