package emulator

import "time"

// ubuntu is a pipeline that somebody has disabled and forgotten.
func (d demo) ubuntu(start time.Time) Pipeline {
	return Pipeline{
		ARN: d.arn("image-pipeline/ubuntu-golden"), Name: "Ubuntu Golden", Disabled: true, Every: 7 * 24 * time.Hour,
		Tags: map[string]string{"team": "platform", "stage": "staging"}, Created: start.AddDate(-1, 0, 0),
	}
}

// ubuntuImages is what ubuntu has left: an image that is deprecated, one that is weeks
// old and will be, and a build that failed after it.
func (d demo) ubuntuImages(start time.Time) []Image {
	build := func(number, days int, fails string) Image {
		at := start.AddDate(0, 0, -days)
		i := d.image("ubuntu-golden", "2.1.0", number, at)
		i.Name, i.PipelineARN = "Ubuntu Golden", d.arn("image-pipeline/ubuntu-golden")
		built := i.add("BUILD", Run{Start: at, Steps: failAt(buildSteps(70*time.Second), fails), Rollback: 4 * time.Minute})
		i.add("TEST", Run{Start: built, Steps: testSteps(time.Minute)})
		return i.ships("eu-west-1")
	}
	old, good := build(7, 42, ""), build(8, 35, "")
	old.Deprecates, good.Deprecates = start.AddDate(0, 0, -35), start.AddDate(0, 0, 14)
	old.Deprecated, good.Deprecated = old.Deprecates, good.Deprecates
	return []Image{old, good, build(9, 28, "InventoryCollection")}
}

// bastion was built by hand: all executions completed, and then its distribution failed in
// three of four regions, one of them of another account.
func (d demo) bastion(start time.Time) Image {
	at := start.Add(-2 * time.Hour)
	i := d.image("bastion-host", "1.0.0", 4, at)
	i.BuildType = "USER_INITIATED"
	built := i.add("BUILD", Run{Start: at, Steps: buildSteps(time.Minute)})
	i.add("TEST", Run{Start: built, Steps: testSteps(time.Minute)})
	a := i.latest()
	a.Distributes, a.Fails = 5*time.Minute, true
	a.Reason = "Image distribution failed in 3 of 4 Regions."
	a.Failure = &Failure{Stage: "DISTRIBUTING", Distribution: &DistributionFailure{Message: "3 of 4 Regions failed.", Regions: []RegionFailure{
		{"us-west-2", "FAILED", d.account, "COPY_IMAGE", "The KMS key of the AMI cannot be used there."},
		{"eu-central-1", "TIMED_OUT", "444455556666", "COPY_IMAGE", "The copy did not end in time."},
		{"ap-southeast-2", "CANCELLED", d.account, "", "The distribution to another Region failed."},
	}}}
	return i.ships("eu-west-1", "us-west-2", "eu-central-1", "ap-southeast-2")
}

// runner was built by hand, too. It failed a test, and is being retried at start.
func (d demo) runner(start time.Time) Image {
	at := start.Add(-3 * time.Hour)
	i := d.image("ci-runner", "2.1.0", 2, at)
	i.BuildType = "USER_INITIATED"
	built := i.add("BUILD", Run{Start: at, Steps: buildSteps(2 * time.Minute)})
	i.add("TEST", Run{Start: built, Steps: failAt(testSteps(time.Minute), "ApplyTestComponents")})
	again := start.Add(-5 * time.Minute)
	i.Attempts = append(i.Attempts, Attempt{Start: again, Distributes: 3 * time.Minute, Integrates: 2 * time.Minute})
	built = i.add("BUILD", Run{Start: again, Steps: buildSteps(2 * time.Minute)})
	i.add("TEST", Run{Start: built, Steps: testSteps(time.Minute)})
	return i.ships("eu-west-1")
}

// batchWorkers are what Terraform has built: versions of one name, the oldest of which is
// deprecated.
func (d demo) batchWorkers(start time.Time) []Image {
	build := func(version string, number, days int) Image {
		at := start.AddDate(0, 0, -days)
		i := d.image("batch-worker", version, number, at)
		i.Name, i.BuildType = "Batch Worker", "USER_INITIATED"
		i.Tags = map[string]string{"team": "data", "managed-by": "terraform"}
		built := i.add("BUILD", Run{Start: at, Steps: buildSteps(80 * time.Second)})
		i.add("TEST", Run{Start: built, Steps: testSteps(time.Minute)})
		i.Deprecates = at.AddDate(0, 0, 60)
		i.Deprecated = i.Deprecates
		return i.ships("eu-west-1")
	}
	return []Image{build("1.0.0", 1, 90), build("1.1.0", 1, 33), build("1.1.0", 2, 30), build("1.2.0", 1, 4)}
}
