package emulator

import (
	"fmt"
	"time"
)

// Synthetic returns n build executions that started one second apart, the last one
// at start, and each completed or will complete after ten minutes.
func Synthetic(seed uint64, n int, start time.Time) []Run {
	runs := make([]Run, n)
	for i := range runs {
		runs[i] = Run{
			ID:                      runID(seed, "synthetic", i),
			ImageBuildVersionARN:    fmt.Sprintf("arn:aws:imagebuilder:eu-west-1:111122223333:image/synthetic/1.0.%d/1", i),
			WorkflowBuildVersionARN: workflowARN("eu-west-1", "BUILD"),
			Type:                    "BUILD",
			Start:                   start.Add(time.Duration(i-n+1) * time.Second),
			Steps:                   buildSteps(75 * time.Second),
		}
	}
	return runs
}

// runID returns an id that is a pure function of its arguments.
func runID(seed uint64, of string, n int) string {
	hi := digest("hi", fmt.Sprint(seed), of, fmt.Sprint(n))
	lo := digest("lo", fmt.Sprint(seed), of, fmt.Sprint(n))
	return fmt.Sprintf("wf-%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
}

// workflowARN returns the workflow that AWS owns for executions of a type.
func workflowARN(region, kind string) string {
	workflows := map[string]string{
		"BUILD": "build/build-image/1.0.3/1", "TEST": "test/test-image/1.0.2/1", "DISTRIBUTION": "distribution/distribute-image/1.0.0/1",
	}
	return "arn:aws:imagebuilder:" + region + ":aws:workflow/" + workflows[kind]
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

// failIn makes the step of that name fail in a component.
func failIn(steps []Step, name string, in ComponentFailure) []Step {
	for i := range failAt(steps, name) {
		if steps[i].Name == name {
			steps[i].Component = &in
		}
	}
	return steps
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
