package lookup

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

var modelSeeds = flag.Int("model.seeds", 20, "how many random histories TestModel plays")

// TestModel plays random histories of answers, failures, time, scrapes and changes of
// the selection, and holds at every scrape what must never be otherwise.
func TestModel(t *testing.T) {
	for seed := range *modelSeeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			test(t, func(t *testing.T) { newModel(t, uint64(seed)).play(200) })
		})
	}
}

type model struct {
	*world
	*rand.Rand
	target   *Target
	selected []string
	settled  map[string]int // how many calls there were when a scrape saw it settled
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{Rand: rand.New(rand.NewPCG(seed, 0)), settled: map[string]int{}}
	var runs []emulator.Run
	for n := range 12 {
		steps := []emulator.Step{{Takes: time.Duration(m.IntN(20)) * time.Minute}}
		runs = append(runs, emulator.Run{ID: id(n), Start: time.Now(), Steps: steps})
		m.selected = append(m.selected, id(n))
	}
	m.world = newWorld(t, runs...)
	m.client.Concurrency, m.client.RateLimit, m.client.Burst = 1+m.IntN(4), float64(m.IntN(3)), 2
	m.target = m.world.target(m.selected...)
	return m
}

// play lets random events happen.
func (m *model) play(events int) {
	for range events {
		switch m.IntN(6) {
		case 0:
			m.fail(id(m.IntN(12)), m.randomFault())
		case 1:
			m.fail("", m.randomFault())
		case 2:
			m.reselect()
		case 3:
			m.at(m.now() + time.Duration(m.IntN(400))*time.Second)
		default:
			m.at(m.now() + time.Duration(m.IntN(20_000))*time.Millisecond)
			m.check(m.scrape(m.target))
		}
	}
}

func (m *model) randomFault() http.Handler {
	faults := []http.Handler{
		nil, nil, nil,
		emulator.Error(404, "ResourceNotFoundException", ""),
		emulator.Error(400, "ClientException", ""),
		emulator.Error(403, "AccessDeniedException", ""),
		emulator.Error(429, "CallRateLimitExceededException", ""),
		emulator.Error(500, "ServiceException", ""),
		emulator.Body(200, "application/json", "{}"),
		emulator.Body(200, "application/json", `{"workflowExecutionId":"`+id(1)+`","status":"FAILED"}`),
		emulator.Hang(),
		emulator.Reset(""),
	}
	return faults[m.IntN(len(faults))]
}

func (m *model) reselect() {
	m.selected = nil
	for n := range 12 {
		if m.IntN(4) > 0 {
			m.selected = append(m.selected, id(n))
		} else {
			delete(m.settled, id(n))
		}
	}
	selectIDs(m.target, m.selected...)
}

// check holds the invariants.
func (m *model) check(s Snapshot) {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []string
	for _, e := range s.Executions {
		ids = append(ids, e.ID)
		m.checkExecution(s, e)
	}
	if !slices.Equal(ids, m.selected) {
		m.t.Fatalf("at %s: %v are told, want %v", m.now(), ids, m.selected)
	}
}

func (m *model) checkExecution(s Snapshot, e Execution) {
	m.t.Helper()
	if calls, was := m.settled[e.ID]; was && (calls != len(m.calls[e.ID]) || e.Value == nil) {
		m.t.Fatalf("at %s: %s was settled after %d calls; now %d calls, %+v", m.now(), e.ID, calls, len(m.calls[e.ID]), e)
	}
	switch {
	case e.Failure == imagebuilder.NotFound && e.Value != nil:
		m.t.Fatalf("at %s: %s is told after it was not found", m.now(), e.ID)
	case e.Failure != "" && !e.LookedUp, e.Value != nil && !e.LookedUp:
		m.t.Fatalf("at %s: %s was never looked up, and has %+v", m.now(), e.ID, e)
	case e.Value == nil:
		return
	}
	if e.Value.ID != e.ID {
		m.t.Fatalf("at %s: %s has the values of %s", m.now(), e.ID, e.Value.ID)
	}
	truth, _ := m.Scenario.WorkflowExecution(e.ID, e.ReadAt)
	if string(e.Value.Status) != truth.Status && e.ID != id(1) { // see randomFault
		m.t.Fatalf("at %s: %s is told to have been %s at %s; it was %s", m.now(), e.ID, e.Value.Status, e.ReadAt, truth.Status)
	}
	if e.Value.Status.Final() && !e.Value.End.IsZero() {
		m.settled[e.ID] = len(m.calls[e.ID])
	} else if age := s.Time.Sub(e.ReadAt); age > m.target.c.MinInterval+m.target.c.MaxStaleness && !e.Value.Status.Final() {
		m.t.Fatalf("at %s: the values of %s are %s old", m.now(), e.ID, age)
	}
}
