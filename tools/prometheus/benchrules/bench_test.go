package benchrules

import (
	"flag"
	"slices"
	"testing"
	"time"
)

var (
	currentFile = flag.String("rules", "../../../alerts/imagebuilder.rules.yml", "the rules to measure")
	beforeFile  = flag.String("before", "", "the rules of commit 67f80e8, to measure them in the same run")
	large       = flag.Bool("large", false, "measure 100,000 executions, too")
)

// samplesBefore is what the rules of commit 67f80e8 read for 10,000 executions. They derived what
// the exporter publishes as superseded now. `make bench-rules COMPARE=1` measures it again.
const samplesBefore = 112_800_000

const (
	rounds     = 5
	maxRatio   = 0.25 // of what the rules cost before
	maxSamples = 800  // for each execution, so that the rules stay as cheap as they are
	maxGrowth  = 11   // for ten times as many executions
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
	report(b, costs[0], current)
	if len(costs) > 1 {
		compare(b, costs[0], costs[1], evaluators[1])
	}
	return costs[0]
}

// report prints what each rule costs, and holds the limits of samples.
func report(b *testing.B, now cost, e *evaluator) {
	b.Helper()
	b.Logf("one evaluation for 10,000 executions: %s\n%s", now, e.table())
	b.ReportMetric(float64(now.samples)/10_000, "samples/execution")
	if now.samples > maxSamples*10_000 {
		b.Errorf("the rules read %d samples, want at most %d", now.samples, maxSamples*10_000)
	}
	ratio := float64(now.samples) / samplesBefore
	b.ReportMetric(ratio, "samples/before")
	if ratio > maxRatio {
		b.Errorf("the rules read %.2f times as many samples as before, want at most %v", ratio, maxRatio)
	}
}

// compare prints what the rules cost before, and holds the limit of CPU time.
func compare(b *testing.B, now, before cost, e *evaluator) {
	b.Helper()
	b.Logf("the rules before: %s\n%s", before, e.table())
	ratio := float64(now.cpu) / float64(before.cpu)
	b.ReportMetric(ratio, "cpu/before")
	b.ReportMetric(float64(now.bytes)/float64(before.bytes), "bytes/before")
	if ratio > maxRatio {
		b.Errorf("the rules take %.2f times the CPU time of before, want at most %v", ratio, maxRatio)
	}
	if before.samples != samplesBefore {
		b.Errorf("the rules before read %d samples, and samplesBefore is %d", before.samples, samplesBefore)
	}
}

// median evaluates the files of rules in turn, several times, and returns of each the evaluation
// whose CPU time lies in the middle.
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
	limited(b, name+"-samples", float64(more.samples)/float64(less.samples))
	limited(b, name+"-bytes", float64(more.bytes)/float64(less.bytes))
}

func limited(b *testing.B, name string, growth float64) {
	b.Helper()
	b.ReportMetric(growth, name)
	if growth > maxGrowth {
		b.Errorf("%s is %.1f, want at most %d", name, growth, maxGrowth)
	}
}
