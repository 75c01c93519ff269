package lookup

import (
	"cmp"
	"slices"
	"time"
)

// Batch has executions and images that are settled: nothing is asked about them any more, so
// that they change only when something around them does, as the selection, the name of a
// pipeline, or a newer build that supersedes them. A Batch is never changed. When something
// in it changes, it is replaced: the same pointer in two Snapshots means the same content, and
// what was made of a Batch holds for as long as a Snapshot has it.
type Batch struct {
	Executions []Execution
	Images     []Image
}

// Selected returns how many executions are selected.
func (s *Snapshot) Selected() int {
	n := len(s.Executions)
	for _, b := range s.Settled {
		n += len(b.Executions)
	}
	return n
}

// AllExecutions returns all executions that are selected, in the order of their ids.
func (s *Snapshot) AllExecutions() []*Execution {
	all := make([]*Execution, 0, s.Selected())
	for i := range s.Executions {
		all = append(all, &s.Executions[i])
	}
	for _, b := range s.Settled {
		for i := range b.Executions {
			all = append(all, &b.Executions[i])
		}
	}
	if len(s.Settled) > 0 {
		slices.SortFunc(all, func(a, b *Execution) int { return cmp.Compare(a.ID, b.ID) })
	}
	return all
}

// AllImages returns all images whose executions are followed, in the order of their ARNs.
func (s *Snapshot) AllImages() []*Image {
	var all []*Image
	for i := range s.Images {
		all = append(all, &s.Images[i])
	}
	for _, b := range s.Settled {
		for i := range b.Images {
			all = append(all, &b.Images[i])
		}
	}
	if len(s.Settled) > 0 {
		slices.SortFunc(all, func(a, b *Image) int { return cmp.Compare(a.ARN, b.ARN) })
	}
	return all
}

// batchSize is how many members a batch has at most. When one of them changes, all are
// rendered again: large batches make that expensive, small ones make a snapshot long.
const batchSize = 256

// settled says which executions and images are settled, and in which batches.
type settled struct {
	batches []*batch
	// The others, which are live.
	liveExecutions []*followed // in the order of their ids
	liveImages     []*build    // in the order of their ARNs

	outdated bool     // whether any member may have changed
	touched  []string // ids of executions whose steps may have
}

// batch is a Batch with what it was made of.
type batch struct {
	Batch   *Batch
	members []member
	broken  bool // a member has changed, or left
}

// member is something that can settle: a *followed or a *build.
type member interface {
	at() *place
	// quiet reports whether nothing is asked about it any more.
	quiet() bool
	// current reports whether what its batch says of it still holds.
	current(now time.Time) bool
	// appendTo adds what is published of it to a Batch.
	appendTo(b *Batch, now time.Time)
	// imageARN returns the ARN of the image that it is about, empty when not known.
	imageARN() string
}

// place is where a member is settled. The zero value is that of one that is live.
type place struct {
	batch *batch
	index int // in Batch.Executions or Batch.Images
}

func (p *place) at() *place { return p }

// leave makes the member live, if it is not.
func (p *place) leave() {
	if p.batch != nil {
		p.batch.broken = true
	}
	*p = place{}
}

func (f *followed) quiet() bool {
	l := f.question.target.steps[f.id]
	return f.value != nil && f.settled && f.value.Status.Final() && f.question.Over() && (l == nil || l.Over())
}

func (f *followed) current(now time.Time) bool {
	x := f.question.target.executionAt(f, now)
	return f.quiet() && x.same(&f.batch.Batch.Executions[f.index])
}

func (f *followed) appendTo(b *Batch, now time.Time) {
	f.index = len(b.Executions)
	b.Executions = append(b.Executions, f.question.target.executionAt(f, now))
}

func (f *followed) imageARN() string { return f.value.ImageBuildVersionARN }

// same reports whether e and o say the same, with the same values.
func (e *Execution) same(o *Execution) bool {
	return e.ID == o.ID && e.Value == o.Value && e.Pipeline == o.Pipeline && e.ReadAt.Equal(o.ReadAt) &&
		e.LookedUp == o.LookedUp && e.Failure == o.Failure && e.Reason == o.Reason && e.Superseded == o.Superseded &&
		(e.Steps == nil) == (o.Steps == nil) && len(e.Steps) == len(o.Steps) &&
		(len(e.Steps) == 0 || &e.Steps[0] == &o.Steps[0])
}

func (b *build) quiet() bool {
	return b.Over() && b.image.Status.Ended() && (b.details == nil || b.details.Over())
}

func (b *build) current(time.Time) bool {
	return b.quiet() && b.published() == b.batch.Batch.Images[b.index]
}

func (b *build) appendTo(to *Batch, _ time.Time) {
	b.index = len(to.Images)
	to.Images = append(to.Images, b.published())
}

func (b *build) imageARN() string { return b.Subject.ID }
