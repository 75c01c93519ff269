package benchrules

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// points is how many points a chart has that does not say how many.
	points = 1_000
	// most is how many samples a query of a panel may read, for each execution: a chart that
	// reads a series of each has few points, and a table reads a few of each. With 10,000
	// executions, these are little more than a million samples: less than a second.
	most = 125
)

// panel is what is asked for a panel of a dashboard.
type panel struct {
	Title         string
	MaxDataPoints int64
	Targets       []struct {
		RefID, Expr string
		Instant     bool
	}
}

// TestWhatDashboardsRead holds what each query of each dashboard reads of 1,000 executions. Of more
// executions it reads in proportion. How long the time is that is shown does not matter: a chart
// has as many points of six hours as of one.
func TestWhatDashboardsRead(t *testing.T) {
	const executions = 1_000
	e := newEvaluator(t, *rulesFile, newAccount(t, executions).series)
	files, err := filepath.Glob("../../../dashboards/*.json")
	if err != nil || len(files) != 4 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d struct{ Panels []panel }
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				n := cmp.Or(p.MaxDataPoints, points)
				if q.Instant {
					n = 1
				}
				if read := e.reads(t, q.Expr, n); read > most*executions {
					t.Errorf("%s: %q, %s reads %d samples of %d executions, want %d at most", filepath.Base(file), p.Title, q.RefID, read, executions, most*executions)
				}
			}
		}
	}
}

// TestReadsOfEachStatus holds that a chart of the statuses exceeds the limit, for they are nine
// series for each execution, also with few points.
func TestReadsOfEachStatus(t *testing.T) {
	const executions = 1_000
	e := newEvaluator(t, *rulesFile, newAccount(t, executions).series)
	old := `sum by (status) (max by (target, region, workflow_execution_id, status) (imagebuilder_workflow_execution_status) and on (target, region, workflow_execution_id) imagebuilder_workflow_execution_info)`
	if read := e.reads(t, old, 120); read <= most*executions {
		t.Errorf("a chart of each status reads %d samples of %d executions, which the limit allows", read, executions)
	}
}

// reads returns how many samples a query of so many points reads, with everything chosen.
func (e *evaluator) reads(t *testing.T, expr string, points int64) int64 {
	t.Helper()
	const id = "wf-00000019-3a62-4618-a021-94ddcbe32908"
	text := strings.NewReplacer(
		"$__rate_interval", "2m", "$__range_s", "3600", "$__range", "1h", "$__interval", "1m",
		"$target", ".+", "$region", ".+", "$pipeline", ".*", "$job", ".+", "$workflow_execution", id,
	).Replace(expr)
	q, err := e.engine.NewRangeQuery(t.Context(), e.db, nil, text, now.Add(-hour*time.Duration(points-1)/time.Duration(points)), now, hour/time.Duration(points))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	defer q.Close()
	if err := q.Exec(t.Context()).Err; err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return q.Stats().Samples.TotalSamples
}
