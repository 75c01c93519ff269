package emulator

import (
	"fmt"
	"strings"
	"time"
)

// story is what happens to a pipeline of a Fleet.
type story int

const (
	healthy        story = iota // every build gets through, or is cancelled once in a while
	troubled                    // some builds in a row fail, then some get through
	neverGood                   // every build fails
	disabled                    // somebody has disabled it
	nearlyDisabled              // AWS disables it if it fails once more
	waits                       // each build waits for an approval, for a day
	waitsToTheEnd               // as well, and at start is near the time limit
	hangs                       // one of hanging pipelines at a time, by turns, has a build that runs for a day
)

// hanging is how many pipelines hang by turns, so that a build of each usually takes no longer
// than others do.
const hanging = 7

// mayFail is how many builds in a row may fail until AWS disables a pipeline that is
// nearlyDisabled.
const mayFail = 5

// storyOf returns what happens to the pipeline of this rank among so many, and its rank among
// those to which the same happens.
func storyOf(rank, pipelines int) (story, int) {
	for _, s := range []struct {
		story
		pipelines int
	}{{neverGood, 1}, {disabled, 1}, {nearlyDisabled, 1}, {waits, 1}, {waitsToTheEnd, 1}, {hangs, hanging}, {troubled, pipelines / 8}} {
		if rank < s.pipelines {
			return s.story, rank
		}
		rank -= s.pipelines
	}
	return healthy, rank
}

// cycle is after how many builds a troubled pipeline begins again, and inARow are how many fail
// then, by the rank of the pipeline.
const cycle = 10

var inARow = []int{1, 7, 4, 2, 5}

// trouble returns the number of the cycle to which build n of a troubled pipeline belongs, and
// whether the build fails.
func (p *fleetPipeline) trouble(n int) (number int, fails bool) {
	class, turn := p.rank%len(inARow), p.rank/len(inARow)
	n += cycle*10 + 3*turn + 2*class - (p.keep - 1) // every class is at every place of the cycle
	return n / cycle, n%cycle < inARow[class]
}

// image returns the nth build of p.
func (p *fleetPipeline) image(n int, at time.Time) Image {
	i := p.demo.image(p.slug, p.version, p.before+n+1, at)
	i.Name, i.Platform, i.Type, i.Tags = p.name, p.platform, p.kind, p.tags
	i.Deprecates = at.AddDate(0, 0, 90)
	w := p.work(i.vary(p.each))
	sinceStart := n - (p.keep - 1)
	switch p.story {
	case troubled:
		if number, fails := p.trouble(n); fails {
			p.fail(&w, p.rank+p.rank/len(inARow)+number)
		}
	case neverGood:
		p.fail(&w, 0)
	case nearlyDisabled:
		if (sinceStart+cycle*mayFail)%mayFail != 1 {
			p.fail(&w, 1)
		}
	case waits, waitsToTheEnd:
		w = p.work(p.each) // always the same, so that one wait begins when the last one ends
		w.build = withApproval(w.build, day, 25*time.Hour)
	case hangs:
		if (sinceStart+cycle*hanging)%hanging == p.rank {
			w.build[1].Takes, w.build[1].Timeout, w.cancelled = 3*day, 3*day, day
		}
	case healthy:
		if (n+p.rank)%50 == 0 {
			w.cancelled = 3 * p.each
		}
	}
	return p.make(&i, w)
}

// work is what a build is to do.
type work struct {
	build, test, distribution []Step // none: it has no such execution
	cancelled                 time.Duration
	rollback                  time.Duration
}

// work returns what builds of p do if all goes well.
func (p *fleetPipeline) work(each time.Duration) work {
	w := work{build: buildSteps(each), test: testSteps(each)}
	if p.kind == "DOCKER" {
		w.build = containerSteps(each)
	}
	if p.rank%3 == 0 {
		w.distribution = distribution(each, 4*each, p.story == healthy && p.rank%30 == 0)
	}
	return w
}

// make returns the image that is made by w.
func (p *fleetPipeline) make(i *demoImage, w work) Image {
	built := i.add("BUILD", Run{Start: i.Created, Steps: w.build, Cancelled: w.cancelled, Rollback: w.rollback})
	tested := i.add("TEST", Run{Start: built, Steps: w.test})
	if w.distribution != nil {
		i.add("DISTRIBUTION", Run{Start: tested, Steps: w.distribution})
	}
	if p.kind == "DOCKER" {
		tag := strings.ReplaceAll(arnVersion(i.ARN), "/", "-")
		uri := fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s:%s", p.demo.account, p.demo.region, p.slug, tag)
		i.Outputs = []Output{{Region: p.demo.region, ContainerURI: uri}}
		return i.Image
	}
	return i.ships(p.demo.region, "us-west-2")
}

// fail makes w fail for one of several reasons.
func (p *fleetPipeline) fail(w *work, reason int) {
	switch reason % 6 {
	case 0:
		failIn(w.build, "ApplyBuildComponents", p.component("monitoring-agent", "build", "InstallAgent", "exit code 1: package monitoring-agent-4.2.0 was not found"))
	case 1:
		failIn(w.test, "ApplyTestComponents", p.component("smoke-test", "test", "CheckServices", "nothing answered on port 8443 within 120 seconds"))
	case 2:
		if w.distribution == nil {
			w.distribution = distribution(p.each, 4*p.each, false)
		}
		failTo(w.distribution, "CopyToRegion01",
			RegionFailure{"us-west-2", "FAILED", p.demo.account, "COPY_IMAGE", "The KMS key of the AMI cannot be used there."},
			RegionFailure{"eu-north-1", "TIMED_OUT", "555566667777", "COPY_IMAGE", "The copy did not end in time."})
	case 3:
		failAt(w.build, "LaunchBuildInstance")
	case 4:
		failIn(w.build, "ApplyBuildComponents", p.component("cis-hardening", "validate", "CheckAuditRules", "exit code 2: 3 of 214 rules do not hold"))
		w.rollback = 2 * p.each
	case 5:
		failIn(w.test, "ApplyTestComponents", p.component("licence-check", "test", "ReachLicenceServer", "exit code 7: connection to licences.example.com:443 timed out"))
	}
}

// failTo makes the step of that name fail to distribute.
func failTo(steps []Step, name string, to ...RegionFailure) {
	for i := range failAt(steps, name) {
		if steps[i].Name == name {
			steps[i].Regions = to
		}
	}
}
