package exposition

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// countChanges counts what has happened between two moments of a target.
func (l *life) countChanges(before, after moment) {
	was, is := settledOf(before), settledOf(after)
	live := map[string]bool{}
	for _, x := range after.Executions {
		live[x.ID] = true
	}
	for _, i := range after.Images {
		live[i.ARN] = true
	}
	for id, batch := range was {
		switch now := is[id]; {
		case live[id]:
			l.count("something is live again")
		case now == nil:
			l.count("what is settled leaves")
		case now == batch:
			l.count("a batch stays")
		default:
			l.count("a batch is replaced")
		}
	}
	for id := range is {
		if was[id] == nil {
			l.count("something settles")
		}
	}
	for _, b := range after.Settled {
		for _, x := range b.Executions {
			if x.Superseded.True {
				l.count("a superseded one has settled")
			}
		}
	}
}

// settledOf returns the batch of each execution and image that is settled, by its id or ARN.
func settledOf(m moment) map[string]*lookup.Batch {
	all := map[string]*lookup.Batch{}
	for _, b := range m.Settled {
		for _, x := range b.Executions {
			all[x.ID] = b
		}
		for _, i := range b.Images {
			all[i.ARN] = b
		}
	}
	return all
}

// whole returns m with everything live.
func (m moment) whole() moment {
	s := lookup.Snapshot(m)
	m.Executions, m.Images, m.Settled = nil, nil, nil
	for _, x := range s.AllExecutions() {
		m.Executions = append(m.Executions, *x)
	}
	for _, i := range s.AllImages() {
		m.Images = append(m.Images, *i)
	}
	return m
}

// rows returns what is published of executions, images and pipelines at a moment, without what
// a target may know that a new one does not: what was deleted, and how a pipeline was called
// when it was asked about one build of it.
func (target *lifeTarget) rows(t testing.TB, m moment) []string {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectorOf(t, m))
	p := page{httptest.NewRecorder()}
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(p, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	rows := strings.Split(p.Body.String(), "\n")
	rows = slices.DeleteFunc(rows, func(row string) bool {
		id := labelOfID.FindStringSubmatch(row)
		return strings.HasPrefix(row, "#") || id != nil && target.world.deleted[id[1]] || timesAndCounts.MatchString(row)
	})
	if target.selection.Pipelines == nil {
		for i := range rows {
			rows[i] = labelOfPipeline.ReplaceAllString(rows[i], "")
		}
	}
	slices.Sort(rows)
	return rows
}

var (
	labelOfID       = regexp.MustCompile(`workflow_execution_id="([^"]*)"`)
	labelOfPipeline = regexp.MustCompile(`pipeline="(?:[^"\\]|\\.)*",`)
	timesAndCounts  = regexp.MustCompile(`^imagebuilder_(workflow_execution_lookup_timestamp_seconds|workflow_executions|discovery_last_success_timestamp_seconds)`)
)
