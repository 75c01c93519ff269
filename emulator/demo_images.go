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
// old, and a build that failed after it.
func (d demo) ubuntuImages(start time.Time) []Image {
	build := func(number, days int, fails string) Image {
		at := start.AddDate(0, 0, -days)
		i := d.image("ubuntu-golden", "2.1.0", number, at)
		i.Name, i.PipelineARN = "Ubuntu Golden", d.arn("image-pipeline/ubuntu-golden")
		built := i.add("BUILD", Run{Start: at, Steps: failAt(buildSteps(70*time.Second), fails), Rollback: 4 * time.Minute})
		i.add("TEST", Run{Start: built, Steps: testSteps(time.Minute)})
		return i.ships("eu-west-1")
	}
	old := build(7, 42, "")
	old.Deprecated = start.AddDate(0, 0, -35)
	return []Image{old, build(8, 35, ""), build(9, 28, "InventoryCollection")}
}

// bastion was built by hand: all executions completed, and then its distribution
// failed.
func (d demo) bastion(start time.Time) Image {
	at := start.Add(-2 * time.Hour)
	i := d.image("bastion-host", "1.0.0", 4, at)
	i.BuildType = "USER_INITIATED"
	built := i.add("BUILD", Run{Start: at, Steps: buildSteps(time.Minute)})
	i.add("TEST", Run{Start: built, Steps: testSteps(time.Minute)})
	a := i.latest()
	a.Distributes, a.Fails = 5*time.Minute, true
	a.Reason = "Distribution failed in us-west-2: the KMS key of the AMI cannot be used there."
	return i.ships("eu-west-1", "us-west-2")
}

// runner was built by hand, too. It failed a test, and is being retried at start.
func (d demo) runner(start time.Time) Image {
	at := start.Add(-3 * time.Hour)
	i := d.image("ci-runner", "2.1.0", 2, at)
	i.BuildType = "USER_INITIATED"
	built := i.add("BUILD", Run{Start: at, Steps: buildSteps(2 * time.Minute)})
	i.add("TEST", Run{Start: built, Steps: failAt(testSteps(time.Minute), "ApplyTestComponents")})
	again := start.Add(-5 * time.Minute)
	i.Attempts = append(i.Attempts, Attempt{Start: again, Distributes: 3 * time.Minute})
	built = i.add("BUILD", Run{Start: again, Steps: buildSteps(2 * time.Minute)})
	i.add("TEST", Run{Start: built, Steps: testSteps(time.Minute)})
	return i.ships("eu-west-1")
}
