package status

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		span time.Duration
		want []string
	}{
		{5 * time.Minute, []string{"Nov 24 12:01", "12:02", "12:03", "12:04", "12:05"}},
		{14 * time.Hour, []string{"Nov 24 15:00", "18:00", "21:00", "Nov 25 00:00"}},
		{3 * day, []string{"Nov 25 00:00", "12:00", "Nov 26 00:00", "12:00", "Nov 27 00:00", "12:00"}},
		{5 * day, []string{"Nov 25", "Nov 26", "Nov 27", "Nov 28", "Nov 29"}},
	} {
		var got []string
		for _, tick := range ticks(now.Add(time.Second), now.Add(c.span), func(time.Time) float64 { return 0 }) {
			got = append(got, tick.Label)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.span, diff)
		}
	}
	if n := len(ticks(now, now.AddDate(30, 0, 0), func(time.Time) float64 { return 0 })); n > 8 {
		t.Errorf("30 years have %d ticks", n)
	}
}
