package lookup

import (
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// reach says whether Image Builder can be reached with the credentials of a target. The
// rules are those of imagebuilder_up in docs/metrics.md.
type reach struct {
	up     bool
	asked  []*question // what can tell something about it, without what is settled
	of     int         // the schedule's Changes when these were listed
	latest time.Time   // when the latest answer came that update has seen
	// answered has the operations that were answered about any subject.
	answered map[imagebuilder.Operation]bool
	// Answers that are older no longer count: all of them, and those of one operation.
	outdated            time.Time
	outdatedByOperation map[imagebuilder.Operation]time.Time
}

func newReach() reach {
	return reach{answered: map[imagebuilder.Operation]bool{}, outdatedByOperation: map[imagebuilder.Operation]time.Time{}}
}

// answered reports whether the last lookup that has ended was answered.
func (q *question) answered() bool {
	return q.LookedUp && (!q.Failing || q.failure.answered)
}

// answeredAt returns when that was.
func (q *question) answeredAt() time.Time {
	if q.Failing {
		return q.failure.at
	}
	return q.ReadAt
}

// outdate takes in that q, which was answered the last time, fails now with err: nothing
// can be reached any more, or, when q is refused, its operation cannot.
func (r *reach) outdate(q *question, err error) {
	switch class := imagebuilder.ClassOf(err); {
	case q.Optional:
	case class == imagebuilder.Unavailable, imagebuilder.FromCredentials(err), imagebuilder.CredentialsRefused(err):
		r.outdated = later(r.outdated, q.Begun)
	case class == imagebuilder.Denied:
		r.outdatedByOperation[q.operation] = later(r.outdatedByOperation[q.operation], q.Begun)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// counts reports whether the last lookup of q was answered, and no failure of another one
// has outdated that.
func (r *reach) counts(q *question) bool {
	at := q.answeredAt()
	return q.answered() && !at.Before(r.outdated) && !at.Before(r.outdatedByOperation[q.operation])
}

// asksAbout reports whether q tells something about the reach of Image Builder. A subject
// that is denied from the start does not, where others of its operation are answered: it
// has an error of its own.
func (r *reach) asksAbout(q *question) bool {
	if q.Settled || q.Paused || q.Optional || !q.LookedUp {
		return false
	}
	deniedFromTheStart := q.class() == imagebuilder.Denied && !q.answeredBefore
	return !deniedFromTheStart || !r.answered[q.operation]
}

// updateReach decides again whether Image Builder can be reached. It costs what is not settled: the
// last answer of a question that has settled since is seen once.
func (t *Target) updateReach() {
	r := &t.reach
	if n := t.schedule.Changes(); n != r.of {
		r.asked, r.of = slices.AppendSeq(r.asked[:0], t.required), n
	}
	r.update(r.asked)
	r.asked = slices.DeleteFunc(r.asked, func(q *question) bool { return q.Over() })
}

// update decides again whether Image Builder can be reached. With nothing that is asked
// about that stays as it was, but for a new answer.
func (r *reach) update(questions []*question) {
	for _, q := range questions {
		if !q.Optional && (q.answered() || q.answeredBefore) {
			r.answered[q.operation] = true
		}
	}
	asked, counts, news := false, false, false
	for _, q := range questions {
		if !q.Optional && q.answered() && q.answeredAt().After(r.latest) {
			r.latest, news = q.answeredAt(), true
		}
		if r.asksAbout(q) {
			asked = true
			counts = counts || r.counts(q)
		}
	}
	switch {
	case asked:
		r.up = counts
	case news:
		r.up = true
	}
}
