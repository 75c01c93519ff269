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
	Width, Height, Axis int
	Title               string
	Rows                []timelineBuild
	Ticks               []tick
	Now                 string // where the moment of the page is, empty when it is not shown
}

type timelineBuild struct {
	Label string
	Y     int
	Bars  []bar
}

type bar struct {
	Href, Class, Title string
	X, W               string
	Y                  int
}

type tick struct{ X, Label string }

// newTimeline returns the timeline of the newest builds among rows, nil when there is
// none that has begun. link returns the address of an execution.
func newTimeline(rows []*execution, now time.Time, link func(id string) string) *timeline {
	builds := newestBuilds(rows)
	if len(builds) == 0 {
		return nil
	}
	builds, from, to := shown(builds, now)
	if late := now.Sub(to); late > 0 && late < to.Sub(from)/4 {
		to = now
	}
	span := to.Sub(from)
	x := func(t time.Time) float64 {
		return timelineLabels + float64(timelineWidth-timelineLabels-20)*float64(t.Sub(from))/float64(span)
	}
	t := &timeline{Width: timelineWidth, Axis: timelineRow * len(builds), Height: timelineRow*len(builds) + 40, Ticks: ticks(from, to, x)}
	t.Title = fmt.Sprintf("When the executions of %d builds ran, from %s to %s UTC. The table below says the same.", len(builds), from.UTC().Format("Jan 2 15:04"), to.UTC().Format("Jan 2 15:04"))
	if !now.Before(from) && !now.After(to) {
		t.Now = fmt.Sprintf("%.1f", x(now))
	}
	for i, b := range builds {
		build := timelineBuild{Label: truncate(b[0].Image+" "+b[0].Version, 34), Y: timelineRow*i + 16}
		for _, e := range b {
			start, end := x(*e.Started), x(e.until())
			build.Bars = append(build.Bars, bar{
				Href: link(e.ID), Class: class(e.Status), Y: timelineRow*i + 5, X: fmt.Sprintf("%.1f", start), W: fmt.Sprintf("%.1f", max(end-start, 3)),
				Title: fmt.Sprintf("%s of %s %s: %s, %s", cmp.Or(e.Type, "workflow"), e.Image, e.Version, e.Status, duration(e.Duration)),
			})
		}
		t.Rows = append(t.Rows, build)
	}
	return t
}

// steps of a time axis. Days count from a Monday when they are seven.
var tickSteps = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 28 * day,
}

const day = 24 * time.Hour

// ticks returns about six marks of the time axis at round times, with the date where it
// is another one than before.
func ticks(from, to time.Time, x func(time.Time) float64) []tick {
	step := max(day, to.Sub(from).Truncate(day)) / 6 * 2 // if there is none that is long enough
	for _, s := range tickSteps {
		if to.Sub(from) <= 6*s {
			step = s
			break
		}
	}
	var all []tick
	date := ""
	for at := from.UTC().Truncate(step).Add(step); !at.After(to); at = at.Add(step) {
		label := at.Format("15:04")
		if d := at.Format("Jan 2"); d != date {
			label = d
			if step < day {
				label += " " + at.Format("15:04")
			}
			date = d
		}
		all = append(all, tick{fmt.Sprintf("%.1f", x(at)), label})
	}
	return all
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
