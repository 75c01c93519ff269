package emulator

import (
	"slices"
	"time"
)

// course is how far a Run has come at some time.
type course struct {
	status, message string
	end             time.Time // zero while it goes on
	broke           time.Time // when it failed or was cancelled; zero for neither
	steps           []stepCourse
}

// stepCourse is how far a Step has come at that time.
type stepCourse struct {
	status, rollback, message string
	start, end                time.Time // zero for not yet, or never
}

// course lets r happen until now.
func (r *Run) course(now time.Time) course {
	c := course{status: "PENDING", steps: slices.Repeat([]stepCourse{{status: "PENDING"}}, len(r.Steps))}
	cancelled := r.Start.Add(r.Cancelled)
	switch {
	case r.Start.IsZero() || now.Before(r.Start):
	case r.Skipped:
		skipped := stepCourse{status: "SKIPPED", start: r.Start, end: r.Start}
		c = course{status: "SKIPPED", end: r.Start, steps: slices.Repeat([]stepCourse{skipped}, len(r.Steps))}
	case r.Cancelled == 0 || now.Before(cancelled):
		c.play(r, now)
	default:
		if c.play(r, cancelled); c.end.IsZero() {
			c.cancel(cancelled)
		}
	}
	return c
}

// play lets the steps happen until now.
func (c *course) play(r *Run, now time.Time) {
	c.status = "RUNNING"
	at := r.Start
	for i, step := range r.Steps {
		s := &c.steps[i]
		s.start = at
		if step.Ends != SkippedStep {
			at = at.Add(step.Takes)
		}
		if now.Before(at) {
			s.status = "RUNNING"
			if step.Waits {
				s.status = "WAITING"
			}
			return
		}
		switch s.end, s.status = at, "COMPLETED"; step.Ends {
		case SkippedStep:
			s.status = "SKIPPED"
		case FailedIgnored, Failed:
			s.status, s.message = "FAILED", "Step '"+step.Name+"' failed."
		}
		if step.Ends == Failed {
			c.message, c.broke = s.message, at
			c.fail(i, at.Add(r.Rollback), now)
			return
		}
	}
	c.status, c.end = "COMPLETED", at
}

// fail ends the course with its nth step; a rollback that takes any time lasts until
// end.
func (c *course) fail(n int, end, now time.Time) {
	for i := n + 1; i < len(c.steps); i++ {
		c.steps[i].status = "CANCELLED"
	}
	rollback := ""
	switch {
	case end.Equal(c.broke):
		c.status, c.end = "FAILED", end
	case now.Before(end):
		c.status, rollback = "ROLLBACK_IN_PROGRESS", "RUNNING"
	default:
		c.status, c.end, rollback = "ROLLBACK_COMPLETED", end, "COMPLETED"
	}
	for i := range c.steps[:n+1] {
		if c.steps[i].status != "SKIPPED" {
			c.steps[i].rollback = rollback
		}
	}
}

// cancel ends the course at that time.
func (c *course) cancel(at time.Time) {
	c.status, c.message, c.end = "CANCELLED", "Image build was cancelled.", at
	if c.broke.IsZero() {
		c.broke = at
	}
	for i := range c.steps {
		s := &c.steps[i]
		switch s.status {
		case "RUNNING", "WAITING":
			s.status, s.end = "CANCELLED", at
		case "PENDING":
			s.status = "CANCELLED"
		}
		if s.rollback == "RUNNING" {
			s.rollback = "FAILED"
		}
	}
}
