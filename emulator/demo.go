package emulator

import (
	"fmt"
	"slices"
	"time"
)

// DemoTarget is a part of the demo that one target of an exporter follows.
type DemoTarget struct {
	Name, Region, RoleARN, ExternalID string // RoleARN "" for the caller's own account

	Pipelines []string // names of pipelines to follow
	Images    []string // ARNs of image versions to follow, of builds that no pipeline makes

	ImageNames []string // names of images of which to follow all versions; no pipeline makes them

	AllPipelines bool     // whether to follow every pipeline, in place of Pipelines
	OwnerTags    []string // keys of the tags that say whose a pipeline is
}

// Demo returns the API of a small company's image builds, and what an exporter is to
// follow there: what was built before start, what is going on, and what follows, for
// ever. Every status of an execution and every kind of failure occurs in the first minutes,
// and something changes at least every minute. The same seed and start give the same.
func Demo(seed uint64, start time.Time) (*API, []DemoTarget) {
	golden := demo{seed: seed, region: "eu-west-1", account: "111122223333"}
	containers := demo{seed: seed, region: "us-east-1", account: "444455556666"}
	role := Role{
		ARN: "arn:aws:iam::444455556666:role/imagebuilder-exporter", ExternalID: "golden-images",
		Scenario: &Account{
			Pipelines: []Pipeline{containers.containerBase(start)},
			Images:    []Image{containers.lastContainer(start)},
		},
	}
	owner := []string{"team"}
	api := &API{
		Roles: []Role{role},
		Scenario: &Account{
			Pipelines: []Pipeline{golden.amazonLinux(start), golden.windows(start), golden.ubuntu(start), golden.eksNode(start)},
			Images: slices.Concat(
				golden.ubuntuImages(start), []Image{golden.bastion(start), golden.runner(start)}, golden.batchWorkers(start),
			),
		},
	}
	return api, []DemoTarget{
		{
			Name: "golden-images", Region: golden.region,
			Pipelines:  []string{"Amazon Linux Golden", "Windows Golden", "Ubuntu Golden", "EKS Node"},
			Images:     []string{golden.arn("image/bastion-host/1.0.0"), golden.arn("image/ci-runner/2.1.0")},
			ImageNames: []string{"Batch Worker"},
			OwnerTags:  owner,
		},
		{
			Name: "containers", Region: containers.region, RoleARN: role.ARN, ExternalID: role.ExternalID,
			Pipelines: []string{"container-base"},
			OwnerTags: owner,
		},
	}
}

// demo makes the things of one account and region.
type demo struct {
	seed            uint64
	region, account string
}

func (d demo) arn(resource string) string {
	return "arn:aws:imagebuilder:" + d.region + ":" + d.account + ":" + resource
}

// image returns a build of an image, which begins at that time.
func (d demo) image(name, version string, build int, at time.Time) demoImage {
	return demoImage{d, Image{
		ARN: d.arn(fmt.Sprintf("image/%s/%s/%d", name, version, build)), Created: at, Attempts: []Attempt{{Start: at}},
	}}
}

// demoImage is an image in the making.
type demoImage struct {
	demo
	Image
}

// latest returns the last attempt.
func (i *demoImage) latest() *Attempt { return &i.Attempts[len(i.Attempts)-1] }

// add adds a run to the last attempt and returns when it ends, if nothing stops it.
func (i *demoImage) add(kind string, r Run) time.Time {
	runs := 0
	for _, a := range i.Attempts {
		runs += len(a.Runs)
	}
	r.ID, r.Type, r.WorkflowBuildVersionARN = runID(i.seed, i.ARN, runs), kind, workflowARN(i.region, kind)
	i.latest().Runs = append(i.latest().Runs, r)
	return r.end()
}

// vary returns d, up to an eighth longer or shorter.
func (i *demoImage) vary(d time.Duration) time.Duration {
	eighth := uint64(d / 8)
	return d - d/8 + time.Duration(digest(fmt.Sprint(i.seed), i.ARN, fmt.Sprint(d))%(2*eighth)).Truncate(time.Millisecond)
}

// ships says that the image becomes AMIs in these regions.
func (i *demoImage) ships(regions ...string) Image {
	for _, r := range regions {
		id := digest(fmt.Sprint(i.seed), i.ARN, r) & 0xfffffffffffffff
		i.Outputs = append(i.Outputs, Output{Region: r, AMI: fmt.Sprintf("ami-0%016x", id)})
	}
	return i.Image
}
