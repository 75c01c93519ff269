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

// TestATokenForOneThatGivesUp holds that the token of a caller that gives up is for the
// next one.
func TestATokenForOneThatGivesUp(t *testing.T) {
	for _, c := range []struct {
		name         string
		deadline     time.Duration // of the first caller, from the start on
		giveUp, next time.Duration // when it gives up, and when the next caller comes
	}{
		{"a deadline before its turn gives the token back at once", 5 * time.Second, 5 * time.Second, time.Second},
		{"a deadline before its turn gives the token back once", 5 * time.Second, 5 * time.Second, 6 * time.Second},
		{"one that gives up early gives the token back then", time.Hour, 3 * time.Second, 4 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(Limits{Concurrency: 3, RateLimit: 0.1, Burst: 1})
			begin := time.Now()
			if err := g.enter(t.Context()); err != nil { // with the token of the burst
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
			defer cancel()
			time.AfterFunc(c.giveUp, cancel)
			gaveUp := make(chan error, 1)
			go func() { gaveUp <- g.enter(ctx) }()
			<-time.After(c.next)
			long, cancelLong := context.WithTimeout(t.Context(), time.Hour)
			defer cancelLong()
			if err := g.enter(long); err != nil || time.Since(begin).Round(time.Millisecond) != 10*time.Second {
				t.Errorf("%s: the next one enters after %s (%v), want 10s", c.name, time.Since(begin), err)
			}
			if err := <-gaveUp; err == nil {
				t.Errorf("%s: the first one enters", c.name)
			}
		})
	}
}

func TestNobodyEntersWithAContextThatHasEnded(t *testing.T) {
	g := newGate(Limits{Concurrency: 1, Burst: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.enter(ctx); !errors.Is(err, context.Canceled) || g.taken != 0 {
		t.Errorf("%v; %d slots are taken", err, g.taken)
	}
}
