package status

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProgress(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps steps
		want  string
		bar   []segment
	}{
		{"a workflow without steps", steps{}, "0 of 0 steps ended", nil},
		{"no step has ended", steps{Total: 4}, "0 of 4 steps ended", nil},
		{"a single step", steps{Total: 1}, "0 of 1 step ended", nil},
		{
			"half of them succeeded",
			steps{Total: 4, Succeeded: 2},
			"2 of 4 steps ended: 2 succeeded",
			[]segment{{Class: "good", X: "0.00", W: "50.00", H: 8}},
		},
		{
			"a step was skipped",
			steps{Total: 4, Skipped: 1},
			"1 of 4 steps ended: 1 skipped",
			[]segment{{Class: "idle", X: "0.00", W: "25.00", Y: 2, H: 4}},
		},
		{
			"they ended in every way",
			steps{Total: 8, Succeeded: 4, Failed: 1, Skipped: 2},
			"7 of 8 steps ended: 4 succeeded, 2 skipped, 1 failed",
			[]segment{
				{Class: "good", X: "0.00", W: "50.00", H: 8},
				{Class: "idle", X: "50.00", W: "25.00", Y: 2, H: 4},
				{Class: "failed", X: "75.00", W: "12.50", H: 8},
			},
		},
	} {
		if got := c.steps.Description(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if diff := cmp.Diff(c.bar, c.steps.Bar()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
