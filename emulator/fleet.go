package emulator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	// FleetMin is the least number of pipelines with which a Fleet has one of each kind.
	FleetMin = 50
	// FleetMax is the number of pipelines up to which programs offer a Fleet: it bounds their memory.
	FleetMax = 1000
)

// Fleet returns the API of a large company with so many pipelines in four accounts, and what an
// exporter is to follow there. It is for looking at pages and dashboards, and for tests of size.
// The same seed, number and start give the same. Every pipeline has a schedule and weeks of
// builds, and goes on with the clock.
//
// At any time the newest build that has ended is a failure for about 5 % of the pipelines, for
// different reasons, and for some of them after others. One never had a good image. One is
// disabled. One build runs for up to a day where the others of its pipeline take less than three
// hours, and is cancelled then. Two builds wait for an approval. All others are in good health:
// some of them run, some completed although a step failed, and a few were cancelled.
//
// At start, and at the same time of each day that follows, one of the two approvals is in the
// last quarter of its time limit. For the first days, one pipeline is disabled by AWS if it fails
// once more.
func Fleet(seed uint64, pipelines int, start time.Time) (*API, []DemoTarget) {
	f := fleet{seed: seed, start: start.UTC().Truncate(time.Minute)}
	f.rank(pipelines)
	all := make([]*Account, len(fleetAccounts))
	for n := range all {
		all[n] = &Account{}
	}
	for i := range pipelines {
		to := all[i%len(all)]
		p := f.pipeline(i)
		made := p.pipeline()
		if p.story == disabled {
			to.Images = made.stop(f.start.AddDate(0, 0, -12))
		}
		to.Pipelines = append(to.Pipelines, made)
	}
	api := &API{Scenario: all[0]}
	var targets []DemoTarget
	for n, a := range fleetAccounts {
		t := DemoTarget{Name: a.name, Region: a.region, AllPipelines: true, OwnerTags: []string{"team", "owner"}}
		if n > 0 {
			t.RoleARN, t.ExternalID = "arn:aws:iam::"+a.account+":role/imagebuilder-exporter", a.name
			api.Roles = append(api.Roles, Role{ARN: t.RoleARN, ExternalID: t.ExternalID, Scenario: all[n]})
		}
		targets = append(targets, t)
	}
	return api, targets
}

// stop ends the schedule of p at that time, and returns what it had built until then.
func (p *Pipeline) stop(at time.Time) (images []Image) {
	from, to := p.builds(at)
	for n := from; n < to; n++ {
		images = append(images, p.build(n))
	}
	p.Build, p.Disabled = nil, true
	return images
}

// fleet makes the pipelines of a Fleet.
type fleet struct {
	seed  uint64
	start time.Time
	ranks []int // of the pipelines: what happens to each
}

// rank gives each pipeline a number from 0 on, in an order that means nothing.
func (f *fleet) rank(pipelines int) {
	order := make([]int, pipelines)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(f.digest(a), f.digest(b)) })
	f.ranks = make([]int, pipelines)
	for rank, i := range order {
		f.ranks[i] = rank
	}
}

func (f *fleet) digest(pipeline int) uint64 {
	return digest("fleet", fmt.Sprint(f.seed), fmt.Sprint(pipeline))
}

// fleetPipeline is a pipeline in the making.
type fleetPipeline struct {
	demo
	*fleetAccount

	start time.Time
	name  string
	slug  string // the name in ARNs
	tags  map[string]string

	version string // of its images
	before  int    // how many builds there were that are forgotten

	story story
	rank  int           // among the pipelines with the same story
	since time.Duration // how long before start the newest build began
	every time.Duration
	keep  int           // how many builds there are; all but the newest begin before start
	each  time.Duration // how long a step takes, about
}

const day = 24 * time.Hour

// pipeline returns the ith pipeline of f.
func (f *fleet) pipeline(i int) fleetPipeline {
	a := &fleetAccounts[i%len(fleetAccounts)]
	p := fleetPipeline{demo: demo{seed: f.seed, region: a.region, account: a.account}, fleetAccount: a, start: f.start}
	p.slug, p.tags = a.pipelineName(i / len(fleetAccounts))
	if p.name = p.slug; a.platform == "Windows" {
		p.name = title(p.slug)
	}
	p.story, p.rank = storyOf(f.ranks[i], len(f.ranks))
	d := f.digest(i)
	p.each = a.step * time.Duration(75+d/10%75) / 100
	p.version = fmt.Sprintf("%d.%d.0", 1+d/1000%4, d/4000%12)
	if p.story != neverGood {
		p.before = int(d / 48000 % 300)
	}
	_, turn := math.Modf(float64(i) * math.Phi) // spread evenly, so that about as many run at any time
	p.schedule(d%10 < 3, turn)
	return p
}

// schedule says when p builds. A turn from 0 to 1 is how much of the time between two builds has
// gone by at start.
func (p *fleetPipeline) schedule(weekly bool, turn float64) {
	p.every, p.keep = day, 21
	if p.story == nearlyDisabled || weekly && (p.story == healthy || p.story == troubled) {
		p.every, p.keep = 7*day, 9 // more than fail in a row
	}
	p.since = time.Duration(float64(p.every) * turn).Truncate(time.Minute)
	switch p.story {
	case waits:
		p.since = 2 * time.Hour
	case waitsToTheEnd:
		p.since = 22*time.Hour + 30*time.Minute
	case hangs:
		p.since = 5 * time.Hour
	case nearlyDisabled:
		p.since = 3 * day
	}
}

// pipeline returns p as an account has it.
func (p *fleetPipeline) pipeline() Pipeline {
	first := p.start.Add(-p.since - time.Duration(p.keep-1)*p.every)
	made := Pipeline{
		ARN: p.arn("image-pipeline/" + p.slug), Name: p.name, Platform: p.platform, Tags: p.tags,
		Created: first.AddDate(0, 0, -1), First: first, Every: p.every, Keep: p.keep, Build: p.image,
		Expression: fmt.Sprintf("cron(%d %d * * ? *)", first.Minute(), first.Hour()),
	}
	if p.every == 7*day {
		weekday := strings.ToLower(first.Weekday().String()[:3])
		made.Expression = fmt.Sprintf("cron(%d %d ? * %s *)", first.Minute(), first.Hour(), weekday)
	}
	switch p.story {
	case nearlyDisabled:
		made.AutoDisableFailures = mayFail
	case healthy, troubled:
		made.AutoDisableFailures = 10
	}
	return made
}
