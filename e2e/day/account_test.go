package day

import (
	"fmt"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// The course of the day, from midnight on. Every pipeline had a good build the night before.
const (
	nightly  = 2 * time.Hour                // all pipelines build, within an hour, and most fail
	restart  = 4 * time.Hour                // of the exporter, which takes three minutes
	approved = 5 * time.Hour                // a build that waits for it since the night
	fixed    = 6 * time.Hour                // what failed is built again, within an hour
	freed    = 7*time.Hour + 30*time.Minute // the image that was stuck since the night
	allDay   = 24 * time.Hour
)

// The pipelines, by number.
const (
	failing   = 200 // from 0 on: the nightly builds of all of these fail, for one component is broken
	hopeless  = 3   // the first of these fail again when the others are fixed
	morning   = 190 // so many have a good build after midnight, before the nightly one
	waits     = failing
	stuck     = failing + 1
	pipelines = failing + 10 // the rest is well
)

// What builds do.
var (
	good   = emulator.Step{Name: "ApplyBuildComponents", Action: "ExecuteComponents", Takes: 10 * time.Minute}
	broken = emulator.Step{Name: "ApplyBuildComponents", Action: "ExecuteComponents", Takes: 5 * time.Minute, Ends: emulator.Failed}
)

const accountARN = "arn:aws:imagebuilder:eu-west-1:111122223333:"

// pipeline makes what Image Builder has of one.
type pipeline struct {
	number   int
	midnight time.Time
}

// account is what Image Builder has, from the day before on.
func account(midnight time.Time) *emulator.Account {
	a := &emulator.Account{}
	for number := range pipelines {
		p := pipeline{number, midnight}
		a.Pipelines = append(a.Pipelines, p.scheduled())
		a.Images = append(a.Images, p.others()...)
	}
	return a
}

func pipelineName(number int) string { return fmt.Sprintf("p%03d", number) }

// begins returns when a pipeline builds if all do so within an hour.
func begins(all time.Duration, number int) time.Duration {
	return all + time.Duration(number)*time.Hour/pipelines
}

// scheduled returns the pipeline with the build of the night before and of this one.
func (p pipeline) scheduled() emulator.Pipeline {
	return emulator.Pipeline{
		ARN:   accountARN + "image-pipeline/" + pipelineName(p.number),
		First: p.midnight.Add(begins(nightly, p.number) - allDay), Every: allDay,
		Build: func(n int, at time.Time) emulator.Image {
			if n == 0 {
				return p.image(1, at, good)
			}
			return p.tonight(at)
		},
	}
}

// tonight returns the third build.
func (p pipeline) tonight(at time.Time) emulator.Image {
	switch {
	case p.number < failing:
		return p.image(3, at, broken)
	case p.number == waits:
		return p.image(3, at, emulator.Step{Name: "Approve", Action: "WaitForAction", Takes: p.midnight.Add(approved).Sub(at), Waits: true}, good)
	case p.number == stuck:
		i := p.image(3, at, good)
		i.Attempts[0].Distributes = p.midnight.Add(freed).Sub(at.Add(good.Takes))
		return i
	}
	return p.image(3, at, good)
}

// others returns the builds that people begin: the second one, and the fourth.
func (p pipeline) others() (images []emulator.Image) {
	if p.number < morning {
		images = append(images, p.image(2, p.midnight.Add(begins(0, p.number)), good))
	}
	switch again := p.midnight.Add(begins(fixed, p.number)); {
	case p.number < hopeless:
		images = append(images, p.image(4, again, broken))
	case p.number < failing:
		images = append(images, p.image(4, again, good))
	}
	for i := range images {
		images[i].BuildType = "USER_INITIATED"
	}
	return images
}

// image returns a build of the pipeline.
func (p pipeline) image(build int, created time.Time, steps ...emulator.Step) emulator.Image {
	return emulator.Image{
		ARN: fmt.Sprintf("%simage/%s/1.0.0/%d", accountARN, pipelineName(p.number), build), Created: created,
		PipelineARN: accountARN + "image-pipeline/" + pipelineName(p.number),
		Attempts: []emulator.Attempt{{Runs: []emulator.Run{{
			ID: fmt.Sprintf("wf-%08x-%04x-4000-8000-000000000000", p.number, build), Type: "BUILD", Start: created, Steps: steps,
			WorkflowBuildVersionARN: accountARN + "workflow/build/golden/1.0.0/1",
		}}}},
	}
}
