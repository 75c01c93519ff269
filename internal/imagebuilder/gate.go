package imagebuilder

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// gate bounds the attempts on the wire of one client: at most so many at a time,
// and so many a second. Those that wait for a slot get one in the order of arrival.
//
// The slots are no semaphore.Weighted: it can shrink only by acquiring, and that would wait
// behind the attempts that wait already.
type gate struct {
	mu      sync.Mutex
	slots   int             // how many there are
	taken   int             // how many are in use; more than slots when there were more
	waiting []chan struct{} // each closed when its turn comes; none while slots are free
	tokens  *rate.Limiter
	changed chan struct{} // closed when tokens is replaced
}

// newGate returns a gate with these limits. It does not use the time limit.
func newGate(l Limits) *gate {
	return &gate{slots: l.Concurrency, tokens: rate.NewLimiter(rateLimit(l.RateLimit), l.Burst), changed: make(chan struct{})}
}

// rateLimit returns the limit for a rate; 0 is no limit.
func rateLimit(perSecond float64) rate.Limit {
	if perSecond == 0 {
		return rate.Inf
	}
	return rate.Limit(perSecond)
}

// set changes the limits, also for attempts that wait. Those that have entered are not
// disturbed. Tokens that were saved up stay, up to the new burst.
func (g *gate) set(l Limits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slots = l.Concurrency
	g.admit()
	limit := rateLimit(l.RateLimit)
	if limit == g.tokens.Limit() && l.Burst == g.tokens.Burst() {
		return
	}
	saved := min(max(0, int(g.tokens.Tokens())), l.Burst)
	g.tokens = rate.NewLimiter(limit, l.Burst)
	g.tokens.AllowN(time.Now(), l.Burst-saved)
	close(g.changed)
	g.changed = make(chan struct{})
}

// enter waits for a slot and a token, or until ctx ends and fails then. After success the
// slot is the caller's until it calls leave. The token comes last, so that none is spent
// long before its request is sent.
func (g *gate) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := g.takeSlot(ctx); err != nil {
		return err
	}
	if err := g.takeToken(ctx); err != nil {
		g.leave()
		return err
	}
	return nil
}

// leave gives the slot back.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken--
	g.admit()
}

// admit gives the free slots to those that wait. The caller holds g.mu.
func (g *gate) admit() {
	for len(g.waiting) > 0 && g.taken < g.slots {
		close(g.waiting[0])
		g.waiting = slices.Delete(g.waiting, 0, 1)
		g.taken++
	}
}

func (g *gate) takeSlot(ctx context.Context) error {
	turn := make(chan struct{})
	g.mu.Lock()
	g.waiting = append(g.waiting, turn)
	g.admit()
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if place := slices.Index(g.waiting, turn); place >= 0 {
		g.waiting = slices.Delete(g.waiting, place, place+1)
	} else { // its turn came at the same moment
		g.taken--
		g.admit()
	}
	return ctx.Err()
}

// takeToken waits for a token, of the new limit when that changes meanwhile.
func (g *gate) takeToken(ctx context.Context) error {
	g.mu.Lock()
	token, changed := g.tokens.Reserve(), g.changed
	g.mu.Unlock()
	delay := token.Delay()
	if delay == 0 {
		return nil
	}
	ready := time.After(delay)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay {
		token.Cancel() // others may want it
		ready = nil
	}
	select {
	case <-ready:
		return nil
	case <-changed:
		return g.takeToken(ctx)
	case <-ctx.Done():
		if ready != nil {
			token.Cancel()
		}
		return ctx.Err()
	}
}
