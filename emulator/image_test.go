package emulator

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const testImage = "arn:aws:imagebuilder:eu-west-1:111122223333:image/web-server/1.0.0/1"

// oneStep returns a run of one step that begins so long after start, takes ten
// minutes and ends so.
func oneStep(n int, kind string, after time.Duration, ends Outcome) Run {
	return Run{
		ID: runID(1, "test", n), Type: kind, Start: start.Add(after),
		Steps: []Step{{Name: "Step", Action: "Act", Takes: 10 * time.Minute, Ends: ends}},
	}
}

func TestTheStateOfAnImage(t *testing.T) {
	const m = time.Minute
	good := []Run{oneStep(0, "BUILD", m, 0), oneStep(1, "TEST", 11*m, 0), oneStep(2, "DISTRIBUTION", 21*m, 0)}
	badTest := []Run{oneStep(0, "BUILD", m, 0), oneStep(1, "TEST", 11*m, Failed), oneStep(2, "TEST", 12*m, 0), oneStep(3, "DISTRIBUTION", 22*m, 0)}
	cancelled := []Run{oneStep(0, "", m, 0), oneStep(1, "TEST", 11*m, 0)}
	cancelled[0].Cancelled = 5 * m
	type at struct {
		After  time.Duration
		Status string
		Runs   int
	}
	for _, c := range []struct {
		name  string
		image Image
		want  []at
	}{
		{"good", Image{Attempts: []Attempt{{Runs: good, Distributes: 3 * m}}}, []at{
			{0, "PENDING", 3},
			{m, "BUILDING", 3},
			{11 * m, "TESTING", 3},
			{21 * m, "DISTRIBUTING", 3},
			{31 * m, "DISTRIBUTING", 3},
			{34 * m, "AVAILABLE", 3},
		}},
		{"fails a test", Image{Attempts: []Attempt{{Runs: badTest}}}, []at{{20 * m, "TESTING", 4}, {21 * m, "FAILED", 3}, {time.Hour, "FAILED", 3}}},
		{"cancelled", Image{Attempts: []Attempt{{Runs: cancelled}}}, []at{{5 * m, "BUILDING", 2}, {6 * m, "CANCELLED", 1}}},
		{"fails in distribution", Image{Attempts: []Attempt{{Runs: good[:2], Distributes: m, Fails: true}}}, []at{
			{21 * m, "DISTRIBUTING", 2}, {22 * m, "FAILED", 2},
		}},
		{"fails before it has any execution", Image{Attempts: []Attempt{{Distributes: m, Fails: true}}}, []at{{0, "CREATING", 0}, {m, "FAILED", 0}}},
		{"is integrated", Image{Attempts: []Attempt{{Runs: good, Distributes: 3 * m, Integrates: 2 * m}}}, []at{
			{33 * m, "DISTRIBUTING", 3}, {34 * m, "INTEGRATING", 3}, {36 * m, "AVAILABLE", 3},
		}},
		{"fails when it is integrated", Image{Attempts: []Attempt{{Runs: good, Integrates: 2 * m, Fails: true}}}, []at{
			{31 * m, "INTEGRATING", 3}, {33 * m, "FAILED", 3},
		}},
		{"retried", Image{Attempts: []Attempt{{Runs: badTest}, {Start: start.Add(40 * m), Runs: []Run{oneStep(9, "BUILD", 45*m, 0)}}}}, []at{
			{39 * m, "FAILED", 3}, {40 * m, "PENDING", 4}, {45 * m, "BUILDING", 4}, {55 * m, "AVAILABLE", 4},
		}},
		{"deprecated", Image{Attempts: []Attempt{{Runs: good}}, Deprecated: start.Add(time.Hour)}, []at{{59 * m, "AVAILABLE", 3}, {60 * m, "DEPRECATED", 3}}},
		{"not deprecated, for it failed", Image{Attempts: []Attempt{{Fails: true}}, Deprecated: start.Add(time.Hour)}, []at{{60 * m, "FAILED", 0}}},
		{"imported", Image{}, []at{{0, "AVAILABLE", 0}}},
		{"deleted", Image{Attempts: []Attempt{{Runs: good}}, Deleted: start.Add(time.Hour)}, []at{{-1, "", 0}, {59 * m, "AVAILABLE", 3}, {60 * m, "", 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.image.ARN, c.image.Created = testImage, start
			account := &Account{Images: []Image{c.image}}
			var got []at
			for _, w := range c.want {
				now := start.Add(w.After)
				g := at{After: w.After, Runs: len(account.WorkflowRuns(testImage, now))}
				for _, i := range account.ImageBuilds(testImage, now) {
					g.Status = i.Status(now)
				}
				got = append(got, g)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestARetriedRunSaysSo(t *testing.T) {
	api := &API{Scenario: &Account{Images: []Image{{ARN: testImage, Attempts: []Attempt{
		{Start: start, Runs: []Run{oneStep(0, "BUILD", 0, Failed)}, Reason: "It broke."},
		{Start: start.Add(time.Hour), Runs: []Run{oneStep(1, "BUILD", time.Hour, Succeeded)}},
	}}}}}
	client := newSDK(t, api, "eu-west-1")
	for _, c := range []struct {
		after  time.Duration
		reason string
		want   string
	}{{time.Minute, "", "[false]"}, {59 * time.Minute, "It broke.", "[false]"}, {time.Hour, "", "[true false]"}} {
		api.Now = func() time.Time { return start.Add(c.after) }
		var got []bool
		for _, e := range allExecutions(t, client, testImage) {
			got = append(got, *e.Retried)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("after %s: retried %v, want %s", c.after, got, c.want)
		}
		out, err := client.GetImage(t.Context(), getImage(testImage))
		if err != nil {
			t.Fatal(err)
		}
		if reason := out.Image.State.Reason; (reason == nil) != (c.reason == "") || reason != nil && *reason != c.reason {
			t.Errorf("after %s: the reason is not %q", c.after, c.reason)
		}
	}
}

func TestAPipelineBuildsForEver(t *testing.T) {
	p := Pipeline{
		ARN: "arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/web", First: start, Every: time.Hour, Keep: 3,
		Build: func(n int, _ time.Time) Image {
			ends := Failed
			if n%4 == 0 {
				ends = Succeeded
			}
			r := oneStep(n, "BUILD", time.Duration(n)*time.Hour, ends)
			return Image{ARN: fmt.Sprintf("%s%d", testImage[:len(testImage)-1], n+1), Attempts: []Attempt{{Runs: []Run{r}}}}
		},
	}
	api := &API{Scenario: &Account{Pipelines: []Pipeline{p}}}
	client := newSDK(t, api, "eu-west-1")
	for _, c := range []struct {
		after    time.Duration
		images   int
		newest   string
		failures int32
		next     time.Duration
	}{
		{-time.Minute, 0, "", 0, 0},
		{0, 1, "BUILDING", 0, time.Hour},
		{30 * time.Minute, 1, "AVAILABLE", 0, time.Hour},
		{90 * time.Minute, 2, "FAILED", 1, 2 * time.Hour},
		{125 * time.Minute, 3, "BUILDING", 1, 3 * time.Hour},
		{150 * time.Minute, 3, "FAILED", 2, 3 * time.Hour},
		{1002*time.Hour + 30*time.Minute, 3, "FAILED", 2, 1003 * time.Hour},
		{30 * time.Minute, 1, "AVAILABLE", 0, time.Hour}, // the clock may go back
	} {
		now := start.Add(c.after)
		api.Now = func() time.Time { return now }
		row := allPipelines(t, client)["web"]
		images := allPipelineImages(t, client, p.ARN)
		if len(images) != c.images || string(row.LastRunStatus) != c.newest || *row.ConsecutiveFailures != c.failures {
			t.Errorf("after %s: %d images, the last %q, %d failures", c.after, len(images), row.LastRunStatus, *row.ConsecutiveFailures)
		}
		if got := parse(t, *row.DateNextRun).Sub(start); got != c.next {
			t.Errorf("after %s: the next run is at %s, want %s", c.after, got, c.next)
		}
		if row.DateLastRun != nil {
			t.Error("dateLastRun is filled")
		}
		for _, i := range images {
			executions := allExecutions(t, client, *i.Arn)
			if len(executions) != 1 {
				t.Errorf("%s has %d executions", *i.Arn, len(executions))
			}
		}
		if _, ok := api.Scenario.WorkflowExecution(runID(1, "test", 0), now); ok != (c.images > 0 && c.after < 3*time.Hour) {
			t.Errorf("after %s: the first execution is there: %v", c.after, ok)
		}
	}
}
