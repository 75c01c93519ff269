package emulator

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// change lets do change a copy of an image, which takes its place. Of an image of which only
// executions are known, it is one that has these.
func (x *index) change(arn string, now time.Time, do func(*Image) error) error {
	next := Image{ARN: arn}
	i := slices.IndexFunc(x.images[arn], func(i *Image) bool { return i.exists(now) })
	switch {
	case i >= 0:
		next = *x.images[arn][i]
	case len(x.runs[arn]) > 0 && len(x.images[arn]) == 0:
		next.Attempts = []Attempt{{}}
		for _, p := range x.runs[arn] {
			next.Attempts[0].Runs = append(next.Attempts[0].Runs, *p.run)
		}
	default:
		return noImage(arn)
	}
	next.Attempts = slices.Clone(next.Attempts)
	for n := range next.Attempts {
		next.Attempts[n].Runs = slices.Clone(next.Attempts[n].Runs)
	}
	if err := do(&next); err != nil {
		return err
	}
	x.put(&next)
	return nil
}

// put puts an image in the place of the one with its ARN, and its runs in theirs.
func (x *index) put(next *Image) {
	var image *Image // of the runs; nil where only they are known
	for _, k := range imageKeys(next) {
		if i := slices.IndexFunc(x.images[k], func(i *Image) bool { return i.ARN == next.ARN }); i >= 0 {
			x.images[k][i], image = next, next
		}
	}
	if image != nil {
		x.changed[next.ARN] = next
	}
	for n := range next.Attempts {
		runs := next.Attempts[n].Runs
		for j := range runs {
			runs[j].ImageBuildVersionARN = next.ARN
			x.putRun(place{&runs[j], image, n})
		}
	}
}

func (x *index) putRun(p place) {
	for _, k := range runKeys(p.run) {
		same := func(o place) bool {
			return o.run.ID == p.run.ID && o.run.ImageBuildVersionARN == p.run.ImageBuildVersionARN
		}
		if i := slices.IndexFunc(x.runs[k], same); i >= 0 {
			x.runs[k][i] = p
		} else {
			x.runs[k] = append(x.runs[k], p)
		}
	}
}

// cancel ends the making of i.
func (i *Image) cancel(now time.Time) error {
	if status := i.Status(now); !going(status) {
		return badRequest("The image is " + status + ": its creation has ended.")
	}
	n := i.attempt(now)
	if n < 0 { // the first one ends as it begins
		n, i.Attempts[0].Start = 0, now
	}
	a := &i.Attempts[n]
	a.cancelled = now
	for j := range a.Runs {
		if r := &a.Runs[j]; r.course(now).end.IsZero() && !r.Start.IsZero() && r.Start.Before(now) {
			r.Cancelled = now.Sub(r.Start)
		}
	}
	return nil
}

// going reports whether an image of that status is in the making.
func going(status string) bool {
	return slices.Contains([]string{"PENDING", "CREATING", "BUILDING", "TESTING", "DISTRIBUTING", "INTEGRATING"}, status)
}

// retry begins another attempt. It repeats what has not completed, and goes well.
func (i *Image) retry(now time.Time) error {
	status, n := i.Status(now), i.attempt(now)
	switch {
	case going(status):
		return &refusal{http.StatusBadRequest, "ResourceInUseException", "The image is " + status + "."}
	case status != "FAILED" && status != "CANCELLED", n < 0:
		return badRequest("The image is " + status + ": there is nothing to retry.")
	}
	last := &i.Attempts[n]
	again := Attempt{Start: now, Distributes: last.Distributes, Integrates: last.Integrates, retry: true}
	for j := range last.Runs {
		if r := &last.Runs[j]; !last.has(r, now) || r.course(now).status != "COMPLETED" {
			again.Runs = append(again.Runs, *r)
		}
	}
	if len(again.Runs) == 0 {
		again.Distributes = cmp.Or(again.Distributes, 5*time.Minute)
	}
	repeat(again.Runs, now, fmt.Sprint(i.ARN, len(i.Attempts)))
	i.Attempts = slices.Insert(i.Attempts, n+1, again)
	return nil
}

// repeat makes of runs others that begin at that time, and go well.
func repeat(runs []Run, at time.Time, of string) {
	var first time.Time
	for i := range runs {
		if s := runs[i].Start; first.IsZero() || !s.IsZero() && s.Before(first) {
			first = s
		}
	}
	for i := range runs {
		r := &runs[i]
		start := at
		if !r.Start.IsZero() {
			start = at.Add(r.Start.Sub(first))
		}
		*r = Run{
			ID: runID(0, of, i), WorkflowBuildVersionARN: r.WorkflowBuildVersionARN, Type: r.Type,
			ParallelGroup: r.ParallelGroup, Start: start, Steps: slices.Clone(r.Steps),
		}
		for n := range r.Steps {
			if s := &r.Steps[n]; s.Ends == Failed {
				s.Ends = Succeeded
			}
		}
	}
}

// firstStarted is below the build numbers of images that callers start, so that these are
// never those of the scenario.
const firstStarted = 100_000

// start adds an image of p that is made as the newest one was, and goes well.
func (x *index) start(p *Pipeline, tags map[string]string, now time.Time) (arn string) {
	model := x.newest(p, now)
	version := path.Dir(model.ARN)
	build := firstStarted
	for _, i := range x.images[arnUnversioned(model.ARN)] {
		if n, err := strconv.Atoi(path.Base(i.ARN)); err == nil && path.Dir(i.ARN) == version {
			build = max(build, n)
		}
	}
	i := model
	i.ARN, i.PipelineARN, i.BuildType, i.Tags = fmt.Sprintf("%s/%d", version, build+1), p.ARN, "USER_INITIATED", maps.Clone(model.Tags)
	i.Created, i.Deleted, i.Deprecates = now, time.Time{}, time.Time{}
	i.Deprecated, i.Disabled, i.Retired = time.Time{}, time.Time{}, time.Time{}
	if len(tags) > 0 && i.Tags == nil {
		i.Tags = map[string]string{}
	}
	maps.Copy(i.Tags, tags)
	first := model.Attempts[0]
	i.Attempts = []Attempt{{Start: now, Runs: slices.Clone(first.Runs), Distributes: first.Distributes, Integrates: first.Integrates}}
	repeat(i.Attempts[0].Runs, now, i.ARN)
	i.Outputs = slices.Clone(model.Outputs)
	for n := range i.Outputs {
		if o := &i.Outputs[n]; o.AMI != "" {
			o.AMI = fmt.Sprintf("ami-0%016x", digest(i.ARN, o.Region)&0xfffffffffffffff)
		}
	}
	x.addImage(i)
	return i.ARN
}

// newest returns the newest image of p, or what its first one may be. It has a run.
func (x *index) newest(p *Pipeline, now time.Time) Image {
	newest := Image{ARN: p.arnOf("image") + "/1.0.0/1"}
	if p.Build != nil {
		newest = p.build(0)
	}
	for n, i := range x.images[p.ARN] {
		if i.exists(now) && (n == 0 || !i.Created.Before(newest.Created)) {
			newest = *i
		}
	}
	if len(newest.Attempts) == 0 || len(newest.Attempts[0].Runs) == 0 {
		region := arnPart(p.ARN, 3)
		build := Run{Type: "BUILD", WorkflowBuildVersionARN: workflowARN(region, "BUILD"), Start: now, Steps: buildSteps(time.Minute)}
		test := Run{Type: "TEST", WorkflowBuildVersionARN: workflowARN(region, "TEST"), Start: build.end(), Steps: testSteps(time.Minute)}
		newest.Attempts = []Attempt{{Start: now, Runs: []Run{build, test}}}
	}
	return newest
}

// decide ends a step that waits, as the request says.
func (x *index) decide(q *request) error {
	id, image := strings.ToLower(q.input.StepExecutionID), q.input.ImageBuildVersionARN
	places := x.runs[id[:stepIDsLength]]
	i := slices.IndexFunc(places, func(p place) bool { return p.seen(q.now) && p.run.step(id) >= 0 })
	switch {
	case i < 0 || !q.sees(image):
		return unknown("step execution", id)
	case places[i].run.ImageBuildVersionARN != image:
		return invalid("imageBuildVersionArn", "the step belongs to another image")
	}
	p := places[i]
	return x.change(image, q.now, func(i *Image) error {
		return i.Attempts[p.attempt].decide(p.run.ID, p.run.step(id), q.input.Action == "RESUME", q.now)
	})
}

// decide ends a step that waits, and so lets the run go on or fail. What was to begin after
// it begins so much earlier.
func (a *Attempt) decide(run string, step int, resume bool, now time.Time) error {
	r := &a.Runs[slices.IndexFunc(a.Runs, func(r Run) bool { return r.ID == run })]
	c := r.course(now).steps[step]
	if c.status != "WAITING" {
		return badRequest("The step " + r.StepID(step) + " is " + c.status + ": it does not wait for an action.")
	}
	r.Steps = slices.Clone(r.Steps)
	s := &r.Steps[step]
	end, saved := c.start.Add(s.Takes), s.Takes-now.Sub(c.start)
	for n := range a.Runs {
		if !a.Runs[n].Start.Before(end) {
			a.Runs[n].Start = a.Runs[n].Start.Add(-saved)
		}
	}
	switch s.Takes -= saved; {
	case resume:
		s.Ends = Succeeded
	case s.Ends != FailedIgnored:
		s.Ends = Failed
	}
	return nil
}
