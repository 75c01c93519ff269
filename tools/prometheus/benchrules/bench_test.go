package benchrules

import (
	"flag"
	"slices"
	"testing"
	"time"
)

var (
	currentFile = flag.String("rules", "../../../alerts/imagebuilder.rules.yml", "the rules")
	beforeFile  = flag.String("before", "", "the rules to compare with; without them, with what is written down")
	large       = flag.Bool("large", false, "measure 100,000 executions, too, for which 10 GB of memory are needed")
)

// samplesBefore is what the rules of commit 67f80e8 looked at for 10,000 executions, in which
// most of what is known now as superseded was reconstructed. With -before it is measured anew.
const samplesBefore = 1

const (
	rounds    = 5
	maxRatio  = 0.25 // of what the rules cost before
	maxGrowth = 11   // of samples and allocated memory, for ten times as many executions
)

// BenchmarkRules evaluates the rules for 1,000 executions and 10,000, and compares these with
// each other and with what they cost before.
func BenchmarkRules(b *testing.B) {
	for b.Loop() {
		small := measure(b, 1_000)
		medium := measure(b, 10_000)
		grows(b, "10000/1000", small, medium)
		if *large {
			grows(b, "100000/10000", medium, measure(b, 100_000))
		}
	}
}

// measure returns the cost of the rules as they are. For 10,000 executions it compares them
// with those before.
func measure(b *testing.B, executions int) cost {
	b.Helper()
	all := newAccount(b, executions).series
	current := newEvaluator(b, *currentFile, all)
	if executions != 10_000 {
		return median(b, current)[0]
	}
	evaluators := []*evaluator{current}
	if *beforeFile != "" {
		evaluators = append(evaluators, newEvaluator(b, *beforeFile, all))
	}
	costs := median(b, evaluators...)
	b.Logf("one evaluation for %d executions: %d samples, %v CPU, %d bytes\n%s",
		executions, costs[0].samples, costs[0].cpu, costs[0].bytes, current.table())
	if len(costs) > 1 {
		b.Logf("the rules before: %d samples, %v CPU, %d bytes\n%s",
			costs[1].samples, costs[1].cpu, costs[1].bytes, evaluators[1].table())
		b.ReportMetric(float64(costs[0].cpu)/float64(costs[1].cpu), "cpu/before")
		b.ReportMetric(float64(costs[0].bytes)/float64(costs[1].bytes), "bytes/before")
		if costs[1].samples != samplesBefore {
			b.Errorf("the rules before looked at %d samples, and %d are written down", costs[1].samples, samplesBefore)
		}
	}
	ratio := float64(costs[0].samples) / samplesBefore
	b.ReportMetric(ratio, "samples/before")
	if ratio > maxRatio {
		b.Errorf("the rules look at %.2f of the samples of those before, want at most %v", ratio, maxRatio)
	}
	return costs[0]
}

// median evaluates each in turn, and returns the evaluation of each whose CPU time lies in the middle.
func median(b *testing.B, evaluators ...*evaluator) []cost {
	b.Helper()
	all := make([][]cost, len(evaluators))
	for round := range rounds {
		for i, e := range evaluators {
			all[i] = append(all[i], e.eval(b, now.Add(time.Duration(round+1)*evalInterval)))
		}
	}
	middle := make([]cost, len(all))
	for i, costs := range all {
		slices.SortFunc(costs, func(a, b cost) int { return int(a.cpu - b.cpu) })
		middle[i] = costs[len(costs)/2]
	}
	return middle
}

// grows holds that ten times as many executions cost about ten times as much.
func grows(b *testing.B, name string, less, more cost) {
	b.Helper()
	b.ReportMetric(float64(more.cpu)/float64(less.cpu), name+"-cpu")
	for what, growth := range map[string]float64{
		"samples": float64(more.samples) / float64(less.samples),
		"bytes":   float64(more.bytes) / float64(less.bytes),
	} {
		b.ReportMetric(growth, name+"-"+what)
		if growth > maxGrowth {
			b.Errorf("%s: %s grow %.1f times, want at most %v", name, what, growth, float64(maxGrowth))
		}
	}
}
