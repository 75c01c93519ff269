package lookup

import (
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// settledIn returns what the batches of a snapshot have, in the order of the batches' first ids.
func settledIn(s Snapshot) []string {
	var all []string
	for _, b := range s.Settled {
		text := ""
		for _, e := range b.Executions {
			text += e.ID[3:11] + " "
		}
		for _, i := range b.Images {
			text += i.Build.Name + "/" + i.Build.Version + " "
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// lookUp returns what target says to a scrape, with what is settled in its batches.
func (w *world) lookUp(target *Target) Snapshot {
	w.t.Helper()
	w.scrape(target)
	return target.Known()
}

func TestWhatIsSettledKeepsItsBatch(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		target := w.discovering(web(w.history(emulator.Succeeded, emulator.Failed)...), Selection{Pipelines: all(5), Steps: StepsAll})
		first := w.lookUp(target)
		if diff := cmp.Diff([]string{"00000001 00000002 web/1.0.0/1 web/1.0.0/2 "}, settledIn(first)); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		w.scrapeEvery(target, 15*time.Second, time.Hour) // discovered twelve times
		if later := w.lookUp(target); !slices.Equal(first.Settled, later.Settled) || len(later.Executions)+len(later.Images) > 0 {
			t.Errorf("an hour later: %v, and %+v", settledIn(later), later)
		}
	})
}

// TestWhatTakesSomethingOutOfItsBatch holds that what changes about something that is settled
// replaces its batch, and is told.
func TestWhatTakesSomethingOutOfItsBatch(t *testing.T) {
	good, failed := emulator.Succeeded, emulator.Failed
	for _, c := range []struct {
		name string
		// happens makes something happen at that time, a minute after the first scrape; change
		// changes something after five. Nil stands for nothing.
		happens func(a *emulator.Account, at time.Time)
		change  func(a *emulator.Account, s *Selection)
		want    []string // batches
		live    int      // executions
	}{
		{"nothing", nil, nil, []string{"00000001 00000002 web/1.0.0/1 web/1.0.0/2 "}, 0},
		{"fewer builds are selected", nil, func(_ *emulator.Account, s *Selection) { s.Pipelines = all(1) }, []string{"00000002 web/1.0.0/2 "}, 0},
		{"fewer executions are allowed", nil, func(_ *emulator.Account, s *Selection) { s.MaxExecutions = 1 }, []string{"00000002 web/1.0.0/2 "}, 0},
		{"nothing is selected", nil, func(_ *emulator.Account, s *Selection) { s.Pipelines = nil }, nil, 0},
		{"steps are looked up", nil, func(_ *emulator.Account, s *Selection) { s.Steps = StepsAll }, []string{"00000001 00000002 web/1.0.0/1 web/1.0.0/2 "}, 0},
		{"the pipeline has another name", nil, func(a *emulator.Account, _ *Selection) { a.Pipelines[0].Name = "Web Server" }, []string{"00000001 00000002 web/1.0.0/1 web/1.0.0/2 "}, 0},
		{"a newer build is good", func(a *emulator.Account, at time.Time) {
			a.Images = append(a.Images, made("web", 3, at, steps(good)))
		}, nil, []string{"00000001 00000002 00000003 web/1.0.0/1 web/1.0.0/2 web/1.0.0/3 "}, 0},
		{"a newer build runs", func(a *emulator.Account, at time.Time) {
			a.Images = append(a.Images, made("web", 3, at, []emulator.Step{{Takes: 1000 * time.Hour}}))
		}, nil, []string{"00000001 00000002 web/1.0.0/1 web/1.0.0/2 "}, 1},
		{"the image is retried", func(a *emulator.Account, at time.Time) {
			again := emulator.Run{ID: id(9), Type: "BUILD", Start: at, Steps: []emulator.Step{{Takes: 1000 * time.Hour}}}
			a.Images[1].Attempts = append(a.Images[1].Attempts, emulator.Attempt{Start: again.Start, Runs: []emulator.Run{again}})
		}, nil, []string{"00000001 web/1.0.0/1 "}, 2},
		{"an image is deprecated", func(a *emulator.Account, at time.Time) { a.Images[0].Deprecated = at }, nil, []string{"00000001 00000002 web/1.0.0/1 web/1.0.0/2 "}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				a := web(w.history(good, failed)...)
				if c.happens != nil {
					c.happens(a, w.begin.Add(time.Minute))
				}
				target := w.discovering(a, Selection{Pipelines: all(5), Steps: StepsNone})
				before := w.lookUp(target)
				w.at(5 * time.Minute)
				if c.change != nil {
					s := target.c.Selection
					c.change(a, &s)
					target.Select(s)
				}
				w.scrapeEvery(target, 10*time.Second, 7*time.Minute)
				after := w.lookUp(target) // which holds that what is settled is true
				if diff := cmp.Diff(c.want, settledIn(after)); diff != "" || len(after.Executions) != c.live {
					t.Errorf("%d live executions, want %d; batches (-want +got):\n%s", len(after.Executions), c.live, diff)
				}
				if same := slices.Equal(before.Settled, after.Settled); same != (c.name == "nothing" || c.name == "a newer build runs") {
					t.Errorf("the batches are the same: %t", same)
				}
			})
		})
	}
}

// TestWhatSettlesOneByOneIsMovedRarely holds that there are few batches, and that each
// execution is put into a new one only a few times.
func TestWhatSettlesOneByOneIsMovedRarely(t *testing.T) {
	t.Parallel()
	test(t, func(t *testing.T) {
		const n = batchSize * 3 / 2
		var runs []emulator.Run
		var ids []string
		for i := range n {
			runs = append(runs, emulator.Run{ID: id(i), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: time.Minute}}})
			ids = append(ids, id(i))
		}
		w := newWorld(t, runs...)
		target := w.target()
		moved, before := 0, map[*Batch]bool{}
		for i := range n {
			target.Select(Selection{WorkflowExecutions: ids[:i+1]})
			s := target.Lookup(t.Context())
			for _, b := range s.Settled {
				if !before[b] {
					moved += len(b.Executions)
				}
				before[b] = true
			}
			if most := bits.Len(batchSize) + 2*n/batchSize; len(s.Settled) > most || s.Selected() != i+1 {
				t.Fatalf("%d executions in %d batches, at most %d", s.Selected(), len(s.Settled), most)
			}
		}
		if most := n * bits.Len(batchSize); moved < n || moved > most {
			t.Errorf("%d executions were put into batches %d times, at most %d", n, moved, most)
		}
	})
}

// TestAFewChangesReplaceFewBatches holds that a change costs the batch that it is in.
func TestAFewChangesReplaceFewBatches(t *testing.T) {
	test(t, func(t *testing.T) {
		a := &emulator.Account{}
		w := newWorld(t)
		const pipelines = 400
		for p := range pipelines {
			pipeline := fmt.Sprintf("p%03d", p)
			a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN(pipeline)})
			for n := range 3 {
				i := made(pipeline, n+1, w.begin.Add(time.Duration(n-9)*time.Hour), steps(emulator.Failed))
				i.Attempts[0].Runs[0].ID = id(10*p + n)
				a.Images = append(a.Images, i)
			}
		}
		better := made("p007", 4, w.begin.Add(time.Minute), steps(emulator.Succeeded)) // supersedes three images and executions
		better.Attempts[0].Runs[0].ID = id(10*7 + 4)
		a.Images = append(a.Images, better)
		target := w.discovering(a, Selection{Pipelines: all(5), MaxExecutions: 10_000})
		before := w.lookUp(target)
		w.scrapeEvery(target, 10*time.Second, 7*time.Minute)
		after := w.lookUp(target)
		added := slices.DeleteFunc(slices.Clone(after.Settled), func(b *Batch) bool { return slices.Contains(before.Settled, b) })
		if len(before.Settled) < 9 || len(added) > 3 {
			t.Errorf("%d of %d batches are new", len(added), len(after.Settled))
		}
		if got := supersededIn(whole(after)); len(after.Executions) > 0 || got == supersededIn(whole(before)) {
			t.Errorf("it is not told what is superseded, or not settled: %d are live", len(after.Executions))
		}
	})
}

// TestSameLooksAtEveryField holds that no field of an Execution is left out.
func TestSameLooksAtEveryField(t *testing.T) {
	for field := range reflect.TypeFor[Execution]().Fields() {
		x := Execution{}
		v := reflect.ValueOf(&x).Elem().FieldByIndex(field.Index)
		switch field.Type {
		case reflect.TypeFor[time.Time]():
			v.Set(reflect.ValueOf(time.Unix(1, 0)))
		case reflect.TypeFor[Fact]():
			v.Set(reflect.ValueOf(Fact{Known: true}))
		case reflect.TypeFor[*imagebuilder.Execution]():
			v.Set(reflect.ValueOf(&imagebuilder.Execution{}))
		case reflect.TypeFor[[]imagebuilder.Step]():
			v.Set(reflect.ValueOf([]imagebuilder.Step{}))
		case reflect.TypeFor[bool]():
			v.SetBool(true)
		default:
			v.SetString("x")
		}
		if y := x; x.same(&Execution{}) || !x.same(&y) {
			t.Errorf("%s is left out", field.Name)
		}
	}
}
