package emulator

import (
	"fmt"
	"time"
)

// amazonLinux is in good health: a build every 20 minutes, the distribution of which
// ends when the next one begins. In one of three, a step of it fails and is ignored.
func (d demo) amazonLinux(start time.Time) Pipeline {
	const every = 20 * time.Minute
	return Pipeline{
		ARN: d.arn("image-pipeline/amazon-linux-golden"), Name: "Amazon Linux Golden",
		Tags: map[string]string{"team": "platform", "stage": "production"}, Created: start.AddDate(0, -8, 0),
		First: start.Add(-30*every - 6*time.Minute), Every: every, Keep: 10,
		Build: func(n int, at time.Time) Image {
			i := d.image("amazon-linux-golden", "1.4.0", n+1, at)
			i.Name, i.Tags, i.Deprecates = "Amazon Linux Golden", map[string]string{"team": "platform"}, at.AddDate(0, 0, 60)
			each := i.vary(48 * time.Second)
			built := i.add("BUILD", Run{Start: at, Steps: buildSteps(each)})
			tested := i.add("TEST", Run{Start: built, ParallelGroup: "checks", Steps: testSteps(each)})
			i.add("TEST", Run{Start: built, ParallelGroup: "checks", Steps: testSteps(each - 5*time.Second)})
			i.add("DISTRIBUTION", Run{Start: tested, Steps: distribution(each, at.Add(every).Sub(tested), n%3 == 0)})
			return i.ships("eu-west-1", "eu-central-1", "us-east-1")
		},
	}
}

// distribution returns the steps of a distribution workflow that takes at least as
// long as all.
func distribution(each, all time.Duration, fails bool) []Step {
	share := Step{Name: "ShareWithPartners", Action: "ModifyImageAttributes", Takes: each}
	if fails {
		share.Ends = FailedIgnored
	}
	steps := []Step{share, {Name: "TagImages", Action: "ApplyImageConfigurations", Takes: each}}
	for left, n := all-2*each, 1; left > 0; left, n = left-each, n+1 {
		steps = append(steps, Step{Name: fmt.Sprintf("CopyToRegion%02d", n), Action: "DistributeImage", Takes: each})
	}
	return steps
}

// windows waits for an approval in every build, for an hour, and begins the next build
// meanwhile. Of four builds, one gets through; one is not approved and rolls back,
// which skips its test; one is cancelled; and a component fails in a test of one.
func (d demo) windows(start time.Time) Pipeline {
	const every = 30 * time.Minute
	return Pipeline{
		ARN: d.arn("image-pipeline/windows-golden"), Name: "Windows Golden", Platform: "Windows",
		Tags: map[string]string{"team": "desktop", "stage": "production"}, Created: start.AddDate(0, -5, 0),
		First: start.Add(-40*every - 7*time.Minute), Every: every, Keep: 10,
		Build: func(n int, at time.Time) Image {
			i := d.image("windows-golden", "3.0.2", n+1, at)
			i.Name, i.Platform, i.Tags = "Windows Golden", "Windows", map[string]string{"team": "desktop"}
			each := i.vary(130 * time.Second)
			build, test := Run{Start: at, Steps: withApproval(buildSteps(each), approvalTakes, approvalLimit)}, testSteps(each)
			switch n % 4 {
			case 1:
				failAt(build.Steps, "WaitForApproval")
				build.Rollback = 8 * time.Minute
				ended := at.Add(2*each + approvalTakes + build.Rollback)
				i.add("BUILD", build)
				i.add("TEST", Run{Start: ended, Steps: test, Skipped: true})
				return i.Image
			case 2:
				build.Cancelled = 45 * time.Minute
			case 3:
				failIn(test, "ApplyTestComponents", ComponentFailure{
					ARN: d.arn("component/smoke-test-windows/1.0.3/1"), Phase: "test", Step: "CheckServices", Action: "ExecutePowerShell",
					Message: "The service WinRM did not start within 120 seconds.",
				})
			}
			built := i.add("BUILD", build)
			tested := i.add("TEST", Run{Start: built, ParallelGroup: "smoke", Steps: test})
			i.add("TEST", Run{Start: built, ParallelGroup: "smoke", Steps: testSteps(each - 10*time.Second)})
			i.add("TEST", Run{Start: tested, ParallelGroup: "security", Steps: testSteps(each)})
			return i.ships("eu-west-1")
		},
	}
}

// An approval takes most of the time that there is for it.
const approvalTakes, approvalLimit = 62 * time.Minute, 64 * time.Minute

// withApproval puts an approval behind the second step.
func withApproval(steps []Step, takes, limit time.Duration) []Step {
	approval := Step{Name: "WaitForApproval", Action: "WaitForAction", Takes: takes, Waits: true, Timeout: limit}
	return append(steps[:2:2], append([]Step{approval}, steps[2:]...)...)
}

// eksNode builds every day. Of three builds, one gets through, and two cannot be integrated:
// at start, it has failed twice, and AWS disables it with the third failure in a row. The
// schedule is that of a team in India.
func (d demo) eksNode(start time.Time) Pipeline {
	const every = 24 * time.Hour
	first := start.UTC().Truncate(time.Minute).Add(-32*every - 6*time.Hour)
	kolkata := first.In(time.FixedZone("Asia/Kolkata", 5.5*60*60))
	return Pipeline{
		ARN: d.arn("image-pipeline/eks-node"), Name: "EKS Node",
		Tags: map[string]string{"team": "runtime", "stage": "production"}, Created: start.AddDate(0, -2, 0),
		First: first, Every: every, Keep: 6, AutoDisableFailures: 3,
		Expression: fmt.Sprintf("cron(%d %d * * ? *)", kolkata.Minute(), kolkata.Hour()), Timezone: "Asia/Kolkata",
		StartCondition: "EXPRESSION_MATCH_AND_DEPENDENCY_UPDATES_AVAILABLE",
		LogGroup:       "/golden/pipelines", ImageLogGroup: "/golden/images",
		Build: func(n int, at time.Time) Image {
			i := d.image("eks-node", "1.31.0", n+1, at)
			i.Name, i.Tags, i.LogGroup = "EKS Node", map[string]string{"team": "runtime"}, "/golden/images"
			built := i.add("BUILD", Run{Start: at, Steps: buildSteps(i.vary(100 * time.Second))})
			i.add("TEST", Run{Start: built, Steps: testSteps(time.Minute)})
			a := i.latest()
			a.Distributes, a.Integrates, a.Fails = 4*time.Minute, 2*time.Minute, n%3 != 0
			a.Reason = "Integration failed: the SSM parameter /golden/eks-node cannot be written."
			i.ships("eu-west-1", "us-east-1")
			i.Outputs[1].AccountID = "444455556666"
			return i.Image
		},
	}
}

// containerBase fails at the same step of the same component every time, with or without a
// rollback.
func (d demo) containerBase(start time.Time) Pipeline {
	const every = 15 * time.Minute
	return Pipeline{
		ARN:  d.arn("image-pipeline/container-base"),
		Tags: map[string]string{"team": "runtime"}, Created: start.AddDate(0, -3, 0),
		First: start.Add(-50*every - 4*time.Minute), Every: every, Keep: 12,
		Build: func(n int, at time.Time) Image {
			i := d.image("container-base", "2.0.0", n+2, at)
			i.Type = "DOCKER"
			r := Run{Start: at, Steps: failIn(containerSteps(i.vary(70*time.Second)), "ApplyBuildComponents", ComponentFailure{
				ARN: d.arn("component/harden-container/1.2.0/1"), Phase: "build", Step: "InstallAgent", Action: "ExecuteBash",
				Message: "exit code 1: package monitoring-agent-4.2.0 was not found",
			})}
			if n%2 == 0 {
				r.Rollback = 6 * time.Minute
			}
			tests := i.add("BUILD", r)
			i.add("TEST", Run{Start: tests, Steps: testSteps(time.Minute)})
			return i.Image
		},
	}
}

// lastContainer is the last good image of containerBase, of long ago.
func (d demo) lastContainer(start time.Time) Image {
	at := start.AddDate(0, 0, -40)
	i := d.image("container-base", "2.0.0", 1, at)
	i.Type, i.PipelineARN = "DOCKER", d.arn("image-pipeline/container-base")
	built := i.add("BUILD", Run{Start: at, Steps: containerSteps(70 * time.Second)})
	i.add("TEST", Run{Start: built, Steps: testSteps(time.Minute)})
	i.Outputs = []Output{{Region: d.region, ContainerURI: d.account + ".dkr.ecr." + d.region + ".amazonaws.com/base:2.0.0-1"}}
	return i.Image
}

// containerSteps returns the steps of a build that makes a container image.
func containerSteps(each time.Duration) []Step {
	steps := buildSteps(each)[:3]
	return append(steps,
		Step{Name: "CreateOutputContainerImage", Action: "CreateImage", Takes: each},
		Step{Name: "TerminateBuildInstance", Action: "TerminateInstance", Takes: each})
}
