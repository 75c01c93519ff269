package benchrules

import (
	"flag"
	"testing"
	"time"
)

var (
	rulesFile  = flag.String("rules", "../../../alerts/imagebuilder.rules.yml", "the rules to measure")
	beforeFile = flag.String("before", "", "the rules of commit 67f80e8, to measure them in the same run")
	large      = flag.Bool("large", false, "measure 100,000 executions, too")
)

const (
	rounds     = 3
	maxSamples = 700    // of an execution and half an image
	maxBytes   = 60_000 // likewise
	maxGrowth  = 11     // for ten times as many executions
	maxRatio   = 0.25   // of what the rules of commit 67f80e8 cost
)

// BenchmarkRules evaluates the rules for 1,000 executions and for 10,000.
func BenchmarkRules(b *testing.B) {
	for b.Loop() {
		small, medium := measure(b, 1_000), measure(b, 10_000)
		grows(b, "10000/1000", small, medium)
		if *large {
			grows(b, "100000/10000", medium, measure(b, 100_000))
		}
	}
}

// measure returns what the rules cost. With 10,000 executions it holds the limits of each, and
// compares the rules with those before.
func measure(b *testing.B, executions int) cost {
	b.Helper()
	all := newAccount(b, executions).series
	evaluators := []*evaluator{newEvaluator(b, *rulesFile, all)}
	compared := executions == 10_000 && *beforeFile != ""
	if compared {
		evaluators = append(evaluators, newEvaluator(b, *beforeFile, all))
	}
	costs := cheapest(b, evaluators)
	for i, e := range evaluators {
		b.Logf("%d executions, %s: %s\n%s", executions, e.file, costs[i], e.table())
	}
	if executions == 10_000 {
		limited(b, "samples/execution", float64(costs[0].samples)/10_000, maxSamples)
		limited(b, "bytes/execution", float64(costs[0].bytes)/10_000, maxBytes)
	}
	if compared {
		limited(b, "samples/before", float64(costs[0].samples)/float64(costs[1].samples), maxRatio)
		limited(b, "cpu/before", float64(costs[0].cpu)/float64(costs[1].cpu), maxRatio)
	}
	return costs[0]
}

// cheapest evaluates the files of rules in turn, several times, and returns of each the evaluation
// that took the least CPU time: what else runs on the machine only adds to it.
func cheapest(b *testing.B, evaluators []*evaluator) []cost {
	b.Helper()
	costs := make([]cost, len(evaluators))
	for round := range rounds {
		for i, e := range evaluators {
			c := e.eval(b, now.Add(time.Duration(round+1)*evalInterval))
			if round == 0 || c.cpu < costs[i].cpu {
				costs[i] = c
			}
		}
	}
	return costs
}

// grows holds that ten times as many executions cost about ten times as much. CPU time, which
// varies, is only printed.
func grows(b *testing.B, name string, less, more cost) {
	b.Helper()
	b.ReportMetric(float64(more.cpu)/float64(less.cpu), name+"-cpu")
	limited(b, name+"-samples", float64(more.samples)/float64(less.samples), maxGrowth)
	limited(b, name+"-bytes", float64(more.bytes)/float64(less.bytes), maxGrowth)
}

// limited prints a number, which has to be at most the limit.
func limited(b *testing.B, name string, number, limit float64) {
	b.Helper()
	b.ReportMetric(number, name)
	if number > limit {
		b.Errorf("%s is %.3g, want at most %v", name, number, limit)
	}
}
