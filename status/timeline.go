package status

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// The geometry of a timeline, in units of its view box.
const (
	timelineWidth  = 1000
	timelineLabels = 240 // what the names take
	timelineRow    = 24
	timelineBuilds = 12 // at most
)

// timeline shows when the executions of the newest builds ran.
type timeline struct {
	Width, Height, Labels, Axis int
	Title                       string
	Rows                        []timelineBuild
	Ticks                       []tick
}

type timelineBuild struct {
	Label string
	Y     int
	Bars  []bar
}

type bar struct {
	ID, Class, Title string
	X, W             string
	Y                int
}

type tick struct{ X, Label string }

// newTimeline returns the timeline of the newest builds among rows, nil when there is
// none that has begun.
func newTimeline(rows []*execution, now time.Time) *timeline {
	builds := newestBuilds(rows)
	if len(builds) == 0 {
		return nil
	}
	builds, from, to := shown(builds, now)
	span := to.Sub(from)
	x := func(t time.Time) float64 {
		return timelineLabels + float64(timelineWidth-timelineLabels-20)*float64(t.Sub(from))/float64(span)
	}
	t := &timeline{Width: timelineWidth, Labels: timelineLabels, Axis: timelineRow * len(builds), Height: timelineRow*len(builds) + 24}
	t.Title = fmt.Sprintf("When the executions of %d builds ran, from %s to %s UTC. The table below says the same.", len(builds), from.UTC().Format("Jan 2 15:04"), to.UTC().Format("Jan 2 15:04"))
	for i, b := range builds {
		row := timelineBuild{Label: shorten(b[0].Image+" "+b[0].Version, 34), Y: timelineRow*i + 17}
		for _, e := range b {
			start, end := x(*e.Started), x(e.until())
			row.Bars = append(row.Bars, bar{
				ID: e.ID, Class: class(e.Status), Y: timelineRow*i + 5, X: fmt.Sprintf("%.1f", start), W: fmt.Sprintf("%.1f", max(end-start, 3)),
				Title: fmt.Sprintf("%s of %s %s: %s, %s", cmp.Or(e.Type, "workflow"), e.Image, e.Version, e.Status, duration(e.Duration)),
			})
		}
		t.Rows = append(t.Rows, row)
	}
	for i := range 5 {
		at := from.Add(span * time.Duration(i) / 5)
		t.Ticks = append(t.Ticks, tick{fmt.Sprintf("%.1f", x(at)), at.UTC().Format("Jan 2 15:04")})
	}
	return t
}

// shown returns the newest of the builds, and the time that their timeline spans. A build
// that is much older than the newer ones is left out with all before it, for beside it
// those would be too small to be seen.
func shown(builds [][]*execution, now time.Time) (newest [][]*execution, from, to time.Time) {
	from = now
	for i, b := range builds {
		begin, end := *b[0].Started, to
		for _, e := range b {
			if e.until().After(end) {
				end = e.until()
			}
		}
		if i > 0 && end.Sub(begin) > 20*max(to.Sub(from), time.Hour) {
			return builds[:i], from, to
		}
		if begin.Before(from) {
			from = begin
		}
		to = end
	}
	return builds, from, later(to, from.Add(time.Minute))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// newestBuilds returns the executions that have begun, by image build, the build that
// began last first.
func newestBuilds(rows []*execution) [][]*execution {
	byARN := map[string][]*execution{}
	for _, e := range rows {
		if e.Started != nil && e.ImageARN != "" {
			byARN[e.ImageARN] = append(byARN[e.ImageARN], e)
		}
	}
	var builds [][]*execution
	for _, b := range byARN {
		slices.SortFunc(b, func(x, y *execution) int { return cmp.Or(compareTimes(x.Started, y.Started), cmp.Compare(x.ID, y.ID)) })
		builds = append(builds, b)
	}
	slices.SortFunc(builds, func(x, y []*execution) int {
		return cmp.Or(compareTimes(y[0].Started, x[0].Started), cmp.Compare(x[0].ImageARN, y[0].ImageARN))
	})
	return builds[:min(len(builds), timelineBuilds)]
}

// until returns when e ended, or the moment of the page.
func (e *execution) until() time.Time {
	switch {
	case e.Ended != nil:
		return *e.Ended
	case e.Duration != nil:
		return e.now
	}
	return *e.Started
}

// shorten cuts s to n characters.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
