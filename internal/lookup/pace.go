package lookup

import (
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// pace is how often discovery asks each of its questions, within its rate limit.
//
// Discovery gets a share of the rate limit, and of the requests that may be on the wire at a time:
// two that take 500 ms each are no more than 4 in a second. While all its requests fit into that
// within one discovery_interval, each question is asked once in discovery_interval. When there are
// more, the intervals grow, so that what is due is as much as can be asked, and no queue builds up:
//
//   - The lists of pipelines and images are read once per discovery_interval, because they show
//     which pipelines have a new run.
//   - So is each pipeline or image of which a build has not ended.
//   - The rest share what is left: with 5,000 pipelines and 5 requests a second, 200 of 1,500
//     requests in 5 minutes are pages of the list, and the others take 5,000 / 1,300 times as
//     long. The one that was not asked for the longest time goes first.
//
// The lists, and then the builds, leave a quarter of the rate to what comes after them; where
// they need more, their intervals grow as well.
//
// A pipeline does not wait for its turn when its next run is due, or when the list shows a run that
// is new: see comesFirst. That takes requests from the rest. A pipeline of the rest that has waited
// for discovery_interval in addition to its own interval comes first as well.
type pace struct{ lists, building, rest time.Duration }

// requests is how many requests it takes to ask everything once.
type requests struct{ lists, building, rest int }

// maxInterval bounds what a very low rate makes of an interval.
const maxInterval = 365 * 24 * time.Hour

// newPace returns the pace at which so many requests fit into a rate, in requests a second, 0
// for no limit, with no interval shorter than the one that is configured.
func newPace(interval time.Duration, rate float64, n requests) pace {
	p := pace{interval, interval, interval}
	left := rate * interval.Seconds()
	if rate == 0 || float64(n.lists+n.building+n.rest) <= left {
		return p
	}
	for _, part := range []struct {
		n        int
		share    float64
		interval *time.Duration
	}{{n.lists, 0.75, &p.lists}, {n.building, 0.75, &p.building}, {n.rest, 1, &p.rest}} {
		share := left * part.share
		seconds := interval.Seconds() * max(1, float64(part.n)/share)
		*part.interval = max(interval, time.Duration(min(seconds, maxInterval.Seconds())*float64(time.Second)))
		left -= min(float64(part.n), share)
	}
	return p
}

// longest returns the longest of the intervals.
func (p pace) longest() time.Duration { return max(p.lists, p.building, p.rest) }

// paceDiscovery computes how often discovery asks, and takes in which pipelines come first. It
// holds until it is called again. The caller holds t.mu.
func (t *Target) paceDiscovery(now time.Time) {
	var n requests
	for q := range t.discoveries {
		pages := max(1, q.pages) // also for an empty list, and before the first answer
		switch s := t.sources[q.Subject.ID]; {
		case s == nil:
			n.lists += pages
		case s.building():
			n.building += pages
		default:
			n.rest += pages
		}
	}
	t.pace = newPace(t.c.DiscoveryInterval, t.discoveryRate(), n)
	for q := range t.discoveries {
		s := t.sources[q.Subject.ID]
		if s == nil {
			q.setEvery(t.pace.lists)
			q.SetPriority(listsFirst)
			continue
		}
		s.setPace(t.pace, now)
	}
	t.reportPace()
}

// discoveryRate returns how many requests of discovery can be sent in a second, 0 for no limit.
func (t *Target) discoveryRate() float64 {
	rate := t.c.DiscoveryRate
	if t.answerTime == 0 {
		return rate
	}
	answers := float64(t.c.DiscoverySlots) / t.answerTime.Seconds()
	if rate == 0 {
		return answers
	}
	return min(rate, answers)
}

// measure takes in that a list of discovery had so many rows, and how long that took. That of
// several pages has waited for its turn in between.
func (q *question) measure(rows int, now time.Time) {
	t := q.target
	if q.pages = pagesOf(rows); q.pages > 1 {
		return
	}
	took := now.Sub(q.Begun)
	if t.answerTime == 0 {
		t.answerTime = took
	}
	t.answerTime += (took - t.answerTime) / 16
}

// setEvery takes in how often q is asked. Its turn may come so much later than it is due.
func (q *question) setEvery(interval time.Duration) {
	q.Every, q.Wait = interval, interval-q.target.c.DiscoveryInterval
}

// The priorities of discovery. The lists tell what else comes first.
const (
	inTurn = iota
	runsFirst
	listsFirst
)

// outpaced reports whether the requests of discovery do not fit into discovery_interval.
func (t *Target) outpaced() bool { return t.pace.longest() > t.c.DiscoveryInterval }

// setPace takes in when s is asked.
func (s *source) setPace(p pace, now time.Time) {
	every, priority := p.rest, inTurn
	if s.building() {
		every, priority = p.building, runsFirst
	}
	if s.comesFirst(now) {
		priority = runsFirst
		s.AskNow()
	}
	if now.Sub(later(s.Begun, s.addedAt)) > every+s.target.c.DiscoveryInterval {
		priority = runsFirst // others came first for long enough
	}
	s.setEvery(every)
	s.SetPriority(priority)
}

// building reports whether s tells of a build that is followed and has not ended.
func (s *source) building() bool {
	for _, image := range s.images {
		if !image.Status.Ended() {
			return true
		}
	}
	return false
}

// comesFirst reports whether s does not wait for its turn: it was not asked since the next run
// of its pipeline has come, or since the list told of a run. While everything is asked once in
// discovery_interval, its turn comes soon enough.
func (s *source) comesFirst(now time.Time) bool {
	if s.pipeline == nil || !s.target.outpaced() {
		return false
	}
	next := s.pipeline.NextRun
	return s.runListed.After(s.Begun) || !next.IsZero() && !next.After(now) && s.Begun.Before(next)
}

// takeRow takes in how the list describes the pipeline of s now.
func (s *source) takeRow(row *imagebuilder.Pipeline, now time.Time) {
	before := s.pipeline
	s.pipeline = row
	if before == nil && row.LastRunStatus.Active() || before != nil && row.RunSince(before) {
		s.runListed = now
	}
}

// reportPace logs when discovery no longer fits into discovery_interval, and when it does again.
// A little more than fits is not worth a line.
func (t *Target) reportPace() {
	logger := log.With(t.c.Logger, "target", t.c.Name, "region", t.c.Region, "discovery_interval", t.c.DiscoveryInterval)
	switch interval := t.pace.longest(); {
	case !t.paceReported && interval > t.c.DiscoveryInterval*11/10:
		t.paceReported = true
		level.Warn(logger).Log("msg", "discovery needs more than a quarter of rate_limit and concurrency; its interval grows", "interval", interval.Round(time.Second))
	case t.paceReported && interval == t.c.DiscoveryInterval:
		t.paceReported = false
		level.Info(logger).Log("msg", "discovery fits into a quarter of rate_limit and concurrency again")
	}
}

// pagesOf returns about how many requests a list of so many rows takes.
func pagesOf(rows int) int { return (rows + imagebuilder.RowsOfPage - 1) / imagebuilder.RowsOfPage }

// discoveryInterval returns the interval that Snapshot names.
func (t *Target) discoveryInterval() time.Duration {
	for range t.discoveries {
		return t.pace.longest()
	}
	return 0
}
