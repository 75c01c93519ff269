package status

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// The geometry of a timeline, in units of its view box.
const (
	timelineWidth  = 1000 // as in the template
	timelineLabels = 240  // the width of the names
	timelineRow    = 24
	timelineBuilds = 12 // at most
)

// timeline shows when the executions of the newest builds ran, a row for each build.
type timeline struct {
	From, To     time.Time
	Height, Axis int // Axis is the y of the time axis
	Rows         []timelineBuild
	Ticks        []tick
	Now          string // the x of now, empty when it is outside the timeline
}

// timelineBuild is a row of the timeline.
type timelineBuild struct {
	Label string
	Title string // the whole label
	Y     int
	Bars  []bar
}

// bar is an execution in its build's row.
type bar struct {
	Href, Class, Title string
	X, W               string
	Y                  int
}

// tick is a mark of the time axis.
type tick struct{ X, Label string }

// newTimeline returns the timeline of the newest builds among rows, nil when none of them has
// started.
func newTimeline(rows []*execution, now time.Time) *timeline {
	builds := newestBuilds(rows)
	if len(builds) == 0 {
		return nil
	}
	builds, from, to := recent(builds)
	if late := now.Sub(to); late > 0 && late < to.Sub(from)/4 {
		to = now
	}
	span := to.Sub(from)
	x := func(t time.Time) float64 {
		return timelineLabels + float64(timelineWidth-timelineLabels-20)*float64(t.Sub(from))/float64(span)
	}
	axis := timelineRow * len(builds)
	t := &timeline{From: from, To: to, Height: axis + 40, Axis: axis, Ticks: ticks(from, to, x)}
	if !now.Before(from) && !now.After(to) {
		t.Now = fmt.Sprintf("%.1f", x(now))
	}
	for i, b := range builds {
		title := b[0].Image + " " + b[0].Version
		build := timelineBuild{Label: middle(title, 34), Title: title, Y: timelineRow*i + 16}
		for _, e := range b {
			build.Bars = append(build.Bars, newBar(e, executionHref(e.ID), timelineRow*i+5, x))
		}
		t.Rows = append(t.Rows, build)
	}
	return t
}

// newBar returns the bar of an execution, at least 3 wide.
func newBar(e *execution, href string, y int, x func(time.Time) float64) bar {
	start, end := x(*e.Started), x(e.until())
	return bar{
		Href: href, Class: class(e.Status), Y: y,
		X: fmt.Sprintf("%.1f", start), W: fmt.Sprintf("%.1f", max(end-start, 3)),
		Title: fmt.Sprintf("%s of %s %s: %s, %s", cmp.Or(e.Type, "workflow"), e.Image, e.Version, e.Status, duration(e.Duration)),
	}
}

// tickSteps are the distances between ticks. Weeks begin on a Monday.
var tickSteps = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 28 * day,
}

// ticks returns about six ticks of the time axis at round times. A label has the date where that
// changes.
func ticks(from, to time.Time, x func(time.Time) float64) []tick {
	step := max(day, to.Sub(from).Truncate(day)) / 6 * 2 // if all of tickSteps are too short
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

// recent returns the newest of the builds, and the time that their timeline spans. It leaves out
// a build that is much older than the newer ones, and all before it: the bars of the newer ones
// would be too small to see.
func recent(builds [][]*execution) (newest [][]*execution, from, to time.Time) {
	for i, b := range builds {
		begin, end := *b[0].Started, to
		for _, e := range b {
			end = later(end, e.until())
		}
		if i > 0 && end.Sub(begin) > 20*max(to.Sub(from), time.Hour) {
			builds = builds[:i]
			break
		}
		from, to = begin, end
	}
	return builds, from, later(to, from.Add(time.Minute))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// newestBuilds returns the executions that have started, by image build, the newest build first.
func newestBuilds(rows []*execution) [][]*execution {
	begun := map[string]time.Time{}
	for _, e := range rows {
		if e.Started == nil || e.ImageARN == "" {
			continue
		}
		if first, ok := begun[e.ImageARN]; !ok || e.Started.Before(first) {
			begun[e.ImageARN] = *e.Started
		}
	}
	newest := newestOf(begun, timelineBuilds)
	if len(newest) == 0 {
		return nil
	}
	oldest := begun[newest[len(newest)-1]]
	builds := make([][]*execution, len(newest))
	for _, e := range rows {
		if e.Started == nil || e.Started.Before(oldest) {
			continue
		}
		if i := slices.Index(newest, e.ImageARN); i >= 0 {
			builds[i] = append(builds[i], e)
		}
	}
	for _, b := range builds {
		slices.SortFunc(b, func(x, y *execution) int {
			return cmp.Or(x.Started.Compare(*y.Started), cmp.Compare(x.ID, y.ID))
		})
	}
	return builds
}

// newestOf returns the n keys with the latest times, the latest first. It does not sort all, for
// there may be very many.
func newestOf(times map[string]time.Time, n int) []string {
	var first []string
	compare := func(a, b string) int { return cmp.Or(times[b].Compare(times[a]), cmp.Compare(a, b)) }
	var last time.Time // of first, once that is full
	for key, t := range times {
		if len(first) == n && t.Before(last) {
			continue
		}
		at, _ := slices.BinarySearchFunc(first, key, compare)
		first = slices.Insert(first, at, key)
		first = first[:min(n, len(first))]
		last = times[first[len(first)-1]]
	}
	return first
}

// until returns when e ended, or the moment until which it is known to have run.
func (e *execution) until() time.Time {
	return e.Started.Add(time.Duration(valueOr(e.Duration, 0) * float64(time.Second)))
}
