package emulator

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// snapshot is what a demo shows at a time: the states of each image, and of each
// execution with its steps, by id.
func snapshot(api *API, now time.Time) map[string]string {
	all := map[string]string{}
	for _, s := range []Scenario{api.Scenario, api.Roles[0].Scenario} {
		for _, i := range s.ImageBuilds("", now) {
			state := i.stateAt(now)
			all[i.ARN] = state.Status + " " + state.Reason
			for _, r := range s.WorkflowRuns(i.ARN, now) {
				c := r.course(now)
				all[r.ID] = c.status
				for _, step := range c.steps {
					all[r.ID] += " " + step.status + step.rollback
				}
			}
		}
	}
	return all
}

func TestTheDemoMovesForEver(t *testing.T) {
	for _, begin := range []time.Time{start, start.AddDate(0, 0, 30)} {
		api, _ := Demo(1, start)
		minutes := 120
		if begin != start {
			minutes = 24 * 60
		}
		before := snapshot(api, begin)
		for m := range minutes {
			now := begin.Add(time.Duration(m+1) * time.Minute)
			after := snapshot(api, now)
			if maps.Equal(before, after) {
				t.Errorf("nothing changes in the minute before %s", now)
			}
			if waiting(api, now) == 0 {
				t.Errorf("nothing waits for an approval at %s", now)
			}
			before = after
		}
	}
}

// waiting returns how many steps wait.
func waiting(api *API, now time.Time) (n int) {
	for _, r := range api.Scenario.WorkflowRuns("", now) {
		for _, s := range r.course(now).steps {
			if s.status == "WAITING" {
				n++
			}
		}
	}
	return n
}

func TestTheDemoIsTheSameForOneSeed(t *testing.T) {
	for _, after := range []time.Duration{0, 30 * 24 * time.Hour} {
		one, targets := Demo(1, start)
		two, again := Demo(1, start)
		other, _ := Demo(2, start)
		snapshot(two, start.Add(-time.Hour)) // what was asked before does not matter
		snapshot(two, start.AddDate(1, 0, 0))
		want, got := snapshot(one, start.Add(after)), snapshot(two, start.Add(after))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the same seed gives something else (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(targets, again); diff != "" {
			t.Errorf("the same seed gives other targets (-want +got):\n%s", diff)
		}
		for id := range snapshot(other, start.Add(after)) {
			if _, ok := want[id]; ok && !strings.HasPrefix(id, "arn:") {
				t.Errorf("another seed gives %s, too", id)
			}
		}
	}
}

func TestTheDemoShowsEveryStatusSoon(t *testing.T) {
	api, _ := Demo(1, start)
	seen := map[string]bool{}
	for m := range 10 {
		now := start.Add(time.Duration(m) * time.Minute)
		for _, s := range []Scenario{api.Scenario, api.Roles[0].Scenario} {
			for _, i := range s.ImageBuilds("", now) {
				seen["image "+i.Status(now)] = true
				for _, r := range s.WorkflowRuns(i.ARN, now) {
					e := r.At(now)
					seen[e.Status] = true
					seen["retried"] = seen["retried"] || r.Retried
					seen["ignored"] = seen["ignored"] || e.Status == "COMPLETED" && e.TotalStepsFailed > 0
				}
			}
		}
	}
	for _, s := range []string{
		"PENDING", "SKIPPED", "RUNNING", "COMPLETED", "FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETED", "CANCELLED", "retried", "ignored",
		"image BUILDING", "image TESTING", "image DISTRIBUTING", "image AVAILABLE", "image FAILED", "image CANCELLED", "image DEPRECATED",
	} {
		if !seen[s] {
			t.Errorf("%s is not seen in the first ten minutes", s)
		}
	}
}

// TestTheDemoTellsItsStory reads it as an exporter does.
func TestTheDemoTellsItsStory(t *testing.T) {
	for _, after := range []time.Duration{0, 5 * time.Minute, 11 * time.Minute, 30 * 24 * time.Hour} {
		api, targets := Demo(1, start)
		api.Now = func() time.Time { return start.Add(after) }
		own := newSDK(t, api, targets[0].Region)
		pipelines := allPipelines(t, own)
		if len(pipelines) != 4 {
			t.Fatalf("%d pipelines, want 4", len(pipelines))
		}
		for _, p := range pipelines {
			if !slices.Contains(targets[0].Pipelines, *p.Name) {
				t.Errorf("no target follows %s", *p.Name)
			}
		}
		amazon, windows, ubuntu := pipelines["Amazon Linux Golden"], pipelines["Windows Golden"], pipelines["Ubuntu Golden"]
		if *amazon.ConsecutiveFailures != 0 || amazon.DateNextRun == nil || windows.LastRunStatus == "" {
			t.Errorf("Amazon Linux: %+v, Windows: %+v", amazon, windows)
		}
		if ubuntu.Status != "DISABLED" || ubuntu.DateNextRun != nil || ubuntu.LastRunStatus != "FAILED" {
			t.Errorf("Ubuntu: %+v", ubuntu)
		}
		for _, arn := range targets[0].Images {
			if len(allBuilds(t, own, arn)) == 0 {
				t.Errorf("%s has no builds", arn)
			}
		}
		image, err := own.GetImage(context.Background(), getImage(strings.Replace(targets[0].Images[0], "1.0.0", "1.0.0/4", 1)))
		if err != nil || image.Image.State.Status != "FAILED" || image.Image.SourcePipelineArn != nil {
			t.Errorf("the bastion: %+v, %v", image, err)
		}
		other := assumed(t, api, targets[1].Region, targets[1].RoleARN, targets[1].ExternalID)
		base := allPipelines(t, other)["container-base"]
		if *base.ConsecutiveFailures < 10 {
			t.Errorf("container-base: %d failures in a row", *base.ConsecutiveFailures)
		}
		good := 0
		for _, i := range allPipelineImages(t, other, *base.Arn) {
			if i.OutputResources != nil {
				good++
				if got := start.Sub(parse(t, *i.DateCreated)); got != 40*24*time.Hour || len(i.OutputResources.Containers) != 1 {
					t.Errorf("the good container image is %s old: %+v", got, i.OutputResources)
				}
			}
		}
		if good != 1 {
			t.Errorf("%d good container images, want 1", good)
		}
	}
}

func TestTheDemoMayBeReadConcurrently(t *testing.T) {
	api, _ := Demo(1, start)
	var group sync.WaitGroup
	for n := range 4 {
		group.Go(func() {
			for m := range 4 {
				snapshot(api, start.Add(time.Duration(n*m)*time.Hour))
			}
		})
	}
	group.Wait()
	fresh, _ := Demo(1, start)
	if diff := cmp.Diff(snapshot(fresh, start), snapshot(api, start)); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
}
