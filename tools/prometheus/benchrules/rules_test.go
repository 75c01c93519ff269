package benchrules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// cost is what an evaluation takes: samples that the engine reads, CPU time (user and system,
// without garbage collection), and memory allocated, which garbage collection depends on.
type cost struct {
	samples int64
	cpu     time.Duration
	bytes   uint64
}

func (c cost) String() string {
	return fmt.Sprintf("%d samples, %d ms of CPU time, %d MiB", c.samples, c.cpu.Milliseconds(), c.bytes>>20)
}

// evaluator is the rule manager of one file of rules, over a database in which they record, too.
type evaluator struct {
	file   string
	groups []*rules.Group
	engine *promql.Engine
	db     *tsdb.DB
	byRule map[string]cost // of the last evaluation
}

// newEvaluator loads a file of rules, over the series and a history of what the rules record of
// them, and evaluates it once.
func newEvaluator(tb testing.TB, file string, all []series) *evaluator {
	tb.Helper()
	histories := append(scraped(all, ever), recorded(records(tb, file, all))...)
	e := load(tb, file)
	tb.Cleanup(func() { e.close(tb) })
	fill(tb, e.db, histories, ever, hour)
	if err := e.db.Compact(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	fill(tb, e.db, histories, hour, -after)
	e.eval(tb, now)
	return e
}

// records returns what a file of rules records of the series.
func records(tb testing.TB, file string, all []series) []series {
	tb.Helper()
	e := load(tb, file)
	defer e.close(tb)
	fill(tb, e.db, scraped(all, 10*time.Minute), 10*time.Minute, -evalInterval)
	e.eval(tb, now)
	return e.outcome(tb, now)
}

// load loads a file of rules, over an empty database.
func load(tb testing.TB, file string) *evaluator {
	tb.Helper()
	parse := parser.NewParser(parser.Options{})
	e := &evaluator{file: file, db: openDB(tb), engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 500_000_000, Timeout: 10 * time.Minute, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: parse,
		NoStepSubqueryIntervalFn: func(int64) int64 { return evalInterval.Milliseconds() },
	})}
	manager := rules.NewManager(&rules.ManagerOptions{
		ExternalURL: &url.URL{}, QueryFunc: e.query, Context: tb.Context(), Appendable: e.db, Queryable: e.db, Parser: parse,
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	})
	groups, errs := manager.LoadGroups(evalInterval, labels.EmptyLabels(), "", nil, false, file)
	if err := errors.Join(errs...); err != nil {
		tb.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		e.groups = append(e.groups, groups[key])
		for _, alert := range groups[key].AlertingRules() {
			alert.SetRestored(true) // only then it writes ALERTS
		}
	}
	return e
}

func (e *evaluator) close(tb testing.TB) {
	tb.Helper()
	if err := e.db.Close(); err != nil {
		tb.Error(err)
	}
}

// query asks the engine, and counts what that costs for the rule that asks.
func (e *evaluator) query(ctx context.Context, text string, at time.Time) (promql.Vector, error) {
	name, cpu := rules.FromOriginContext(ctx).Name, processCPU()
	q, err := e.engine.NewInstantQuery(ctx, e.db, nil, text, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	result := q.Exec(ctx)
	vector, err := result.Vector()
	if err != nil {
		return nil, fmt.Errorf("evaluating %s: %w", name, err)
	}
	sum := e.byRule[name]
	sum.samples += q.Stats().Samples.TotalSamples
	sum.cpu += processCPU() - cpu
	e.byRule[name] = sum
	return vector, nil
}

// eval evaluates all rules once, each of which has to succeed.
func (e *evaluator) eval(tb testing.TB, at time.Time) cost {
	tb.Helper()
	e.byRule = map[string]cost{}
	var before, after runtime.MemStats
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	runtime.ReadMemStats(&before)
	cpu := processCPU()
	for _, g := range e.groups {
		g.Eval(tb.Context(), at)
	}
	runtime.ReadMemStats(&after)
	sum := cost{cpu: processCPU() - cpu, bytes: after.TotalAlloc - before.TotalAlloc}
	for _, c := range e.byRule {
		sum.samples += c.samples
	}
	for _, g := range e.groups {
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				tb.Fatalf("%s: %v", r.Name(), err)
			}
		}
	}
	return sum
}

// outcome returns what the rules have recorded at a time.
func (e *evaluator) outcome(tb testing.TB, at time.Time) []series {
	tb.Helper()
	q, err := e.db.Querier(at.UnixMilli(), at.UnixMilli())
	if err != nil {
		tb.Fatal(err)
	}
	defer q.Close()
	var all []series
	set := q.Select(tb.Context(), false, nil, labels.MustNewMatcher(labels.MatchNotEqual, model.MetricNameLabel, ""))
	for set.Next() {
		if !strings.Contains(set.At().Labels().Get(model.MetricNameLabel), ":") {
			continue
		}
		for it := set.At().Iterator(nil); it.Next() == chunkenc.ValFloat; {
			_, value := it.At()
			all = append(all, series{labels: set.At().Labels(), value: value})
		}
	}
	if set.Err() != nil {
		tb.Fatal(set.Err())
	}
	return all
}

// table lists what each rule costs, the most expensive first. Rules of one name are one line.
func (e *evaluator) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "samples\tCPU ms\t  rule")
	names := slices.SortedFunc(maps.Keys(e.byRule), func(a, b string) int {
		return cmp.Or(cmp.Compare(e.byRule[b].samples, e.byRule[a].samples), cmp.Compare(a, b))
	})
	for _, name := range names {
		fmt.Fprintf(w, "%d\t%d\t  %s\n", e.byRule[name].samples, e.byRule[name].cpu.Milliseconds(), name)
	}
	w.Flush()
	return b.String()
}

func processCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
