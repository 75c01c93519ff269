package benchrules

import (
	"flag"
	"fmt"
	"testing"
	"time"
)

var (
	rulesFile  = flag.String("rules", "../../../alerts/imagebuilder.rules.yml", "the rules to measure")
	beforeFile = flag.String("before", "", "the rules of commit 67f80e8, to measure them in the same run")
	large      = flag.Int("large", 0, "measure so many executions, too, such as 100000")
)

const (
	maxSamples = 650    // of an execution and half an image
	maxBytes   = 55_000 // likewise
	maxGrowth  = 1.1    // of an execution's cost, when there are more of them
	maxRatio   = 0.25   // of what the rules of commit 67f80e8 cost
)

// BenchmarkRules evaluates the rules for 1,000 executions and for 10,000.
func BenchmarkRules(b *testing.B) {
	for b.Loop() {
		small, medium := measure(b, 1_000), measure(b, 10_000)
		grows(b, "10000/1000", 10, small, medium)
		if *large > 0 {
			more := fmt.Sprintf("%d/10000", *large)
			grows(b, more, float64(*large)/10_000, medium, measure(b, *large))
		}
	}
}

// measure returns what the rules cost. With 10,000 executions it holds the limits of each, and
// compares the rules with those before.
func measure(b *testing.B, executions int) cost {
	b.Helper()
	all := newAccount(b, executions).series
	evaluators, rounds := []*evaluator{newEvaluator(b, *rulesFile, all)}, 3
	compared := executions == 10_000 && *beforeFile != ""
	if compared {
		evaluators, rounds = append(evaluators, newEvaluator(b, *beforeFile, all)), 5
	}
	costs := cheapest(b, rounds, evaluators)
	for i, e := range evaluators {
		b.Logf("%d executions, %s: %s\n%s", executions, e.file, costs[i], e.table())
	}
	if executions == 10_000 {
		limited(b, "samples/execution", float64(costs[0].samples)/10_000, maxSamples)
		limited(b, "bytes/execution", float64(costs[0].bytes)/10_000, maxBytes)
	}
	if compared {
		current, before := costs[0], costs[1]
		limited(b, "samples/before", ratio(current.samples, before.samples), maxRatio)
		limited(b, "cpu/before", ratio(current.cpu, before.cpu), maxRatio)
	}
	return costs[0]
}

// cheapest evaluates the files of rules in turn, several times, and returns of each the evaluation
// that took the least CPU time: what else runs on the machine only adds to it.
func cheapest(b *testing.B, rounds int, evaluators []*evaluator) []cost {
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

// grows holds that so many times the executions cost about so many times as much. CPU time, which
// varies, is only printed.
func grows(b *testing.B, name string, times float64, less, more cost) {
	b.Helper()
	b.ReportMetric(ratio(more.cpu, less.cpu), name+"-cpu")
	limited(b, name+"-samples", ratio(more.samples, less.samples), times*maxGrowth)
	limited(b, name+"-bytes", ratio(more.bytes, less.bytes), times*maxGrowth)
}

// limited prints a number, which has to be at most the limit.
func limited(b *testing.B, name string, number, limit float64) {
	b.Helper()
	b.ReportMetric(number, name)
	if number > limit {
		b.Errorf("%s is %.3g, want at most %v", name, number, limit)
	}
}

func ratio[N int64 | uint64 | time.Duration](a, b N) float64 { return float64(a) / float64(b) }
