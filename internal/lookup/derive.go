package lookup

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// derived is what follows from everything that is known. Snapshots read it.
type derived struct {
	outdated           bool        // whether executions, images and dropped are
	supersededOutdated bool        // whether what is superseded is
	executions         []*followed // all that are selected, in the order of their ids, each once
	images             []*build    // those that are published, in the order of their ARNs
	dropped            int         // executions that MaxExecutions leaves out
	discoveredAt       time.Time   // when the selection was read whole, zero for never
	settled            settled     // which of executions and images are settled
}

// derive computes what follows from everything that is known, once for a batch of
// answers. The caller holds t.mu.
func (t *Target) derive(now time.Time) {
	t.updateReach()
	t.deriveDiscoveredAt()
	if !t.derived.outdated {
		return
	}
	builds := t.buildsInOrder()
	t.cut(builds, now)
	t.derived.executions = keepFollowed(t.derived.executions, t.listExecutions(builds))
	for _, b := range t.derived.images {
		if !b.selected || b.dropped {
			b.leave()
		}
	}
	t.derived.images = slices.DeleteFunc(builds, func(b *build) bool { return b.dropped })
	slices.SortFunc(t.derived.images, func(a, b *build) int { return cmp.Compare(a.Subject.ID, b.Subject.ID) })
	t.derived.listLive()
	t.derived.outdated, t.derived.supersededOutdated = false, true
}

// buildsInOrder returns the builds that are selected: first those that have not ended,
// and among both the newest first.
func (t *Target) buildsInOrder() []*build {
	var all []*build
	for _, b := range t.builds {
		if b.selected {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b *build) int {
		switch ended := a.image.Status.Ended(); {
		case ended == b.image.Status.Ended():
			return b.image.Compare(a.image)
		case ended:
			return 1
		}
		return -1
	})
	return all
}

// cut decides what MaxExecutions leaves out of what was found: of the executions that
// have ended first those of the oldest builds, then the others; and of the images, as
// many. Executions that were selected by their ids do not count. It takes the builds in
// their order.
func (t *Target) cut(builds []*build, now time.Time) {
	limit, before := t.c.MaxExecutions, t.derived.dropped
	var active, ended []*execution
	for i, b := range builds {
		b.dropped = i >= limit
		b.pauseDetails()
		for _, x := range b.executions {
			switch {
			case t.configured[x.value.ID] != nil:
				x.dropped = false
			case x.value.Status.Final():
				ended = append(ended, x)
			default:
				active = append(active, x)
			}
		}
	}
	t.derived.dropped = 0
	for i, x := range append(active, ended...) {
		was := x.dropped
		if x.dropped = i >= limit; x.dropped {
			t.derived.dropped++
			t.dismissSteps(x.value.ID)
		} else if was {
			t.followSteps(x.value, 0, now)
		}
	}
	t.reportCut(before)
}

// reportCut logs when MaxExecutions begins to leave something out, and when it no longer
// does; before is how much it was.
func (t *Target) reportCut(before int) {
	logger, dropped := log.With(t.c.Logger, "target", t.c.Name, "region", t.c.Region), t.derived.dropped
	switch {
	case before == 0 && dropped > 0:
		level.Warn(logger).Log("msg", "more executions found than max_executions allows; the oldest are dropped",
			"max_executions", t.c.MaxExecutions, "dropped", dropped)
	case before > 0 && dropped == 0:
		level.Info(logger).Log("msg", "executions are no longer dropped", "max_executions", t.c.MaxExecutions)
	}
}

// listExecutions returns all executions that are selected. It takes the builds in their
// order: of two that have an execution the first one counts.
func (t *Target) listExecutions(builds []*build) []followed {
	all := make([]followed, 0, len(t.configured))
	listed := make(map[string]bool, len(t.configured))
	for id, c := range t.configured {
		listed[id] = true
		all = append(all, followed{id: id, execution: c.execution, question: &c.question})
	}
	for _, b := range builds {
		for _, x := range b.executions {
			if id := x.value.ID; !x.dropped && !listed[id] {
				listed[id] = true
				all = append(all, followed{id: id, execution: x, question: &b.question, build: b})
			}
		}
	}
	slices.SortFunc(all, func(a, b followed) int { return cmp.Compare(a.id, b.id) })
	return all
}

// keepFollowed returns pointers to all, those of before where they are about the same
// executions. Both are in the order of their ids. What is in before alone leaves its batch.
func keepFollowed(before []*followed, all []followed) []*followed {
	kept := make([]*followed, len(all))
	for i := range all {
		f := &all[i]
		for len(before) > 0 && before[0].id < f.id {
			before[0].leave()
			before = before[1:]
		}
		if len(before) > 0 && before[0].id == f.id {
			before[0].execution, before[0].question, before[0].build = f.execution, f.question, f.build
			f, before = before[0], before[1:]
		} else {
			f = new(*f) // so that the whole list is not kept
		}
		kept[i] = f
	}
	for _, f := range before {
		f.leave()
	}
	return kept
}

// find returns the execution with this id, nil when it is not one of those that are selected.
func (t *Target) find(id string) *followed {
	i, found := slices.BinarySearchFunc(t.derived.executions, id, func(f *followed, id string) int { return cmp.Compare(f.id, id) })
	if !found {
		return nil
	}
	return t.derived.executions[i]
}

// deriveDiscoveredAt takes in when the selection was read whole, if everything that it
// consists of has been read at least once.
func (t *Target) deriveDiscoveredAt() {
	oldest := time.Time{}
	for q := range t.discoveries {
		if found := q.HasAnswer || q.class() == imagebuilder.NotFound && q.failure.answered; !found {
			return
		}
		if oldest.IsZero() || q.ReadAt.Before(oldest) {
			oldest = q.ReadAt
		}
	}
	t.derived.discoveredAt = oldest
}

// required yields every question that can tell something about the reach of Image Builder.
func (t *Target) required(yield func(*question) bool) {
	for q := range t.discoveries {
		if !yield(q) {
			return
		}
	}
	for _, c := range t.configured {
		if !yield(&c.question) {
			return
		}
	}
	for _, b := range t.builds {
		if !yield(&b.question) {
			return
		}
	}
}
