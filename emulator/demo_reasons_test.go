package emulator

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/google/go-cmp/cmp"
)

// kind returns what kind of failure f is.
func kind(f *Failure) string {
	switch {
	case f.Component != nil && *f.Component != ComponentFailure{}:
		return fmt.Sprint("component, ", f.Stage, ", ", f.Step, ": ", f.Component.Step)
	case f.Distribution != nil:
		accounts := map[string]bool{}
		for _, r := range f.Distribution.Regions {
			accounts[r.AccountID] = true
		}
		return fmt.Sprintf("%d regions of %d accounts, %s", len(f.Distribution.Regions), len(accounts), f.Stage)
	case f.Step != "":
		return "step, " + f.Stage
	}
	return f.Stage
}

func TestTheDemoHasEachKindOfFailure(t *testing.T) {
	for _, after := range []time.Duration{0, 10 * time.Minute, time.Hour} {
		api, _ := Demo(1, start)
		seen := map[string]bool{}
		for _, s := range []Scenario{api.Scenario, api.Roles[0].Scenario} {
			now := start.Add(after)
			for _, i := range s.ImageBuilds("", now) {
				if f := i.stateAt(now).FailureContext; f != nil {
					seen[kind(f)] = true
				}
			}
		}
		for _, want := range []string{
			"component, BUILDING, ApplyBuildComponents: InstallAgent", "component, TESTING, ApplyTestComponents: CheckServices",
			"step, BUILDING", "3 regions of 2 accounts, DISTRIBUTING", "INTEGRATING",
		} {
			if !seen[want] {
				t.Errorf("after %s, there is no failure of %s: %v", after, want, seen)
			}
		}
	}
}

func TestTheDemoIsOneFailureAwayFromADisabledPipeline(t *testing.T) {
	api, targets := Demo(1, start)
	client := newSDK(t, api, targets[0].Region)
	for _, c := range []struct {
		name     string
		after    time.Duration
		failures int32
	}{
		{"at start", 0, 2},
		{"after an hour", time.Hour, 2},
		{"after the next build", 19 * time.Hour, 0},
		{"a day later", 43 * time.Hour, 1},
		{"another day later", 67 * time.Hour, 2},
		{"while the next build runs", 66*time.Hour + 24*time.Hour + time.Minute, 2},
		{"after it", 91 * time.Hour, 0},
	} {
		api.Now = func() time.Time { return start.Add(c.after) }
		for name, p := range allPipelines(t, client) {
			switch {
			case name == "EKS Node" && (*p.ConsecutiveFailures != c.failures || *p.Schedule.AutoDisablePolicy.FailureCount != 3):
				t.Errorf("%s: %d failures of %d", c.name, *p.ConsecutiveFailures, *p.Schedule.AutoDisablePolicy.FailureCount)
			case name != "EKS Node" && p.Schedule.AutoDisablePolicy != nil:
				t.Errorf("%s has a policy, too", name)
			}
		}
	}
}

// TestTheScheduleOfTheDemoIsTrue holds that the expression means the next run, in its zone.
func TestTheScheduleOfTheDemoIsTrue(t *testing.T) {
	api, targets := Demo(1, start)
	api.Now = func() time.Time { return start }
	p := allPipelines(t, newSDK(t, api, targets[0].Region))["EKS Node"]
	next := parse(t, *p.DateNextRun).In(time.FixedZone("", 5.5*60*60))
	want := fmt.Sprintf("cron(%d %d * * ? *) Asia/Kolkata", next.Minute(), next.Hour())
	if diff := cmp.Diff(want, *p.Schedule.ScheduleExpression+" "+*p.Schedule.Timezone); diff != "" || next.Second() != 0 || !next.After(start) {
		t.Errorf("the next run is at %s (-want +got):\n%s", next, diff)
	}
}

// TestTheDemoWaitsUntilTheLastQuarter counts the minutes of the first hour in which less than
// a quarter of its time is left to a step that waits.
func TestTheDemoWaitsUntilTheLastQuarter(t *testing.T) {
	api, _ := Demo(1, start)
	minutes := 0
	for m := range 60 {
		now := start.Add(time.Duration(m) * time.Minute)
		for _, r := range api.Scenario.WorkflowRuns("", now) {
			for n, s := range r.course(now).steps {
				limit := r.Steps[n].Timeout
				switch {
				case s.status != "WAITING":
				case now.Sub(s.start) >= limit:
					t.Errorf("after %d minutes, a step waits for longer than it may", m)
				case now.Sub(s.start) >= limit*3/4:
					minutes++
				}
			}
		}
	}
	if minutes < 10 || minutes > 30 {
		t.Errorf("it is the last quarter in %d minutes of the hour", minutes)
	}
}

func TestTheDemoHasImagesThatNoPipelineMakes(t *testing.T) {
	api, targets := Demo(1, start)
	api.Now = func() time.Time { return start }
	client := newSDK(t, api, targets[0].Region)
	in := &imagebuilder.ListImagesInput{Owner: "Self", Filters: []types.Filter{{Name: aws.String("name"), Values: targets[0].ImageNames}}}
	if diff := cmp.Diff([]string{"batch-worker/1.2.0", "batch-worker/1.1.0"}, namesAndVersions(allVersions(t, client, in))); diff != "" {
		t.Errorf("without what is deprecated (-want +got):\n%s", diff)
	}
	in.IncludeDeprecated = aws.Bool(true)
	all := allVersions(t, client, in)
	if len(all) != 3 {
		t.Errorf("%d versions, want 3", len(all))
	}
	builds, ahead := 0, 0
	for _, v := range all {
		for _, i := range allBuilds(t, client, *v.Arn) {
			builds++
			if i.DeprecationTime.After(start) {
				ahead++
			}
			if diff := cmp.Diff(map[string]string{"team": "data", "managed-by": "terraform"}, i.Tags); diff != "" {
				t.Errorf("%s (-want +got):\n%s", *i.Arn, diff)
			}
		}
	}
	if builds != 4 || ahead != 3 {
		t.Errorf("%d builds, of which %d will be deprecated; want 4, and 3", builds, ahead)
	}
}

// TestTheDemoSaysWhenImagesAreDeprecated reads the images of the pipelines.
func TestTheDemoSaysWhenImagesAreDeprecated(t *testing.T) {
	api, targets := Demo(1, start)
	api.Now = func() time.Time { return start }
	client := newSDK(t, api, targets[0].Region)
	for name, p := range allPipelines(t, client) {
		ahead := slices.ContainsFunc(allPipelineImages(t, client, *p.Arn), func(i types.ImageSummary) bool {
			return i.DeprecationTime != nil && i.DeprecationTime.After(start) && i.State.Status == "AVAILABLE"
		})
		if want := name == "Amazon Linux Golden" || name == "Ubuntu Golden"; ahead != want {
			t.Errorf("%s: an image will be deprecated: %v, want %v", name, ahead, want)
		}
	}
}
