package emulator

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Scenario is what exists in one account, in all of its regions. Its methods may be
// called concurrently. What they return belongs to the Scenario.
type Scenario interface {
	// WorkflowExecution returns the execution with this id, in lower case, as it is
	// at that time, and whether there is one.
	WorkflowExecution(id string, now time.Time) (Execution, bool)

	// WorkflowRuns returns the course of the executions that there are at that time:
	// the one with an execution id in lower case, or with a step of an id, those of an
	// image build version, by ARN, or, for "", those with a step that waits at some
	// time.
	WorkflowRuns(of string, now time.Time) []Run

	// ImagePipelines returns the pipelines that there are at that time.
	ImagePipelines(now time.Time) []Pipeline

	// ImageBuilds returns the images that there are at that time: all those of a
	// pipeline, by ARN, of an image name, by ARN without the version, the one with an
	// ARN, or, for "", all that there are.
	ImageBuilds(of string, now time.Time) []Image
}

// WorkflowExecution implements Scenario.
func (a *Account) WorkflowExecution(id string, now time.Time) (Execution, bool) {
	runs := a.WorkflowRuns(id, now)
	if len(runs) == 0 {
		return Execution{}, false
	}
	return runs[0].At(now), true
}

// WorkflowRuns implements Scenario.
func (a *Account) WorkflowRuns(of string, now time.Time) (runs []Run) {
	if strings.HasPrefix(of, "step-") && len(of) > stepIDsLength {
		of = of[:stepIDsLength]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.at(now).runs[of] {
		if !p.seen(now) {
			continue
		}
		r := *p.run
		if p.image != nil {
			r.Retried = p.attempt < p.image.attempt(now)
		}
		runs = append(runs, r)
	}
	return runs
}

// seen reports whether the run is there at that time.
func (p place) seen(now time.Time) bool {
	i := p.image
	return i == nil || i.exists(now) && p.attempt <= i.attempt(now) && i.Attempts[p.attempt].has(p.run, now)
}

// ImagePipelines implements Scenario.
func (a *Account) ImagePipelines(now time.Time) []Pipeline {
	gone := func(p Pipeline) bool { return !p.exists(now) }
	if !slices.ContainsFunc(a.Pipelines, gone) {
		return a.Pipelines
	}
	return slices.DeleteFunc(slices.Clone(a.Pipelines), gone)
}

// pipeline returns the pipeline with an ARN at that time, nil when there is none.
func (a *Account) pipeline(arn string, now time.Time) *Pipeline {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at(now).pipeline(arn, now)
}

func (x *index) pipeline(arn string, now time.Time) *Pipeline {
	all := x.pipelines[arn]
	if i := slices.IndexFunc(all, func(p *Pipeline) bool { return p.exists(now) }); i >= 0 {
		return all[i]
	}
	return nil
}

// ImageBuilds implements Scenario.
func (a *Account) ImageBuilds(of string, now time.Time) (images []Image) {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.at(now)
	found := x.images[of]
	if of == "" {
		found = x.all()
	}
	for _, i := range found {
		if i.exists(now) {
			images = append(images, *i)
		}
	}
	return images
}

// all returns all images in the order of their ARNs.
func (x *index) all() (all []*Image) {
	for _, key := range slices.Sorted(maps.Keys(x.images)) {
		for _, i := range x.images[key] {
			if i.ARN == key {
				all = append(all, i)
			}
		}
	}
	return all
}
