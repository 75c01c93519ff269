package benchrules

import (
	"maps"
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
	// before is when the rules are evaluated first, to have what they recorded since.
	before = 14 * 24 * time.Hour
	// after is how long the series go on after now, for several evaluations.
	after = 10 * time.Minute
)

// span is a time, before now, in which a series has a sample at each step.
type span struct{ from, to, step time.Duration }

func (s span) has(ago time.Duration) bool {
	return ago <= s.from && ago >= s.to && (s.from-ago)%s.step == 0
}

// row is a series in the database, and when it has samples.
type row struct {
	series
	ref   storage.SeriesRef
	spans []span
}

// scraped are the series that are scraped. Those that have not existed for long were there
// once before, for the evaluation of that time.
func scraped(all []series) [][]row {
	byAge := map[time.Duration][]row{}
	for _, s := range all {
		spans := []span{{s.age, -after, scrapeInterval}}
		if s.age < before {
			spans = append(spans, span{before + 10*time.Minute, before, scrapeInterval})
		}
		byAge[s.age] = append(byAge[s.age], row{series: s, spans: spans})
	}
	return slices.Collect(maps.Values(byAge))
}

// recorded are what rules have recorded since: of executions and images in the hours that rules
// read, of pipelines and targets all the time.
func recorded(all []series) [][]row {
	var single, trend []row
	for _, s := range all {
		if s.labels.Has("workflow_execution_id") || s.labels.Has("image_build_version_arn") {
			single = append(single, row{series: s, spans: []span{
				{7*24*time.Hour + time.Hour, 7 * 24 * time.Hour, evalInterval},
				{time.Hour, evalInterval, evalInterval},
			}})
			continue
		}
		trend = append(trend, row{series: s, spans: []span{
			{before - time.Hour, 49 * time.Hour, 30 * time.Minute},
			{48 * time.Hour, evalInterval, evalInterval},
		}})
	}
	return [][]row{single, trend}
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
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// fill appends the samples of the rows from a time before now to another, which is left out,
// ten minutes at a time. Rows of one slice have the same spans.
func fill(tb testing.TB, db *tsdb.DB, groups [][]row, from, to time.Duration) {
	tb.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	for ; from > to; from -= 10 * time.Minute {
		appender := db.Appender(tb.Context())
		for _, rows := range groups {
			appendRows(tb, appender, rows, from, max(from-10*time.Minute, to))
		}
		if err := appender.Commit(); err != nil {
			tb.Fatal(err)
		}
	}
}

func appendRows(tb testing.TB, appender storage.Appender, rows []row, from, to time.Duration) {
	tb.Helper()
	var times []int64
	for ; len(rows) > 0 && from > to; from -= scrapeInterval {
		if hasAny(rows[0].spans, from) {
			times = append(times, now.Add(-from).UnixMilli())
		}
	}
	for i := range rows {
		for _, at := range times {
			ref, err := appender.Append(rows[i].ref, rows[i].labels, at, rows[i].value)
			if err != nil {
				tb.Fatalf("%s: %v", rows[i].labels, err)
			}
			rows[i].ref = ref
		}
	}
}

func hasAny(spans []span, ago time.Duration) bool {
	for _, s := range spans {
		if s.has(ago) {
			return true
		}
	}
	return false
}
