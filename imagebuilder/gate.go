package imagebuilder

import (
	"context"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// gate bounds the attempts on the wire of one client: at most so many at a time,
// and so many a second. Whoever waits is served in the order of arrival.
type gate struct {
	slots  *semaphore.Weighted
	tokens *rate.Limiter
}

// newGate returns a gate for concurrency attempts at a time and perSecond a second,
// with bursts; 0 a second stands for no limit.
func newGate(concurrency int, perSecond float64, burst int) *gate {
	limit := rate.Limit(perSecond)
	if perSecond == 0 {
		limit = rate.Inf
	}
	return &gate{slots: semaphore.NewWeighted(int64(concurrency)), tokens: rate.NewLimiter(limit, burst)}
}

// enter waits for a slot and a token, or until ctx ends; nil leave then. The slot is
// the caller's until it calls leave. The token comes last, so that none is spent
// long before its request is sent.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	if err := g.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	if err := g.tokens.Wait(ctx); err != nil {
		g.slots.Release(1)
		<-ctx.Done() // the limiter refuses early when a deadline leaves no time
		return nil, ctx.Err()
	}
	return func() { g.slots.Release(1) }, nil
}
