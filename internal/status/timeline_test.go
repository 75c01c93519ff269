package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		span time.Duration
		want []string
	}{
		{5 * time.Minute, []string{"Nov 24 12:01", "12:02", "12:03", "12:04", "12:05"}},
		{14 * time.Hour, []string{"Nov 24 15:00", "18:00", "21:00", "Nov 25 00:00"}},
		{3 * day, []string{"Nov 25 00:00", "12:00", "Nov 26 00:00", "12:00", "Nov 27 00:00", "12:00"}},
		{5 * day, []string{"Nov 25", "Nov 26", "Nov 27", "Nov 28", "Nov 29"}},
	} {
		var got []string
		for _, tick := range ticks(now.Add(time.Second), now.Add(c.span), func(time.Time) float64 { return 0 }) {
			got = append(got, tick.Label)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.span, diff)
		}
	}
	if n := len(ticks(now, now.AddDate(30, 0, 0), func(time.Time) float64 { return 0 })); n > 8 {
		t.Errorf("30 years have %d ticks", n)
	}
}

// ran returns an execution of a build that started and ended so long before now. It runs when
// ended is negative.
func ran(build string, started, ended time.Duration) *execution {
	e := &execution{ID: "wf-" + build, Image: build, Version: "1.0.0/1", ImageARN: "arn/" + build, Status: "COMPLETED"}
	e.Started, e.Duration = pointer(now.Add(-started)), pointer((started - max(ended, 0)).Seconds())
	if ended < 0 {
		e.Status = "RUNNING"
	} else {
		e.Ended = pointer(now.Add(-ended))
	}
	return e
}

// barsOf returns the build, the status, the x and the width of each bar.
func barsOf(t *timeline) []string {
	var bars []string
	for _, row := range t.Rows {
		for _, b := range row.Bars {
			build, _, _ := strings.Cut(row.Label, " ")
			status := strings.TrimSuffix(strings.Fields(b.Title)[4], ",")
			bars = append(bars, strings.Join([]string{build, status, b.X, b.W}, " "))
		}
	}
	return bars
}

func TestTimeline(t *testing.T) {
	const runs = -1
	pending, unnamed := ran("linux", time.Hour, runs), ran("linux", time.Hour, runs)
	pending.Started, pending.Duration, unnamed.ImageARN = nil, nil, ""
	lost := ran("linux", time.Hour, 0) // it has ended, but nobody knows when
	lost.Status, lost.Ended, lost.Duration = "FAILED", nil, nil
	for _, c := range []struct {
		name string
		rows []*execution
		bars []string // build, status, x and width
		now  string
	}{
		{"none has started", []*execution{pending}, nil, ""},
		{"the build of an execution is not known", []*execution{unnamed}, nil, ""},
		{"a build that runs reaches to now", []*execution{ran("linux", time.Hour, runs)}, []string{"linux RUNNING 240.0 740.0"}, "980.0"},
		{
			"the timeline of builds that ended a moment ago reaches to now",
			[]*execution{ran("linux", 74*time.Minute, 10*time.Minute)},
			[]string{"linux COMPLETED 240.0 640.0"},
			"980.0",
		},
		{
			"that of builds that ended long ago does not",
			[]*execution{ran("linux", 11*time.Hour, 10*time.Hour)},
			[]string{"linux COMPLETED 240.0 740.0"},
			"",
		},
		{
			"an execution that took no time has a bar",
			[]*execution{ran("linux", 10*time.Hour, 10*time.Hour)},
			[]string{"linux COMPLETED 240.0 3.0"},
			"",
		},
		{"an execution without an end has a short bar", []*execution{lost}, []string{"linux FAILED 240.0 3.0"}, ""},
		{
			"the newest build comes first",
			[]*execution{ran("old", time.Hour, 30*time.Minute), ran("new", 30*time.Minute, runs)},
			[]string{"new RUNNING 610.0 370.0", "old COMPLETED 240.0 370.0"},
			"980.0",
		},
		{
			"the executions of a build share a row, in the order of their start",
			[]*execution{ran("linux", 30*time.Minute, runs), ran("linux", time.Hour, 30*time.Minute)},
			[]string{"linux COMPLETED 240.0 370.0", "linux RUNNING 610.0 370.0"},
			"980.0",
		},
		{
			"a build that took no time has a bar where an older one is left out",
			[]*execution{ran("old", 30*day, 29*day), ran("new", time.Hour, time.Hour)},
			[]string{"new COMPLETED 240.0 3.0"},
			"",
		},
		{
			"a build that is much older is left out",
			[]*execution{ran("old", 30*day, 29*day), ran("new", time.Hour, runs)},
			[]string{"new RUNNING 240.0 740.0"},
			"980.0",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := newTimeline(c.rows, now)
			if got == nil {
				got = &timeline{}
			}
			if diff := cmp.Diff(c.bars, barsOf(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.Now != c.now {
				t.Errorf("now is at %q, want %q", got.Now, c.now)
			}
		})
	}
}

func TestTheTimelineIsBounded(t *testing.T) {
	var rows []*execution
	for n := range 2 * timelineBuilds {
		rows = append(rows, ran(fmt.Sprintf("linux-%02d", n), time.Duration(n+1)*time.Minute, -1))
	}
	if n := len(newTimeline(rows, now).Rows); n != timelineBuilds {
		t.Errorf("it has %d builds, want %d", n, timelineBuilds)
	}
}
