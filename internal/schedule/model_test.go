package schedule

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestModel plays random questions, answers, scrapes and removals, and holds at every
// step what a Refresh is: a part of what is pending, and never empty while it is open.
func TestModel(t *testing.T) {
	for seed := range 30 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			test(t, func(w *world) {
				m := &model{world: w, Rand: rand.New(rand.NewPCG(uint64(seed), 0)), there: map[string]*plain{}}
				for range 300 {
					m.step()
					m.check()
				}
				m.end()
			})
		})
	}
}

type model struct {
	*world
	*rand.Rand
	there map[string]*plain // by id
}

func (m *model) step() {
	id := string(rune('a' + m.IntN(8)))
	p := m.there[id]
	switch n := m.IntN(10); {
	case n < 3 && p == nil:
		p = m.add(id, m.change)
		m.locked(func() { m.there[id] = p })
	case n == 0 && p != nil:
		m.locked(func() {
			delete(m.there, id)
			m.Remove(&p.Entry)
		})
	case n == 1 && p != nil:
		m.locked(p.Restart)
	case n == 2 && p != nil:
		m.locked(func() { p.Paused = m.IntN(2) == 0 })
	case n < 6:
		<-time.After(time.Duration(m.IntN(15)) * time.Second)
	default:
		m.scrape(time.Duration(m.IntN(20)) * time.Second)
	}
}

// change makes a question a random one, whose answers bring others now and then.
func (m *model) change(p *plain) {
	p.Lane, p.Optional, p.BackOff = Lane(m.IntN(int(laneCount))), m.IntN(3) == 0, m.IntN(2) == 0
	p.takes = time.Duration(m.IntN(12)) * time.Second
	if m.IntN(3) == 0 {
		p.err, p.verdict = errors.New("no"), Verdict{Outcome: Gone + Outcome(m.IntN(3)), Outage: Outage{Code: p.Subject.ID}}
	}
	settles, brings := m.IntN(4) == 0, string(rune('a'+m.IntN(8)))
	p.then = func() {
		if settles {
			p.Settle()
		}
		if other := m.there[brings]; other != nil && p.answers%3 == 0 {
			other.AskNow()
		}
	}
}

func (m *model) check() {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, p := range m.there {
		if pending := m.lanes[p.Lane].pending.has(&p.Entry); pending != (p.state != idle) {
			m.t.Fatalf("%s is in state %d, pending %t", id, p.state, pending)
		}
	}
	for n, r := range m.refreshes {
		if r.size() == 0 {
			m.t.Fatalf("refresh %d is open and waits for nothing", n)
		}
		for lane := range r.waits {
			for e := range r.waits[lane] {
				if !m.lanes[lane].pending.has(e) || e.removed {
					m.t.Fatalf("refresh %d waits for %v, which is not pending", n, e.Subject)
				}
			}
		}
		if n > 0 && r.size() < m.refreshes[n-1].size() {
			m.t.Fatalf("refresh %d waits for %d, the one before for %d", n, r.size(), m.refreshes[n-1].size())
		}
	}
}

// end holds that everything ends, and that nothing is left over.
func (m *model) end() {
	m.t.Helper()
	<-time.After(time.Hour)
	if n := m.sizes(); n.Pending+n.Leaving+n.Refreshes > 0 {
		m.t.Errorf("an hour later %+v", n)
	}
	for _, p := range m.there {
		m.locked(func() { m.Remove(&p.Entry) })
	}
	if n := m.sizes(); n != (Sizes{}) {
		m.t.Errorf("left over: %+v", n)
	}
}
