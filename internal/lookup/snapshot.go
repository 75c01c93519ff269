package lookup

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// Snapshot is what a Target knows at one moment. What its pointers and slices hold is
// shared and must not be changed.
type Snapshot struct {
	Name, Region string
	Time         time.Time // the moment

	// Up is whether Image Builder can be reached: imagebuilder_up of docs/metrics.md.
	Up bool
	// RefreshEnded is whether a refresh has ended; RefreshDuration is how long the
	// last one took.
	RefreshEnded    bool
	RefreshDuration time.Duration
	// LastSuccess is when a refresh last ended with every lookup answered; zero for
	// never.
	LastSuccess time.Time
	// DiscoveredAt is the moment since which everything that the selection consists of
	// was read; zero for never, and without discovery.
	DiscoveredAt time.Time
	// DiscoveryInterval is the interval in which pipelines and images are searched for builds,
	// the longest one; zero without discovery.
	DiscoveryInterval time.Duration

	Executions []Execution // those that are selected and not settled, in the order of their ids
	Dropped    int         // executions that were found and left out
	Images     []Image     // those whose executions are followed, and not settled, in the order of their ARNs
	Settled    []*Batch    // the other executions and images, each in one of them
	Pipelines  []Pipeline  // those that are selected, in the order of their names
	Waiting    []WaitingStep

	TagLabels []string // keys of pipelines' tags that are published

	Selectors      []SelectorMatches // of pipelines, in the order of their texts, each once; nil when the pipelines are not known
	ImageSelectors []SelectorMatches // of images, likewise
	Errors         []FailedLookup    // lookups that fail, other than GetWorkflowExecution, in the order of operation and subject
}

// SelectorMatches says how many pipelines, or names of images, a selector matches.
type SelectorMatches struct {
	Selector string // its text
	Matches  int
}

// FailedLookup says why the last lookup of a subject failed.
type FailedLookup struct {
	Operation imagebuilder.Operation
	Subject   string             // what it asked about: an ARN or an id; empty for the whole account and region
	Class     imagebuilder.Class // why it failed
	Reason    string             // the same in words, for people
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
	// LookedUp is whether a lookup has ended.
	LookedUp bool
	// Failure is why the last lookup that ended has failed; empty when it succeeded.
	Failure imagebuilder.Class
	// Reason is that failure in words, for people.
	Reason string
	// Superseded is whether the outcome of the execution no longer matters: its workflow completed in
	// a later attempt for the same image, or a newer build is a good image.
	Superseded Fact
}

// Image is an image build version, and the name of the pipeline that made it, empty
// when that is not known. Failure and Reason say why the last list of its executions has
// failed; they are empty when it succeeded. They stay when it is given up.
type Image struct {
	*imagebuilder.Image
	Pipeline string
	// Failed says why the image failed; nil when it has not failed, or that is not known.
	Failed *imagebuilder.Failure
	// Superseded is whether a newer build is a good image.
	Superseded Fact

	Failure imagebuilder.Class
	Reason  string
}

// WaitingStep is a step that waits, and when it gives up, zero for not known.
type WaitingStep struct {
	*imagebuilder.WaitingStep
	Timeout time.Time
}

// Pipeline is a pipeline, with what follows from all its builds.
type Pipeline struct {
	*imagebuilder.Pipeline
	LastSuccess time.Time // creation of the newest good image; zero for none, or not known
	FailedInRow *int      // the newest builds that have ended and failed; nil for never built, or not known
}

// snapshot returns what t knows. It changes nothing. The caller holds t.mu.
func (t *Target) snapshot(now time.Time) Snapshot {
	last := t.schedule.Last()
	s := Snapshot{
		Name: t.c.Name, Region: t.c.Region, Time: now, DiscoveryInterval: t.discoveryInterval(),
		Up: t.reach.up, RefreshEnded: last.Any, RefreshDuration: last.Took, LastSuccess: last.LastSuccess,
		DiscoveredAt: t.derived.discoveredAt,
		Pipelines:    t.pipelinesAt(now),
		Dropped:      t.derived.dropped,
		TagLabels:    t.c.TagLabels,
		Settled:      t.derived.settled.published(),
		Errors:       t.errorsAt(),
	}
	if t.pipelines != nil && t.pipelines.Fresh(now) {
		s.Selectors = inOrder(t.pipelines.matches)
	}
	if t.images != nil && t.images.Fresh(now) {
		s.ImageSelectors = inOrder(t.images.matches)
	}
	active := map[string]bool{}
	for _, f := range t.derived.settled.liveExecutions {
		x := t.executionAt(f, now)
		s.Executions = append(s.Executions, x)
		if t.waiting != nil && x.Value != nil && !x.Value.Status.Final() {
			active[f.id] = true
		}
	}
	for _, b := range t.derived.settled.liveImages {
		s.Images = append(s.Images, b.published())
	}
	s.Waiting = t.waitingAt(now, active)
	return s
}

// executionAt returns what is published of f.
func (t *Target) executionAt(f *followed, now time.Time) Execution {
	x := Execution{ID: f.id, LookedUp: f.question.LookedUp, Failure: f.question.class(), Reason: f.question.reason()}
	if !f.publishable(now) {
		return x
	}
	x.Value, x.ReadAt, x.Pipeline, x.Superseded = f.value, f.readAt, t.pipelineOf(f), f.superseded
	if l := t.steps[f.id]; l != nil && l.Fresh(now) {
		x.Steps = l.steps
	}
	return x
}

// waitingAt returns the steps of active executions that wait.
func (t *Target) waitingAt(now time.Time, active map[string]bool) []WaitingStep {
	if t.waiting == nil || !t.waiting.Fresh(now) {
		return nil
	}
	var all []WaitingStep
	for i := range t.waiting.steps {
		step := WaitingStep{WaitingStep: &t.waiting.steps[i]}
		if !active[step.ExecutionID] {
			continue
		}
		if timeout := t.waiting.timeouts[step.ID]; timeout != nil {
			step.Timeout = timeout.at
		}
		all = append(all, step)
	}
	return all
}

// published returns what is published of the image.
func (b *build) published() Image {
	return Image{Image: b.image, Pipeline: b.pipeline, Failed: b.failure(), Superseded: b.superseded, Failure: b.class(), Reason: b.reason()}
}

func (t *Target) pipelinesAt(now time.Time) []Pipeline {
	if t.pipelines == nil || !t.pipelines.Fresh(now) {
		return nil
	}
	all := make([]Pipeline, len(t.pipelines.selected))
	for i := range all {
		p := &t.pipelines.selected[i]
		all[i].Pipeline = p
		if s := t.sources[p.ARN]; s != nil && s.Fresh(now) {
			all[i].LastSuccess, all[i].FailedInRow = s.lastSuccess, s.failedInRow
		}
	}
	return all
}

// inOrder returns what selectors match, by their texts, in the order of these.
func inOrder(matches map[string]int) []SelectorMatches {
	var all []SelectorMatches
	for _, text := range slices.Sorted(maps.Keys(matches)) {
		all = append(all, SelectorMatches{text, matches[text]})
	}
	return all
}

// errorsAt returns the lookups that fail and are tried again. Executions that are looked up
// by their ids have their own failures.
func (t *Target) errorsAt() []FailedLookup {
	var all []FailedLookup
	for q := range t.lists {
		if q.Failing && !q.Paused && !q.Settled {
			all = append(all, FailedLookup{q.operation, q.Subject.ID, q.failure.class, q.failure.reason})
		}
	}
	slices.SortFunc(all, func(a, b FailedLookup) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Subject, b.Subject))
	})
	return all
}

// lists yields every question that is published as a FailedLookup when it fails: all but
// those about executions that are selected by their ids. Those of what is settled do not fail.
func (t *Target) lists(yield func(*question) bool) {
	for q := range t.discoveries {
		if !yield(q) {
			return
		}
	}
	for _, b := range t.derived.settled.liveImages {
		if !yield(&b.question) || b.details != nil && !yield(&b.details.question) {
			return
		}
	}
	for _, f := range t.derived.settled.liveExecutions {
		if l := t.steps[f.id]; l != nil && !yield(&l.question) {
			return
		}
	}
	if t.waiting == nil || !yield(&t.waiting.question) {
		return
	}
	for _, timeout := range t.waiting.timeouts {
		if !yield(&timeout.question) {
			return
		}
	}
}
