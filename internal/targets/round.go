package targets

import "context"

// purpose is what somebody waits for a load for.
type purpose int

const (
	toLoad   purpose = iota // whoever waits says what came of it
	toReload                // what comes of it is logged
	toLook                  // only when the content has changed
)

// purposes counts who waits for a load, by purpose.
type purposes [toLook + 1]int

// onlyLook reports whether nobody waits for more than a look.
func (p purposes) onlyLook() bool { return p[toLoad]+p[toReload] == 0 }

// round is one load of the configuration for all who wait for it.
type round struct {
	waiting purposes
	done    chan struct{} // closed when it has ended
	err     error         // what came of it, once it has ended
}

// wait waits for a load that begins from now on. When ctx ends first, it returns why, and
// a load that has not begun and for which nobody else waits does not begin.
func (r *Reloader) wait(ctx context.Context, p purpose) error {
	mine := r.join(ctx, p)
	select {
	case <-mine.done:
		return mine.err
	case <-ctx.Done():
		r.mu.Lock()
		defer r.mu.Unlock()
		mine.waiting[p]--
		return context.Cause(ctx)
	}
}

// join returns the round that follows the one that runs. If none runs, it begins at once.
func (r *Reloader) join(ctx context.Context, p purpose) *round {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &round{done: make(chan struct{})}
	}
	mine := r.next
	mine.waiting[p]++
	if !r.running {
		r.begin(context.WithoutCancel(ctx)) // it is for others, too
	}
	return mine
}

// begin begins the next round if somebody waits for it. The caller holds r.mu.
func (r *Reloader) begin(ctx context.Context) {
	begun := r.next
	r.next, r.running = nil, false
	if begun == nil || begun.waiting == (purposes{}) {
		return
	}
	r.running = true
	waiting := begun.waiting
	go func() {
		begun.err = r.run(ctx, waiting)
		close(begun.done)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.begin(ctx)
	}()
}
