package imagebuilder

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestASlotForOneThatGivesUp holds that a slot is not lost when its turn comes at the moment
// at which the caller gives up.
func TestASlotForOneThatGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(Limits{Concurrency: 1, Burst: 1})
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error, 1)
		go func() { gaveUp <- g.enter(ctx) }()
		synctest.Wait() // it waits for the slot
		next := make(chan error, 1)
		go func() { next <- g.enter(t.Context()) }()
		synctest.Wait()
		g.mu.Lock() // until both have happened
		cancel()
		g.taken--
		g.admit()
		g.mu.Unlock()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Errorf("the one that gives up got %v", err)
		}
		select {
		case err := <-next:
			if err != nil {
				t.Error(err)
			}
			g.leave()
		case <-time.After(time.Second):
			t.Error("the slot is lost")
		}
	})
}
