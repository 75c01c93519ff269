package emulator

import (
	"slices"
	"strings"
	"time"
)

// index finds what an Account has. It holds the images that pipelines build for ever
// as far as they exist.
type index struct {
	pipelines   map[string][]*Pipeline // by ARN
	images      map[string][]*Image    // by ARN, by pipeline, and by ARN without the version
	runs        map[string][]place     // by execution id, beginning of step ids, and image; "" has those that wait
	built       [][2]int               // which builds of each pipeline are in here
	changed     map[string]*Image      // what callers have made of images, by ARN
	done        map[string]done        // by client token
	from, until time.Time              // no pipeline begins or drops a build meanwhile
}

// place is where a run is: in an image's attempt, or by itself.
type place struct {
	run     *Run
	image   *Image // nil for none
	attempt int
}

// at returns the index for that time. The caller holds the lock.
func (a *Account) at(now time.Time) *index {
	if a.index == nil {
		a.index = a.newIndex()
	}
	if x := a.index; now.Before(x.from) || !now.Before(x.until) {
		x.turn(a.Pipelines, now)
	}
	return a.index
}

func (a *Account) newIndex() *index {
	x := &index{
		pipelines: map[string][]*Pipeline{}, images: map[string][]*Image{}, runs: make(map[string][]place, 3*len(a.Runs)),
		built: make([][2]int, len(a.Pipelines)), changed: map[string]*Image{}, done: map[string]done{},
	}
	for i := range a.Pipelines {
		p := &a.Pipelines[i]
		x.pipelines[p.ARN] = append(x.pipelines[p.ARN], p)
	}
	last := make(map[string]int, len(a.Runs))
	for i := range a.Runs {
		last[strings.ToLower(a.Runs[i].ID)] = i
	}
	for i := range a.Runs {
		if r := &a.Runs[i]; last[strings.ToLower(r.ID)] == i {
			x.addRun(place{run: r})
		}
	}
	for _, i := range a.Images {
		x.addImage(i)
	}
	return x
}

// turn puts those builds of the pipelines into x that there are at that time, and
// takes the others out.
func (x *index) turn(pipelines []Pipeline, now time.Time) {
	x.from, x.until = now, now.Add(24*time.Hour)
	for i := range pipelines {
		p := &pipelines[i]
		if next := p.nextBuild(now); p.Build != nil && next.After(now) && next.Before(x.until) {
			x.until = next
		}
		from, to := p.builds(now)
		had := x.built[i]
		x.built[i] = [2]int{from, to}
		for n := had[0]; n < had[1]; n++ {
			if n < from || n >= to {
				x.removeImage(x.build(p, n))
			}
		}
		for n := from; n < to; n++ {
			if n < had[0] || n >= had[1] {
				x.addImage(x.build(p, n))
			}
		}
	}
}

// build returns the nth image of p, as callers have changed it.
func (x *index) build(p *Pipeline, n int) Image {
	i := p.build(n)
	if changed := x.changed[i.ARN]; changed != nil {
		return *changed
	}
	return i
}

// build returns the nth image of p.
func (p *Pipeline) build(n int) Image {
	at := p.First.Add(time.Duration(n) * p.Every)
	i := p.Build(n, at)
	i.PipelineARN = p.ARN
	if i.Created.IsZero() {
		i.Created = at
	}
	return i
}

// imageKeys returns the keys of an image in the index.
func imageKeys(i *Image) []string {
	keys := []string{i.ARN, arnUnversioned(i.ARN)}
	if i.PipelineARN != "" {
		keys = append(keys, i.PipelineARN)
	}
	return keys
}

// runKeys returns the keys of a run in the index.
func runKeys(r *Run) []string {
	keys := []string{strings.ToLower(r.ID), r.stepIDs()}
	if r.ImageBuildVersionARN != "" {
		keys = append(keys, r.ImageBuildVersionARN)
	}
	if slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Waits }) {
		keys = append(keys, "")
	}
	return keys
}

func (x *index) addImage(i Image) {
	i.Attempts = slices.Clone(i.Attempts)
	for n := range i.Attempts {
		a := &i.Attempts[n]
		if a.Start.IsZero() {
			a.Start = i.Created
		}
		a.Runs = slices.Clone(a.Runs)
		for j := range a.Runs {
			a.Runs[j].ImageBuildVersionARN = i.ARN
			x.addRun(place{&a.Runs[j], &i, n})
		}
	}
	for _, k := range imageKeys(&i) {
		x.images[k] = append(x.images[k], &i)
	}
}

func (x *index) addRun(p place) {
	for _, k := range runKeys(p.run) {
		x.runs[k] = append(x.runs[k], p)
	}
}

func (x *index) removeImage(i Image) {
	for _, k := range imageKeys(&i) {
		remove(x.images, k, func(other *Image) bool { return other.ARN == i.ARN })
	}
	of := func(p place) bool { return p.image != nil && p.image.ARN == i.ARN }
	for _, a := range i.Attempts {
		for _, r := range a.Runs {
			r.ImageBuildVersionARN = i.ARN
			for _, k := range runKeys(&r) {
				remove(x.runs, k, of)
			}
		}
	}
}

// remove takes what f picks out of the list under a key.
func remove[T any](lists map[string][]T, key string, f func(T) bool) {
	if lists[key] = slices.DeleteFunc(lists[key], f); len(lists[key]) == 0 {
		delete(lists, key)
	}
}
