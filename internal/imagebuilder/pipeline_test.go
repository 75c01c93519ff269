package imagebuilder

import (
	"testing"
	"time"
)

func TestRunSince(t *testing.T) {
	at := time.Date(2026, 9, 9, 2, 0, 0, 0, time.UTC)
	one, same, two := 1, 1, 2
	before := Pipeline{Name: "web", LastRunStatus: ImageAvailable, ConsecutiveFailures: &one, LastRun: at, NextRun: at.Add(time.Hour)}
	for _, c := range []struct {
		name   string
		change func(*Pipeline)
		want   bool
	}{
		{"nothing has changed", func(p *Pipeline) { p.ConsecutiveFailures = &same }, false},
		{"what has changed is no run", func(p *Pipeline) { p.Name, p.Status = "Web", "DISABLED" }, false},
		{"a run has begun", func(p *Pipeline) { p.LastRunStatus = "BUILDING" }, true},
		{"one more has failed", func(p *Pipeline) { p.ConsecutiveFailures = &two }, true},
		{"the failures are not given any more", func(p *Pipeline) { p.ConsecutiveFailures = nil }, true},
		{"the last run is a later one", func(p *Pipeline) { p.LastRun = at.Add(time.Minute) }, true},
		{"another run is next", func(p *Pipeline) { p.NextRun = at.Add(25 * time.Hour) }, true},
	} {
		now := before
		c.change(&now)
		if got := now.RunSince(&before); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
	}
}
