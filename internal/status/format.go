package status

import (
	"fmt"
	"strings"
	"time"
)

const day = 24 * time.Hour

// duration writes seconds for people. Nil is not known.
func duration(seconds *float64) string {
	if seconds == nil {
		return "not known"
	}
	return formatDuration(time.Duration(*seconds * float64(time.Second)))
}

// formatDuration writes d with its two largest units: 2h 5m.
func formatDuration(d time.Duration) string {
	for _, u := range []struct {
		name, nextName string
		is, next       time.Duration
	}{{"d", "h", day, time.Hour}, {"h", "m", time.Hour, time.Minute}, {"m", "s", time.Minute, time.Second}} {
		if d >= u.is {
			text := fmt.Sprintf("%d%s %d%s", d/u.is, u.name, d%u.is/u.next, u.nextName)
			return strings.TrimSuffix(text, " 0"+u.nextName)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// date writes a time for people, in UTC.
func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// shortDate is date, but without the year when that is the same as now's.
func shortDate(now, t time.Time) string {
	if t.UTC().Year() == now.UTC().Year() {
		return t.UTC().Format("Jan 2 15:04")
	}
	return date(t)
}

// ago writes how long ago t was, or how far ahead it is.
func ago(now, t time.Time) string {
	if t.After(now) {
		return "in " + formatDuration(t.Sub(now))
	}
	return formatDuration(now.Sub(t)) + " ago"
}

// truncate cuts s to n characters.
func truncate(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
