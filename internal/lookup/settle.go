package lookup

import (
	"cmp"
	"slices"
	"time"
)

// deriveSettled decides what is settled, and in which batches. Only a snapshot tells, so it is
// once for each. It costs what is live; it looks at everything only after something that may
// concern everything. The caller holds t.mu.
func (t *Target) deriveSettled(now time.Time) {
	t.unsettleChanged(now)
	t.derived.settled.pack(now)
}

// unsettleChanged makes live again what has changed, and the rest of its batch.
func (t *Target) unsettleChanged(now time.Time) {
	d := &t.derived
	if d.settled.outdated {
		for m := range d.members {
			recheck(m, now)
		}
	}
	for _, id := range d.settled.touched {
		if f := t.find(id); f != nil {
			recheck(f, now)
		}
	}
	d.settled.outdated, d.settled.touched = false, nil
	d.dissolve()
}

// recheck takes m out of its batch when what that says no longer holds.
func recheck(m member, now time.Time) {
	if m.at().batch != nil && !m.current(now) {
		m.at().leave()
	}
}

// touch makes the next snapshot look whether the steps of an execution have changed.
func (s *settled) touch(id string) { s.touched = append(s.touched, id) }

// members yields every execution and image that is published.
func (d *derived) members(yield func(member) bool) {
	for _, f := range d.executions {
		if !yield(f) {
			return
		}
	}
	for _, b := range d.images {
		if !yield(b) {
			return
		}
	}
}

// listLive lists what is in no batch.
func (d *derived) listLive() {
	s := &d.settled
	s.liveExecutions, s.liveImages = nil, nil
	for _, f := range d.executions {
		if f.batch == nil {
			s.liveExecutions = append(s.liveExecutions, f)
		}
	}
	for _, b := range d.images {
		if b.batch == nil {
			s.liveImages = append(s.liveImages, b)
		}
	}
}

// dissolve ends the batches of which a member has changed. The others are live until pack puts
// them into another batch.
func (d *derived) dissolve() {
	s := &d.settled
	whole := len(s.batches)
	s.batches = slices.DeleteFunc(s.batches, func(b *batch) bool {
		if b.broken {
			b.free()
		}
		return b.broken
	})
	if len(s.batches) < whole {
		d.listLive()
	}
}

// free makes those members of b live that are still in it.
func (b *batch) free() {
	for _, m := range b.members {
		if m.at().batch == b {
			*m.at() = place{}
		}
	}
}

// pack puts what is live and quiet into batches. Batches that are no larger join it, the
// smallest first: so there are few small ones, and what settles one by one is moved only as
// often as a batch can double.
func (s *settled) pack(now time.Time) {
	quiet := s.quiet()
	if len(quiet) == 0 {
		return
	}
	s.batches = slices.DeleteFunc(s.batches, func(b *batch) bool {
		joins := len(b.members) <= min(len(quiet), batchSize/2)
		if joins {
			quiet = append(quiet, b.members...)
		}
		return joins
	})
	// What belongs together changes together.
	slices.SortStableFunc(quiet, func(a, b member) int { return cmp.Compare(a.imageARN(), b.imageARN()) })
	for members := range slices.Chunk(quiet, batchSize) {
		s.batches = append(s.batches, newBatch(members, now))
	}
	slices.SortStableFunc(s.batches, func(a, b *batch) int { return len(a.members) - len(b.members) })
	s.liveExecutions = slices.DeleteFunc(s.liveExecutions, func(f *followed) bool { return f.batch != nil })
	s.liveImages = slices.DeleteFunc(s.liveImages, func(b *build) bool { return b.batch != nil })
}

// quiet returns what is live and quiet.
func (s *settled) quiet() []member {
	var all []member
	for _, f := range s.liveExecutions {
		if f.quiet() {
			all = append(all, f)
		}
	}
	for _, b := range s.liveImages {
		if b.quiet() {
			all = append(all, b)
		}
	}
	return all
}

func newBatch(members []member, now time.Time) *batch {
	b := &batch{Batch: &Batch{}, members: slices.Clone(members)}
	for _, m := range members {
		m.at().batch = b
		m.appendTo(b.Batch, now)
	}
	return b
}

// published returns the batches as a Snapshot has them.
func (s *settled) published() []*Batch {
	all := make([]*Batch, len(s.batches))
	for i, b := range s.batches {
		all[i] = b.Batch
	}
	return all
}

// unsettleAll makes everything live, until the next snapshot.
func (t *Target) unsettleAll() {
	for m := range t.derived.members {
		*m.at() = place{}
	}
	for _, b := range t.builds {
		b.place = place{}
	}
	t.derived.settled = settled{outdated: true}
	t.derived.listLive()
}
