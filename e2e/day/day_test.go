package day

import (
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// TestDay holds that people get few messages about 200 pipelines that fail for one cause, that
// each failure is in one, and that nothing else is.
func TestDay(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // memory for time
	var messages []message
	synctest.Test(t, func(t *testing.T) { messages = replay(t) })
	t.Run("each failure is told in time", func(t *testing.T) { noneLost(t, messages) })
	t.Run("nothing is told that is not so", func(t *testing.T) { noneFalse(t, messages) })
	t.Run("each end is told in time, of what was told before", func(t *testing.T) { allEnd(t, messages) })
	t.Run("there are few messages", func(t *testing.T) { few(t, messages) })
}

// replay lets a day pass, and returns all messages. The exporter is restarted once.
func replay(t *testing.T) []message {
	t.Helper()
	net, in := &network{}, &inbox{midnight: time.Now()}
	api := &emulator.API{Scenario: account(in.midnight)}
	until := func(at time.Duration) { <-time.After(time.Until(in.midnight.Add(at))) }

	net.serve(t, receiverAddress, in)
	startAlertmanager(t, net)
	stop := startExporter(t, net, api)
	prometheus := startPrometheus(t, net)
	until(restart)
	stop()
	until(restart + 3*time.Minute)
	startExporter(t, net, api)
	until(allDay)

	for _, g := range prometheus.RuleGroups() {
		for _, r := range g.Rules() {
			if r.LastError() != nil {
				t.Errorf("rule %s: %v", r.Name(), r.LastError())
			}
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, err := range in.bad {
		t.Errorf("a message could not be read: %s", err)
	}
	return in.messages
}

func noneLost(t *testing.T, messages []message) {
	for f, is := range truth() {
		at, found := first(messages, notice{f, true})
		if !found || at > is.from+beginsLate {
			t.Errorf("%v begins at %s, and is first told at %s (%t)", f, is.from, at, found)
		}
	}
}

func noneFalse(t *testing.T, messages []message) {
	facts := truth()
	for _, m := range messages {
		if m.receiver != "image-builds" {
			t.Errorf("at %s %s got a message: %v", m.at, m.receiver, m.alerts)
		}
		for _, a := range m.alerts {
			is, known := facts[a.fact]
			if !known || m.at < is.from || a.firing && m.at > is.to+endsLate || !a.firing && m.at < is.to {
				t.Errorf("at %s people are told %v, which is so from %s to %s (%t)", m.at, a, is.from, is.to, known)
			}
		}
	}
}

func allEnd(t *testing.T, messages []message) {
	for f, is := range truth() {
		begun, _ := first(messages, notice{f, true})
		ended, found := first(messages, notice{f, false})
		if want := is.to < allDay; found != want || found && (ended > is.to+endsLate || ended <= begun) {
			t.Errorf("%v is told from %s on, and ends at %s; that is told at %s (%t)", f, begun, is.to, ended, found)
		}
	}
}

// first returns when people are first told something.
func first(messages []message, n notice) (at time.Duration, found bool) {
	for _, m := range messages {
		for _, a := range m.alerts {
			if a == n {
				return m.at, true
			}
		}
	}
	return 0, false
}

// few holds how many messages there are: one group of alerts for one cause, and one message in
// each group_interval in which something changes. Nothing changes while the exporter restarts.
func few(t *testing.T, messages []message) {
	fail, end := nightly+broken.Takes+time.Hour+beginsLate, fixed+good.Takes+time.Hour+endsLate
	in := func(d time.Duration) int { return 1 + int(d/groupInterval) }
	for _, test := range []struct {
		name, alert string
		from, to    time.Duration
		atMost      int
	}{
		{"before the night", "WorkflowFailed", 0, nightly, 0},
		{"while pipelines fail", "WorkflowFailed", nightly, fail, in(time.Hour + beginsLate)},
		{"while nothing changes and the exporter restarts", "WorkflowFailed", fail, fixed, 0},
		{"while they are fixed", "WorkflowFailed", fixed, end, in(time.Hour + endsLate)},
		{"of the three that are left, after repeat_interval", "WorkflowFailed", end, allDay, 1},
		{"of an approval, and its end", "StepWaitingForApproval", 0, allDay, 2},
		{"of an image that is stuck, and its end", "ImageStuck", 0, allDay, 2},
	} {
		n := count(messages, test.alert, test.from, test.to)
		t.Logf("%d messages %s", n, test.name)
		if n > test.atMost {
			t.Errorf("%d messages %s, want at most %d", n, test.name, test.atMost)
		}
	}
}
