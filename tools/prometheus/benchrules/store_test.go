package benchrules

import (
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	scrapeInterval = 30 * time.Second
	evalInterval   = time.Minute
	// after is how long the series go on after now, for several evaluations.
	after = 10 * time.Minute
)

// span is a time, before now, in which a series has a sample at each step.
type span struct{ from, to, step time.Duration }

// history is series that have samples in the same spans.
type history struct {
	spans  []span
	series []series
	refs   []storage.SeriesRef
}

func newHistory(all []series, spans ...span) *history {
	return &history{spans, all, make([]storage.SeriesRef, len(all))}
}

// scraped are the histories of the series that are scraped, by their age, which is at most max.
func scraped(all []series, max time.Duration) []*history {
	byAge := map[time.Duration][]series{}
	for _, s := range all {
		age := min(s.age, max)
		byAge[age] = append(byAge[age], s)
	}
	var histories []*history
	for age, some := range byAge {
		histories = append(histories, newHistory(some, span{age, -after, scrapeInterval}))
	}
	return histories
}

// recorded are the histories of what rules have recorded: of executions and images in the hours
// that rules read, of pipelines and targets for two weeks, of which the first have fewer samples.
func recorded(all []series) []*history {
	var single, trend []series
	for _, s := range all {
		if s.labels.Has("workflow_execution_id") || s.labels.Has("image_build_version_arn") {
			single = append(single, s)
		} else {
			trend = append(trend, s)
		}
	}
	return []*history{
		newHistory(single, span{week, week - hour, evalInterval}, span{hour, evalInterval, evalInterval}),
		newHistory(trend, span{ever, 2 * day, 30 * time.Minute}, span{2*day - evalInterval, evalInterval, evalInterval}),
	}
}

// openDB returns an empty database, without a write-ahead log.
func openDB(tb testing.TB) *tsdb.DB {
	tb.Helper()
	options := tsdb.DefaultOptions()
	options.WALSegmentSize = -1
	options.MinBlockDuration = (24 * time.Hour).Milliseconds()
	options.MaxBlockDuration = options.MinBlockDuration
	db, err := tsdb.Open(tb.TempDir(), nil, nil, options, nil)
	if err != nil {
		tb.Fatal(err)
	}
	db.DisableCompactions()
	return db
}

// fill appends all samples from a time before now to another, which is left out, ten minutes
// at a time.
func fill(tb testing.TB, db *tsdb.DB, histories []*history, from, to time.Duration) {
	tb.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	for ; from > to; from -= 10 * time.Minute {
		appender := db.Appender(tb.Context())
		for _, h := range histories {
			h.append(tb, appender, from, max(from-10*time.Minute, to))
		}
		if err := appender.Commit(); err != nil {
			tb.Fatal(err)
		}
	}
}

func (h *history) append(tb testing.TB, appender storage.Appender, from, to time.Duration) {
	tb.Helper()
	var times []int64
	for ; from > to; from -= scrapeInterval {
		if slices.ContainsFunc(h.spans, func(s span) bool { return s.has(from) }) {
			times = append(times, now.Add(-from).UnixMilli())
		}
	}
	for i, s := range h.series {
		for _, at := range times {
			ref, err := appender.Append(h.refs[i], s.labels, at, s.value)
			if err != nil {
				tb.Fatalf("%s: %v", s.labels, err)
			}
			h.refs[i] = ref
		}
	}
}

func (s span) has(ago time.Duration) bool {
	return ago <= s.from && ago >= s.to && (s.from-ago)%s.step == 0
}
