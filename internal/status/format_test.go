package status

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for _, c := range []struct {
		name string
		d    time.Duration
		want string
	}{
		{"nothing", 0, "0s"},
		{"less than a second", 999 * time.Millisecond, "0s"},
		{"seconds", 59 * time.Second, "59s"},
		{"a whole minute has no seconds", time.Minute, "1m"},
		{"minutes and seconds", 61 * time.Second, "1m 1s"},
		{"a whole hour", time.Hour, "1h"},
		{"seconds are left out of hours", time.Hour + 59*time.Second, "1h"},
		{"hours and minutes", 2*time.Hour + 5*time.Minute + time.Second, "2h 5m"},
		{"a whole day", 24 * time.Hour, "1d"},
		{"days and hours", 50 * time.Hour, "2d 2h"},
		{"weeks are days", 28 * 24 * time.Hour, "28d"},
	} {
		if got := formatDuration(c.d); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if got := duration(nil); got != "not known" {
		t.Errorf("without a duration: %s", got)
	}
}

func TestTimesForPeople(t *testing.T) {
	east := time.FixedZone("UTC+2", 2*60*60)
	for _, c := range []struct {
		name      string
		t         time.Time
		ago, date string
	}{
		{"now", now, "0s ago", "Nov 24 12:00"},
		{"an hour ago", now.Add(-time.Hour), "1h ago", "Nov 24 11:00"},
		{"in an hour", now.Add(time.Hour), "in 1h", "Nov 24 13:00"},
		{"last year", now.AddDate(-1, 0, 0), "365d ago", "2025-11-24 12:00"},
		{"in another zone", now.In(east), "0s ago", "Nov 24 12:00"},
		{"new year in another zone", time.Date(2026, 1, 1, 1, 0, 0, 0, east), "327d 13h ago", "2025-12-31 23:00"},
	} {
		if got := ago(now, c.t); got != c.ago {
			t.Errorf("%s: %s, want %s", c.name, got, c.ago)
		}
		if got := shortDate(now, c.t); got != c.date {
			t.Errorf("%s: %s, want %s", c.name, got, c.date)
		}
	}
}

func TestTruncate(t *testing.T) {
	for s, want := range map[string]string{"": "", "äöü": "äöü", "äöüß": "äö…"} {
		if got := truncate(s, 3); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
