package emulator

import (
	"testing"
	"time"
)

// TestAScheduleWithoutAFirstBuildHasNoNextRun holds that Every counts from First.
func TestAScheduleWithoutAFirstBuildHasNoNextRun(t *testing.T) {
	p := Pipeline{Every: time.Hour}
	if next := p.nextRun(time.Now()); !next.IsZero() {
		t.Errorf("the next run is at %s", next)
	}
}
