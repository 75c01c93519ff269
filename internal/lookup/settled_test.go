package lookup

import (
	"slices"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// whole returns s with everything that is settled among its Executions and Images, as tests
// read them that care for what is known, and not for where it is kept.
func whole(s Snapshot) Snapshot {
	executions, images := s.AllExecutions(), s.AllImages()
	s.Executions, s.Images, s.Settled = nil, nil, nil
	for _, x := range executions {
		s.Executions = append(s.Executions, *x)
	}
	for _, i := range images {
		s.Images = append(s.Images, *i)
	}
	return s
}

// checkSettled holds that what is settled is what would be told if nothing were kept, that
// each execution and image is told once, and that no Batch has changed.
func (w *world) checkSettled(target *Target) {
	w.t.Helper()
	target.mu.Lock()
	defer target.mu.Unlock()
	now := time.Now()
	target.derive(now)
	target.deriveSuperseded()
	target.deriveSettled(now)
	s := target.snapshot(now)
	for _, b := range s.Settled {
		was, known := w.batches[b]
		if !known {
			was = Snapshot{Executions: slices.Clone(b.Executions), Images: slices.Clone(b.Images)}
			w.batches[b] = was
		}
		if !same(was, Snapshot{Executions: b.Executions, Images: b.Images}) {
			w.t.Fatalf("at %s: a batch has changed from %+v to %+v", w.now(), was, b)
		}
		if n := len(b.Executions) + len(b.Images); n == 0 || n > batchSize {
			w.t.Fatalf("at %s: a batch has %d members", w.now(), n)
		}
	}
	got := whole(s)
	var want Snapshot
	for _, f := range target.derived.executions {
		want.Executions = append(want.Executions, target.executionAt(f, now))
	}
	for _, b := range target.derived.images {
		want.Images = append(want.Images, b.published())
	}
	if !same(want, got) {
		w.t.Fatalf("at %s: (-want +got):\n%s%s", w.now(), gocmp.Diff(want.Executions, got.Executions), gocmp.Diff(want.Images, got.Images))
	}
	if n := len(got.Executions); s.Selected() != n {
		w.t.Fatalf("at %s: %d executions are selected, %d told", w.now(), s.Selected(), n)
	}
}

// same reports whether two snapshots have the same executions and images.
func same(a, b Snapshot) bool {
	return slices.Equal(a.Images, b.Images) &&
		slices.EqualFunc(a.Executions, b.Executions, func(x, y Execution) bool { return x.same(&y) })
}
