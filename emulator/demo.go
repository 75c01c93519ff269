package emulator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// DemoTarget is a part of the demo that belongs into one target of an exporter.
type DemoTarget struct {
	Name, Region string
	Runs         []Run
}

// Demo returns a small company's image builds around the time start: what was built
// before, what is going on, and what follows. Every status of the API occurs in the
// first second, and for an hour something changes at least every minute. The same seed and start give the same runs.
func Demo(seed uint64, start time.Time) []DemoTarget {
	golden := builder{ids: rand.New(rand.NewPCG(seed, 1)), region: "eu-west-1", account: "111122223333"}
	golden.history(start)
	golden.present(start)
	container := builder{ids: rand.New(rand.NewPCG(seed, 2)), region: "us-east-1", account: "444455556666"}
	container.conveyor(start, 18, 5*time.Minute)
	return []DemoTarget{
		{Name: "golden-images", Region: golden.region, Runs: golden.runs},
		{Name: "containers", Region: container.region, Runs: container.runs},
	}
}

// Synthetic returns n build executions that started one second apart, the last one
// at start, and each completed or will complete after ten minutes.
func Synthetic(seed uint64, n int, start time.Time) []Run {
	b := builder{ids: rand.New(rand.NewPCG(seed, 3)), region: "eu-west-1", account: "111122223333"}
	for i := range n {
		b.add("BUILD", "synthetic", fmt.Sprintf("1.0.%d/1", i),
			Run{Start: start.Add(time.Duration(i-n+1) * time.Second), Steps: buildSteps(75 * time.Second)})
	}
	return b.runs
}

// builder collects the runs of one account and region.
type builder struct {
	ids             *rand.Rand
	region, account string
	runs            []Run
}

func (b *builder) add(kind, image, version string, r Run) {
	workflows := map[string]string{
		"BUILD": "build/build-image/1.0.3/1", "TEST": "test/test-image/1.0.2/1", "DISTRIBUTION": "distribution/distribute-image/1.0.0/1",
	}
	hi, lo := b.ids.Uint64(), b.ids.Uint64()
	r.ID = fmt.Sprintf("wf-%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
	r.Type = kind
	r.ImageBuildVersionARN = fmt.Sprintf("arn:aws:imagebuilder:%s:%s:image/%s/%s", b.region, b.account, image, version)
	r.WorkflowBuildVersionARN = fmt.Sprintf("arn:aws:imagebuilder:%s:aws:workflow/%s", b.region, workflows[kind])
	b.runs = append(b.runs, r)
}

// history is what ended before start.
func (b *builder) history(start time.Time) {
	ago := func(d time.Duration) time.Time { return start.Add(-d) }

	b.add("BUILD", "amazon-linux-golden", "1.4.0/12", Run{Start: ago(3 * time.Hour), Steps: buildSteps(80 * time.Second)})
	b.add("TEST", "amazon-linux-golden", "1.4.0/12", Run{Start: ago(170 * time.Minute), Steps: testSteps(60 * time.Second)})
	replicate := []Step{
		{Name: "DistributeToRegions", Action: "DistributeImage", Takes: 6 * time.Minute},
		{Name: "ShareWithPartners", Action: "ModifyImageAttributes", Takes: 20 * time.Second, Ends: FailedIgnored},
		{Name: "TagImages", Action: "ApplyImageConfigurations", Takes: 15 * time.Second},
	}
	b.add("DISTRIBUTION", "amazon-linux-golden", "1.4.0/12", Run{Start: ago(160 * time.Minute), Steps: replicate})

	b.add("BUILD", "ubuntu-golden", "2.1.0/7", Run{
		Start: ago(90 * time.Minute), Steps: failAt(buildSteps(70*time.Second), "InventoryCollection"), Rollback: 4 * time.Minute,
	})

	b.add("BUILD", "windows-golden", "3.0.2/3", Run{Start: ago(4 * time.Hour), Steps: buildSteps(4 * time.Minute)})
	b.add("TEST", "windows-golden", "3.0.2/3", Run{
		Start: ago(205 * time.Minute), ParallelGroup: "smoke", Steps: testSteps(2 * time.Minute),
	})
	b.add("TEST", "windows-golden", "3.0.2/3", Run{
		Start: ago(205 * time.Minute), ParallelGroup: "smoke", Steps: failAt(testSteps(2*time.Minute), "ApplyTestComponents"),
	})
	b.add("TEST", "windows-golden", "3.0.2/3", Run{
		Start: ago(195 * time.Minute), ParallelGroup: "security", Steps: testSteps(2 * time.Minute), Skipped: true,
	})
	b.add("BUILD", "windows-golden", "3.0.2/4", Run{
		Start: ago(45 * time.Minute), Steps: buildSteps(4 * time.Minute), Cancelled: 9 * time.Minute,
	})
}

// present is what goes on at start, what hangs, and a distribution with a step
// every 40 seconds for an hour.
func (b *builder) present(start time.Time) {
	begun := start.Add(-2 * time.Minute)
	b.add("BUILD", "amazon-linux-golden", "1.4.0/13", Run{Start: begun, Steps: buildSteps(50 * time.Second)})
	b.add("TEST", "amazon-linux-golden", "1.4.0/13", Run{Start: begun.Add(5 * time.Minute), Steps: testSteps(40 * time.Second)})
	regions := make([]Step, 99)
	for i := range regions {
		regions[i] = Step{Name: fmt.Sprintf("CopyToAccount%02d", i+1), Action: "DistributeImage", Takes: 40 * time.Second}
	}
	b.add("DISTRIBUTION", "amazon-linux-golden", "1.3.9/2", Run{Start: begun, Steps: regions})

	hanging := buildSteps(70 * time.Second)
	hanging[1].Takes = 1000 * time.Hour
	b.add("BUILD", "ubuntu-golden", "2.1.0/8", Run{Start: start.Add(-50 * time.Minute), Steps: hanging})
	b.add("TEST", "ubuntu-golden", "2.1.0/8", Run{Steps: testSteps(time.Minute)})
	b.add("BUILD", "windows-golden", "3.0.2/5", Run{
		Start: start.Add(-20 * time.Minute), Steps: failAt(buildSteps(2*time.Minute), "RunSanitizeScript"), Rollback: 1000 * time.Hour,
	})
}

// conveyor adds n container builds, one every interval, the first two of them
// before start; every fifth fails.
func (b *builder) conveyor(start time.Time, n int, interval time.Duration) {
	for i := range n {
		begin := start.Add(time.Duration(i-2) * interval)
		version := fmt.Sprintf("1.0.%d/1", i)
		build, rollback := buildSteps(18*time.Second), time.Duration(0)
		if i%5 == 3 {
			build, rollback = failAt(build, "ApplyBuildComponents"), 30*time.Second
		}
		b.add("BUILD", "container-base", version, Run{Start: begin, Steps: build, Rollback: rollback})
		if rollback == 0 {
			b.add("TEST", "container-base", version, Run{Start: begin.Add(115 * time.Second), Steps: testSteps(20 * time.Second)})
		}
	}
}

// buildSteps returns the seven steps of the build-image workflow that AWS owns;
// each that is not skipped takes this long.
func buildSteps(each time.Duration) []Step {
	return []Step{
		{Name: "LaunchBuildInstance", Action: "LaunchInstance", Takes: each},
		{Name: "ApplyBuildComponents", Action: "ExecuteComponents", Takes: each},
		{Name: "InventoryCollection", Action: "CollectImageMetadata", Takes: each},
		{Name: "RunSanitizeScript", Action: "SanitizeInstance", Takes: each},
		{Name: "RunSysPrepScript", Action: "RunSysPrep", Takes: each, Ends: SkippedStep},
		{Name: "CreateOutputAMI", Action: "CreateImage", Takes: each},
		{Name: "TerminateBuildInstance", Action: "TerminateInstance", Takes: each},
	}
}

// testSteps returns the four steps of the test-image workflow that AWS owns.
func testSteps(each time.Duration) []Step {
	return []Step{
		{Name: "LaunchTestInstance", Action: "LaunchInstance", Takes: each},
		{Name: "ApplyTestComponents", Action: "ExecuteComponents", Takes: each},
		{Name: "CollectImageScanFindings", Action: "CollectImageScanFindings", Takes: each, Ends: SkippedStep},
		{Name: "TerminateTestInstance", Action: "TerminateInstance", Takes: each},
	}
}

// failAt makes the step of that name fail.
func failAt(steps []Step, name string) []Step {
	for i := range steps {
		if steps[i].Name == name {
			steps[i].Ends = Failed
		}
	}
	return steps
}
