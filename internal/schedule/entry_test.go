package schedule

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCloseWaitsForLookups(t *testing.T) {
	test(t, func(w *world) {
		w.add("slow", func(p *plain) { p.leaves = time.Second })
		w.scrape(time.Second)
		begin := time.Now()
		w.Close()
		if took := time.Since(begin); took != time.Second {
			t.Errorf("closed after %s, the lookup ended after 1s", took)
		}
	})
}

// TestAQuestionThatNeverGetsItsTurn fails before, and holds up no other.
func TestAQuestionThatNeverGetsItsTurn(t *testing.T) {
	test(t, func(w *world) {
		w.add("a", func(p *plain) { p.noTurn, p.err = true, errors.New("no turn") })
		b := w.add("b")
		if !w.scrape(time.Second) || b.answers != 1 {
			t.Errorf("the next question was answered %d times", b.answers)
		}
	})
}

func TestResumeAsksWithinTheRefresh(t *testing.T) {
	test(t, func(w *world) {
		paused := w.add("paused", func(p *plain) { p.Paused = true })
		w.add("a", func(p *plain) { p.then = paused.Resume })
		w.scrape(time.Second)
		if paused.answers != 1 || paused.Paused {
			t.Errorf("answered %d times, paused %t", paused.answers, paused.Paused)
		}
	})
}

func TestASettledEntry(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*plain)
		want   []time.Duration
	}{
		{"is not asked again, whatever is asked for", func(p *plain) { p.AskNow() }, seconds(0)},
		{"is asked at its next interval when it is no longer settled", func(p *plain) { p.Unsettle() }, seconds(0, 25)},
		{"is asked at once when it restarts", func(p *plain) { p.Restart() }, seconds(0, 15)},
	} {
		test(t, func(w *world) {
			p := w.add("a", func(p *plain) { p.then, p.Every = p.Settle, 25*time.Second })
			w.scrapeFor(15 * time.Second)
			if n := w.sizes().Entries; n != 0 {
				t.Errorf("%s: %d entries that are not settled", c.name, n)
			}
			w.locked(func() { c.change(p) })
			w.scrapeFor(30 * time.Second)
			if diff := cmp.Diff(c.want, p.asked); diff != "" {
				t.Errorf("%s: asked (-want +got):\n%s", c.name, diff)
			}
		})
	}
}

func TestOnlyGoneInARowIsCounted(t *testing.T) {
	test(t, func(w *world) {
		p := w.add("a")
		for _, c := range []struct {
			outcome Outcome
			want    int
		}{{Gone, 1}, {Gone, 2}, {Failed, 0}, {Gone, 1}, {Rejected, 0}, {Gone, 1}} {
			fails(c.outcome, false)(p)
			w.locked(p.AskNow)
			w.scrape(time.Second)
			if p.Gone != c.want {
				t.Errorf("after outcome %d: gone %d times in a row, want %d", c.outcome, p.Gone, c.want)
			}
		}
	})
}

// TestWhatCouldNotBeginIsAskedSoon has no credentials for long: that says nothing about a
// question that is gone when it is asked.
func TestWhatCouldNotBeginIsAskedSoon(t *testing.T) {
	test(t, func(w *world) {
		w.c.Before = func(context.Context) error { return errors.New("no credentials") }
		p := w.add("a", fails(Gone, true))
		for range 20 {
			w.scrape(time.Second)
			<-time.After(10 * time.Second)
		}
		if p.Gone != 0 {
			t.Errorf("gone %d times, and never asked", p.Gone)
		}
		w.c.Before = nil
		w.scrape(time.Second)
		if len(p.asked) != 1 {
			t.Error("it is not asked with the next scrape")
		}
	})
}

// TestPriorities has five entries that are due at once, and were asked in the order of their ids.
func TestPriorities(t *testing.T) {
	for _, c := range []struct {
		name           string
		before, queued map[string]int // priorities that are set before the entries are queued, and after
		want           string
	}{
		{"all have the same", nil, nil, "a b c d e"},
		{"the highest goes first, and the others in turn", map[string]int{"d": 1, "c": 1, "e": 2}, nil, "e c d a b"},
		{"one that is queued goes before the others", nil, map[string]int{"d": 1}, "d a b c e"},
		{"one that is queued goes after the others", map[string]int{"a": 1, "b": 1}, map[string]int{"a": 0}, "b a c d e"},
	} {
		test(t, func(w *world) {
			entries := map[string]*plain{}
			for _, id := range []string{"a", "b", "c", "d", "e"} {
				entries[id] = w.add(id)
			}
			w.scrape(time.Second)
			<-time.After(time.Minute)
			w.order = nil
			set := func(priorities map[string]int) {
				for id, p := range priorities {
					entries[id].SetPriority(p)
				}
			}
			w.locked(func() {
				set(c.before)
				w.Refresh(time.Now())
				set(c.queued)
			})
			<-time.After(time.Second)
			if got := strings.Join(w.order, " "); got != c.want {
				t.Errorf("%s: asked %s, want %s", c.name, got, c.want)
			}
		})
	}
}

func TestAnswersStayFreshWhileTheirEntryWaits(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*plain)
		want   time.Duration // until the answer is no longer fresh, to the second
	}{
		{"no wait", func(*plain) {}, 70 * time.Second},
		{"a wait", func(p *plain) { p.Wait = 20 * time.Second }, 90 * time.Second},
		{"a wait that has become shorter", func(p *plain) {
			p.Wait = 20 * time.Second
			p.then = func() { p.Wait = time.Second }
		}, 90 * time.Second},
		{"a wait that has become longer", func(p *plain) { p.then = func() { p.Wait = 30 * time.Second } }, 100 * time.Second},
		{"a wait, and a failure", func(p *plain) {
			p.Wait = 20 * time.Second
			p.then = func() { fails(Failed, false)(p) }
		}, 70 * time.Second},
	} {
		test(t, func(w *world) {
			p := w.add("a", c.change)
			w.scrape(time.Second)
			if p.err != nil {
				<-time.After(10 * time.Second)
				w.scrape(time.Second)
			}
			fresh := time.Since(w.begin)
			w.locked(func() {
				for p.Fresh(w.begin.Add(fresh)) {
					fresh += time.Second
				}
			})
			if got := fresh.Round(time.Second) - time.Second; got != c.want {
				t.Errorf("%s: fresh for %s, want %s", c.name, got, c.want)
			}
		})
	}
}
