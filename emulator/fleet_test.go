package emulator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// promise is how many of a kind there are.
type promise struct {
	kind        string
	least, most int
}

func (n tally) check(t *testing.T, promises []promise) {
	t.Helper()
	for _, p := range promises {
		if got := n[p.kind]; got < p.least || got > p.most {
			t.Errorf("%d %s, want %d to %d", got, p.kind, p.least, p.most)
		}
	}
}

func TestAFleetHasWhatItPromises(t *testing.T) {
	always := []promise{
		{"disabled", 1, 1},
		{"never good", 1, 1},
		{"waiting", 2, 2},
		{"running for hours", 1, 1},
		{"that should be disabled", 0, 0},
		{"beyond the time limit", 0, 0},
		{"with a name that is too long", 0, 0},
	}
	small := []promise{{"failing", 2, 6}, {"failing in a row", 1, 4}, {"running", 3, 8}, {"completed with a failed step", 1, 3}}
	large := []promise{
		{"failing", 14, 26},
		{"failing in a row", 5, 14},
		{"running", 8, 24},
		{"completed with a failed step", 8, 14},
		{"cancelled", 3, 10},
		{"failing: build component", 2, 8},
		{"failing: test component", 4, 12},
		{"failing: validate component", 1, 6},
		{"failing: distribution", 1, 6},
		{"failing: step", 1, 6},
		{"named in 60 characters", 3, 20},
		{"with an owner", 375, 390},
		{"scheduled", 399, 399},
	}
	for _, c := range []struct {
		name      string
		seed      uint64
		pipelines int
		after     time.Duration
		promises  []promise
	}{
		{"400 at start", 1, 400, 0, append(large, promise{"nearly disabled", 1, 1}, promise{"near the time limit", 1, 1})},
		{"400 half a day later", 1, 400, 12 * time.Hour, append(large, promise{"nearly disabled", 1, 1}, promise{"near the time limit", 0, 0})},
		{"400 a day later", 1, 400, day, append(large, promise{"nearly disabled", 1, 1}, promise{"near the time limit", 1, 1})},
		{"400 three weeks later", 1, 400, 21 * day, append(large, promise{"near the time limit", 1, 1})},
		{"400 of another seed", 2, 400, 0, append(large, promise{"nearly disabled", 1, 1}, promise{"near the time limit", 1, 1})},
		{"the fewest at start", 1, FleetMin, 0, append(small, promise{"nearly disabled", 1, 1}, promise{"near the time limit", 1, 1})},
		{"the fewest a day later", 1, FleetMin, day, append(small, promise{"nearly disabled", 1, 1}, promise{"near the time limit", 1, 1})},
	} {
		t.Run(c.name, func(t *testing.T) {
			api, _ := Fleet(c.seed, c.pipelines, start)
			got := tallyOf(api, start.Add(c.after))
			got.check(t, append(c.promises, append(always, promise{"pipelines", c.pipelines, c.pipelines})...))
		})
	}
}

// fleetSnapshot is the state of each image by its ARN.
func fleetSnapshot(api *API, now time.Time) map[string]string {
	all := map[string]string{}
	for _, s := range scenarios(api) {
		for _, i := range s.ImageBuilds("", now) {
			all[i.ARN] = i.Status(now)
		}
	}
	return all
}

func TestAFleetIsTheSameForOneSeed(t *testing.T) {
	one, targets := Fleet(1, 60, start)
	two, again := Fleet(1, 60, start)
	other, _ := Fleet(2, 60, start)
	fleetSnapshot(two, start.AddDate(1, 0, 0)) // what was asked before does not matter
	later := start.Add(30 * day)
	want := fleetSnapshot(one, later)
	if diff := cmp.Diff(want, fleetSnapshot(two, later)); diff != "" {
		t.Errorf("the same seed gives something else (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(targets, again); diff != "" {
		t.Errorf("the same seed gives other targets (-want +got):\n%s", diff)
	}
	if maps.Equal(want, fleetSnapshot(other, later)) {
		t.Error("another seed gives the same")
	}
}

// TestAFleetGoesOn counts the builds that have begun since the start, and those that are left.
func TestAFleetGoesOn(t *testing.T) {
	api, _ := Fleet(1, 100, start)
	before := fleetSnapshot(api, start)
	if len(before) < 1400 || len(before) > 2100 {
		t.Errorf("%d images at start, want those of some weeks", len(before))
	}
	for days, least := range map[int]int{1: 60, 8: 480} {
		begun := 0
		after := fleetSnapshot(api, start.Add(time.Duration(days)*day))
		for arn := range after {
			if _, had := before[arn]; !had {
				begun++
			}
		}
		if begun < least || begun > days*100 {
			t.Errorf("%d builds have begun after %d days, want at least %d", begun, days, least)
		}
		if got := len(after); got != len(before) {
			t.Errorf("%d images after %d days, want %d as at start", got, days, len(before))
		}
	}
}

// TestTheSchedulesOfAFleetAreTrue holds that each expression means the next run.
func TestTheSchedulesOfAFleetAreTrue(t *testing.T) {
	api, _ := Fleet(1, 100, start)
	weekly := 0
	for _, s := range scenarios(api) {
		for _, p := range s.ImagePipelines(start) {
			next := p.nextRun(start)
			if p.Disabled {
				continue
			}
			want := fmt.Sprintf("cron(%d %d * * ? *)", next.Minute(), next.Hour())
			if p.Every > day {
				weekly++
				want = fmt.Sprintf("cron(%d %d ? * %s *)", next.Minute(), next.Hour(), strings.ToLower(next.Format("Mon")))
			}
			if p.expression() != want || !next.After(start) || next.After(start.Add(p.Every)) {
				t.Errorf("%s: %s, the next run is at %s", p.Name, p.expression(), next)
			}
		}
	}
	if weekly < 10 || weekly > 50 {
		t.Errorf("%d of 100 pipelines build each week", weekly)
	}
}

// TestAFleetIsReadThroughItsTargets lists the pipelines as an exporter does.
func TestAFleetIsReadThroughItsTargets(t *testing.T) {
	api, targets := Fleet(1, 403, start)
	api.Now = func() time.Time { return start }
	var got []int
	for _, target := range targets {
		client := newSDK(t, api, target.Region)
		if target.RoleARN != "" {
			client = assumed(t, api, target.Region, target.RoleARN, target.ExternalID)
		}
		pipelines := allPipelines(t, client) // by name
		got = append(got, len(pipelines))
		for name, p := range pipelines {
			if !slices.Contains([]string{"prod", "staging", "dev"}, p.Tags["stage"]) || p.Tags["team"] == "" || !target.AllPipelines {
				t.Errorf("%s: tags %v", name, p.Tags)
			}
		}
	}
	if diff := cmp.Diff([]int{101, 101, 101, 100}, got); diff != "" {
		t.Errorf("pipelines of each target (-want +got):\n%s", diff)
	}
}

// TestNoTwoPipelinesOfAFleetHaveOneName has more of them than there are words for.
func TestNoTwoPipelinesOfAFleetHaveOneName(t *testing.T) {
	for _, a := range fleetAccounts {
		seen := map[string]bool{}
		for n := range 1000 {
			name, _ := a.pipelineName(n)
			if arn := "arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/" + name; !imagePipelineARN.MatchString(arn) || seen[name] {
				t.Errorf("%s: %s is no name, or that of two", a.name, name)
			}
			seen[name] = true
		}
	}
}
