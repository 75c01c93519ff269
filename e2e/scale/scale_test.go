package scale

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

var (
	accounts  = flag.Int("accounts", 4, "accounts, each in three regions")
	pipelines = flag.Int("pipelines", 2, "pipelines of each account in each region")
	builds    = flag.Int("builds", 2, "builds of each pipeline, with three executions each")
	replaced  = flag.Int("replaced", 1, "replicas that are replaced, one after the other, of two that were there from the start")
	figures   = flag.Bool("figures", false, "only measure, with one Prometheus server and without rules, what many executions cost")
	interval  = flag.Duration("interval", 2*time.Second, "between two scrapes")
)

// timings returns those of docs/operations.md, shortened so that scrapes have the interval. What
// is added to the drain for the time that a refresh and a scrape take stays 5 s.
func timings(interval time.Duration) timing {
	t := timing{scrape: interval, refresh: (interval / 3).Truncate(time.Millisecond), lookup: interval / 2, minute: 2 * interval}
	t.drain = t.refresh + t.scrape + 5*time.Second
	return t
}

// world is all that runs.
type world struct {
	*testing.T
	aws *aws
	*replicas
	*monitoring
}

// TestReplicas follows many accounts with three replicas, kills one, adds another one, and replaces
// some as a rolling update does, while alerts fire.
func TestReplicas(t *testing.T) {
	a := newAWS(*accounts, size{*pipelines, *builds})
	w := &world{T: t, aws: a, replicas: newReplicas(t, a, timings(*interval), 4)}
	for n := range 3 {
		w.start(n)
	}
	w.monitoring = startMonitoring(t, w.replicas)
	w.settles("all that is configured")
	if *figures {
		w.steady()
		w.killed(2)
		return
	}
	w.until("what has failed is told", func(server string) bool {
		return len(w.messages.got()) == len(a.failed) && len(w.query(server, `ALERTS{alertstate="firing"}`)) == len(a.failed)
	})
	begun := time.Now()
	w.steady()
	killed := time.Now()
	w.killed(2)
	w.added(3)
	for n := range *replaced {
		w.replaced(n)
	}
	// TargetDown and ExporterAbsent would fire after five minutes.
	<-time.After(time.Until(killed.Add(6 * w.timing.minute)))
	w.alertsWere(begun)
}

// executions is how many there are, each under one target.
func (w *world) executions() int {
	return *accounts*len(regions)*(*pipelines)*(*builds)*3 + 1 - w.aws.gone
}

// settles waits until all series are there.
func (w *world) settles(what string) {
	w.Helper()
	want := fmt.Sprint(w.executions())
	w.until(what+" is scraped", func(server string) bool {
		s := w.query(server, "count(imagebuilder_workflow_execution_steps)")
		return len(s) == 1 && s[0].samples[0].value == want && len(w.query(server, `up{job="imagebuilder"} == 0`)) == 0
	})
}

// steady holds that nothing is asked by two replicas.
func (w *world) steady() {
	w.aws.take()
	before := w.use()
	length := 6 * w.timing.scrape
	<-time.After(length)
	asked, after := w.aws.take(), w.use()
	most := int(length/w.timing.lookup) + 1
	for q, by := range asked {
		for _, n := range by {
			if q.subject != "" && n > most {
				w.Errorf("%s is asked about %s %d times in %s, want %d at most", q.operation, q.subject, n, length, most)
			}
		}
		// Nothing tells the account of lists of all that there is.
		if len(by) > 1 && q.subject != "" && q.operation != "AssumeRole" {
			w.Errorf("%s is asked about %s by the replicas %v", q.operation, q.subject, slices.Sorted(maps.Keys(by)))
		}
	}
	counts := byOperation(asked)
	for _, operation := range []string{"GetWorkflowExecution", "ListWorkflowExecutions", "ListWorkflowStepExecutions", "ListImagePipelineImages"} {
		if counts[operation] == 0 {
			w.Errorf("%s is not asked", operation)
		}
	}
	w.Logf("steady: %d targets in their regions, %d executions; requests in %s: %v", len(w.assigned()), w.executions(), length, counts)
	for n, u := range before {
		w.Logf("replica %d: %.0f ms of CPU each second, %.0f MiB resident", n, (after[n].cpu-u.cpu)/length.Seconds()*1000, after[n].resident/(1<<20))
	}
	w.scrapeTimes(length)
}

// byOperation returns how many requests there were of each operation.
func byOperation(asked map[question]map[int]int) map[string]int {
	counts := map[string]int{}
	for q, by := range asked {
		for _, n := range by {
			counts[q.operation] += n
		}
	}
	return counts
}

// use is what a replica takes.
type use struct{ cpu, resident float64 } // seconds since its start, bytes

// use returns that of each replica that runs.
func (w *world) use() map[int]use {
	all := map[int]use{}
	for n, p := range w.running {
		if p != nil {
			all[n] = use{w.value(n, "process_cpu_seconds_total"), w.value(n, "process_resident_memory_bytes")}
		}
	}
	return all
}

// scrapeTimes logs how long the scrapes of one target took.
func (w *world) scrapeTimes(length time.Duration) {
	for server := range w.servers {
		for _, of := range []string{"avg", "max"} {
			s := w.query(server, fmt.Sprintf(`%[1]s(%[1]s_over_time(scrape_duration_seconds{job="imagebuilder"}[%[2]dms]))`, of, length.Milliseconds()))
			w.Logf("%s: a scrape of one target takes %s s (%s)", server, s[0].samples[0].value, of)
		}
	}
}

// replaced ends a replica and starts it again. No scrape fails, and nothing is missing for long.
func (w *world) replaced(n int) {
	from := time.Now()
	before := w.assigned()
	w.stop(n)
	w.onlyItsTargetsMoved(before, n)
	w.settles("all without a replica")
	w.start(n)
	<-time.After(w.timing.refresh + w.timing.scrape)
	w.settles("all with the replica")
	for server := range w.servers {
		var failed []string
		for _, s := range w.query(server, fmt.Sprintf(`up{job="imagebuilder"}[%s]`, since(from))) {
			for _, at := range s.samples {
				if at.value != "1" {
					failed = append(failed, fmt.Sprintf("%s after %s", s.labels["instance"], at.at.Sub(from)))
				}
			}
		}
		if len(failed) > 0 {
			w.Errorf("%s: %d scrapes failed while replica %d was replaced, the first of %s; the last errors: %v",
				server, len(failed), n, failed[0], w.scrapeErrors(server))
		}
		w.Logf("%s: replica %d replaced: a series was missing for %s at most", server, n, w.longestGap(server, from))
	}
}

func since(from time.Time) string { return fmt.Sprintf("%dms", time.Since(from).Milliseconds()) }

// longestGap holds that no series is missing for longer than two intervals after it was due.
func (w *world) longestGap(server string, from time.Time) (longest time.Duration) {
	for _, s := range w.query(server, fmt.Sprintf(`{__name__=~"imagebuilder_up|imagebuilder_workflow_execution_steps"}[%s]`, since(from))) {
		last := from
		for _, at := range append(s.samples, sample{at: time.Now()}) {
			missing := max(0, at.at.Sub(last)-w.timing.scrape)
			longest, last = max(longest, missing), at.at
			if missing > 2*w.timing.scrape {
				w.Errorf("%s: %s was missing for %s", server, s.labels, missing)
			}
		}
	}
	return longest
}

// onlyItsTargetsMoved holds that the targets of other replicas stay where they were.
func (w *world) onlyItsTargetsMoved(before map[string]string, n int) {
	after := w.assigned()
	for instance, was := range before {
		if is := after[instance]; is == w.addresses[n] || was != w.addresses[n] && is != was {
			w.Errorf("%s moved from %s to %s when %s ended", instance, was, is, w.addresses[n])
		}
	}
}

// added starts one more replica, which gets a part of the targets.
func (w *world) added(n int) {
	from := time.Now()
	before := w.assigned()
	w.start(n)
	<-time.After(w.timing.refresh + 2*w.timing.scrape)
	w.settles("all with one replica more")
	moved := 0
	for instance, is := range w.assigned() {
		switch {
		case is == w.addresses[n]:
			moved++
		case is != before[instance]:
			w.Errorf("%s moved from %s to %s", instance, before[instance], is)
		}
	}
	if moved == 0 && len(before) > 50 { // few may stay where they are by chance
		w.Errorf("the new replica has no target")
	}
	for server := range w.servers {
		w.Logf("%s: a replica added, which has %d of %d: a series was missing for %s at most", server, moved, len(before), w.longestGap(server, from))
	}
}

// killed ends a replica without a warning.
func (w *world) killed(n int) {
	from := time.Now()
	before := w.assigned()
	w.aws.take()
	w.kill(n)
	w.onlyItsTargetsMoved(before, n)
	<-time.After(w.timing.refresh + w.timing.scrape)
	w.settles("all without what was killed")
	took, moved := time.Since(from), 0
	for _, was := range before {
		if was == w.addresses[n] {
			moved++
		}
	}
	w.Logf("killed: %d of %d targets moved, all series are there again after %s; requests meanwhile: %v",
		moved, len(before), took.Round(100*time.Millisecond), byOperation(w.aws.take()))
}

// alertsWere holds that since begun what has failed was told all the time, once and by both
// servers, and nothing else.
func (w *world) alertsWere(begun time.Time) {
	want := map[string]int{}
	for _, f := range w.aws.failed {
		want["firing "+f] = 1
	}
	if diff := cmp.Diff(want, w.messages.got()); diff != "" {
		w.Errorf("messages (-want +got):\n%s", diff)
	}
	for server := range w.servers {
		told := w.query(server, fmt.Sprintf(`ALERTS{alertstate="firing"}[%s]`, since(begun)))
		if len(told) != len(want) {
			w.Errorf("%s: %d alerts were firing, want %d", server, len(told), len(want))
		}
		for _, s := range w.query(server, fmt.Sprintf(`ALERTS_FOR_STATE{alertname=~"WorkflowFailed|ImageFailed"}[%s]`, since(begun))) {
			if ends := slices.IndexFunc(s.samples, func(at sample) bool { return at.value != s.samples[0].value }); ends >= 0 {
				w.Errorf("%s: %v began again, %s after the first alerts", server, s.labels, s.samples[ends].at.Sub(begun))
			}
		}
	}
}
