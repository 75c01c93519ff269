package exposition

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// TestLife compares the answers over a random life of several accounts, targets and regions
// with those that promhttp makes of the same moments, in random formats.
func TestLife(t *testing.T) {
	happened := map[string]int{}
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLife(t, seed, happened)
				for step := range 60 {
					l.step()
					l.scrape()
					if step%30 == 29 {
						l.checkTargets()
					}
					if t.Failed() {
						t.Fatalf("in step %d", step)
					}
				}
			})
		})
	}
	t.Log(happened)
	for _, what := range []string{
		"a build begins", "an execution begins", "an image is retried", "an image is deleted", "an execution is deleted",
		"an image is deprecated", "a pipeline is renamed", "a lookup fails", "lookups succeed", "the file is reloaded",
		"something settles", "something is live again", "a batch stays", "a batch is replaced", "what is settled leaves", "a superseded one has settled",
		"OpenMetrics true, gzip true", "OpenMetrics true, gzip false", "OpenMetrics false, gzip true", "OpenMetrics false, gzip false", "promhttp answers",
		"a row is compared with a new target's",
	} {
		if happened[what] == 0 {
			t.Errorf("it never happened that %s", what)
		}
	}
}

// life is what happens to some targets.
type life struct {
	t        *testing.T
	random   *rand.Rand
	worlds   []*world
	targets  []*lifeTarget
	handler  *Handler
	happened map[string]int // how often, by what
}

// lifeTarget is a target with what it has said last.
type lifeTarget struct {
	*lookup.Target
	name      string
	world     *world
	selection lookup.Selection
	last      moment
}

func newLife(t *testing.T, seed uint64, happened map[string]int) *life {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 18))
	l := &life{t: t, random: random, handler: newHandler(), happened: happened}
	l.worlds = []*world{newWorld(random, "eu-west-1"), newWorld(random, "us-east-1")}
	for _, target := range []*lifeTarget{
		{name: "golden", world: l.worlds[0]}, {name: "golden", world: l.worlds[1]}, {name: oddTexts[4], world: l.worlds[0]},
	} {
		target.selection = l.selection(target.world)
		target.Target = lookuptest.New(t, target.config())
		l.targets = append(l.targets, target)
	}
	return l
}

func (target *lifeTarget) config() lookuptest.Config {
	return lookuptest.Config{
		Name: target.name, Region: target.world.region, API: target.world, Selection: target.selection,
		Limits: imagebuilder.Limits{Concurrency: 1000, Timeout: 10 * time.Second}, // so that no lookup takes any time
	}
}

// selection returns what a file may say of a target.
func (l *life) selection(w *world) lookup.Selection {
	s := lookup.Selection{
		Steps:   pick(l.random, []lookup.Steps{lookup.StepsNone, lookup.StepsActive, lookup.StepsAll, lookup.StepsAll}),
		Waiting: l.random.IntN(2) == 0, TagLabels: pick(l.random, [][]string{nil, {"team"}}),
		MaxExecutions: pick(l.random, []int{5, 20, 1000, 1000}), MinInterval: 10 * time.Second, DiscoveryInterval: time.Minute, MaxStaleness: 5 * time.Minute,
	}
	if l.random.IntN(4) > 0 {
		s.Pipelines = []lookup.Selector{{Builds: 1 + l.random.IntN(8), Text: "all"}}
	}
	if l.random.IntN(3) == 0 {
		s.Images = []string{w.arn("image", "image1/x.x.x")}
	}
	if l.random.IntN(3) == 0 {
		s.ImageSelectors = []lookup.Selector{{Name: regexp.MustCompile(`.`), Builds: 1 + l.random.IntN(3), Text: "named"}}
	}
	for n := range w.ids {
		if l.random.IntN(4) == 0 {
			s.WorkflowExecutions = append(s.WorkflowExecutions, lookuptest.ID(n+1))
		}
	}
	return s
}

// step lets something happen, and some time go by.
func (l *life) step() {
	for range l.random.IntN(3) {
		l.count(pick(l.random, l.worlds).change(time.Now()))
	}
	if l.random.IntN(8) == 0 {
		l.count("the file is reloaded")
		target := pick(l.random, l.targets)
		target.selection = l.selection(target.world)
		target.Select(target.selection)
	}
	<-time.After(time.Duration(l.random.IntN(120)) * time.Second)
}

func (l *life) count(what string) {
	if what != "" {
		l.happened[what]++
	}
}

// look looks up every target.
func (l *life) look() []moment {
	var all []moment
	for _, target := range l.targets {
		m := moment(target.Lookup(l.t.Context()))
		l.countChanges(target.last, m)
		target.last = m
		all = append(all, m)
	}
	return all
}

// scrape compares an answer in some format with that of promhttp, and with one of the same
// moments in which nothing is settled.
func (l *life) scrape() {
	l.t.Helper()
	moments, r := l.look(), randomRequest(l.random)
	got := compare(l.t, l.handler, r, moments...)
	f, ours := formatOf(r, l.handler.negotiate(r))
	if !ours {
		l.count("promhttp answers")
		return
	}
	l.count(fmt.Sprintf("OpenMetrics %t, gzip %t", f.kind == expfmt.TypeOpenMetrics, f.gzip))
	checkText(l.t, got, f.kind == expfmt.TypeOpenMetrics)
	for i := range moments {
		moments[i] = moments[i].whole()
	}
	want := page{httptest.NewRecorder()}
	promhttp.HandlerFor(l.handler.Gatherer(collectorOf(l.t, moments...)), l.handler.opts).ServeHTTP(want, r)
	if got, want := normal(got), normal(text(l.t, want)); !slices.Equal(got, want) {
		l.t.Errorf("%v (-with nothing settled +ours):\n%s", r.Header, cmp.Diff(want, got))
	}
}

// checkTargets holds that each target says the same as a new one, which has settled nothing
// before. What was deleted is left out: a target that has seen its end still knows it.
func (l *life) checkTargets() {
	l.t.Helper()
	for _, w := range l.worlds {
		clear(w.faults)
		w.publish()
	}
	l.wait(15) // until all back-offs have ended
	for _, w := range l.worlds {
		w.rename()
		w.publish()
	}
	l.wait(3) // until that is known, and nothing else has changed
	l.scrape()
	for _, target := range l.targets {
		fresh := lookuptest.New(l.t, target.config())
		want := target.rows(l.t, moment(fresh.Lookup(l.t.Context())))
		got := target.rows(l.t, target.last)
		fresh.Close()
		if diff := cmp.Diff(want, got); diff != "" {
			l.t.Errorf("target %q (-new +old):\n%s", target.name, diff)
		}
		l.happened["a row is compared with a new target's"] += len(got)
	}
}

// wait lets minutes go by, with scrapes.
func (l *life) wait(minutes int) {
	for range minutes {
		<-time.After(time.Minute)
		l.look()
	}
}
