package exposition

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// oddTexts are what people may write into names, and what looks like something else in a text
// format.
var oddTexts = []string{
	"plain", "", " ", `a "quoted" \ word\`, "two\nlines\n# HELP imagebuilder_up none", "# TYPE imagebuilder_up counter", "# EOF", "\n# EOF\n",
	`{status="FAILED"} 1`, `"} 7 # {trace_id="1"} 2`, "größe 雪 🙂", "\x00\t\r\u2028", "$HOME %d %s <b>", strings.Repeat(`long "ü" `, 100),
}

// world is an account of which everything may change. It serves requests.
type world struct {
	random    *rand.Rand
	region    string
	pipelines []emulator.Pipeline
	images    []emulator.Image
	runs      []emulator.Run  // of no image
	faults    map[string]bool // what cannot be asked about
	deleted   map[string]bool // ids of executions
	ids       int
	current   atomic.Pointer[emulator.API]
}

func newWorld(random *rand.Rand, region string) *world {
	w := &world{random: random, region: region, faults: map[string]bool{}, deleted: map[string]bool{}}
	for n := range 4 {
		w.pipelines = append(w.pipelines, emulator.Pipeline{
			ARN: w.arn("image-pipeline", fmt.Sprint("p", n)), Name: fmt.Sprint("Pipeline ", n), Tags: map[string]string{"team": w.text()},
		})
	}
	for range 12 {
		w.beginBuild(time.Now().Add(-time.Duration(1+random.IntN(100)) * time.Hour))
		w.beginRun(time.Now().Add(-time.Duration(1+random.IntN(100)) * time.Hour))
	}
	w.publish()
	return w
}

// ServeHTTP answers a request of a target.
func (w *world) ServeHTTP(to http.ResponseWriter, r *http.Request) { w.current.Load().ServeHTTP(to, r) }

// publish makes what w has the account that is asked.
func (w *world) publish() {
	faults := maps.Clone(w.faults)
	w.current.Store(&emulator.API{
		Scenario: &emulator.Account{Pipelines: slices.Clone(w.pipelines), Images: slices.Clone(w.images), Runs: slices.Clone(w.runs)},
		Fault: func(_, id string) http.Handler {
			if faults[id] {
				return emulator.Error(http.StatusServiceUnavailable, "ServiceUnavailableException", "x")
			}
			return nil
		},
	})
}

func (w *world) arn(kind, name string) string {
	return "arn:aws:imagebuilder:" + w.region + ":111122223333:" + kind + "/" + name
}

func (w *world) text() string { return pick(w.random, oddTexts) }

// run returns a new execution that starts at that time.
func (w *world) run(start time.Time) emulator.Run {
	w.ids++
	r := emulator.Run{
		ID: lookuptest.ID(w.ids), Type: w.text(), ParallelGroup: w.text(), Start: start,
		WorkflowBuildVersionARN: w.arn("workflow", fmt.Sprintf("test/w%d/1.0.0/1", w.random.IntN(2))),
		Skipped:                 w.random.IntN(10) == 0, Rollback: time.Duration(w.random.IntN(3)) * time.Minute,
	}
	if w.random.IntN(6) == 0 {
		r.Cancelled = time.Minute
	}
	for range 1 + w.random.IntN(3) {
		r.Steps = append(r.Steps, emulator.Step{
			Name: w.text(), Action: w.text(), Takes: time.Duration(w.random.IntN(200)) * time.Second,
			Ends:  pick(w.random, []emulator.Outcome{emulator.Succeeded, emulator.Succeeded, emulator.Succeeded, emulator.SkippedStep, emulator.Failed, emulator.FailedIgnored}),
			Waits: w.random.IntN(4) == 0,
		})
	}
	return r
}

// beginBuild adds a build of some pipeline, or of none.
func (w *world) beginBuild(at time.Time) {
	n := len(w.images)
	name := fmt.Sprint("image", w.random.IntN(4))
	i := emulator.Image{
		ARN: w.arn("image", fmt.Sprintf("%s/1.0.%d/%d", name, w.random.IntN(2), n+1)), Name: w.text(), Created: at,
		Platform: w.text(), BuildType: w.text(), Deprecates: at.Add(1000 * time.Hour),
		Outputs: []emulator.Output{{Region: w.region, AMI: fmt.Sprint("ami-", n), State: w.text()}},
	}
	if p := w.random.IntN(len(w.pipelines) + 1); p < len(w.pipelines) {
		i.PipelineARN = w.pipelines[p].ARN
	}
	a := emulator.Attempt{Start: at, Fails: w.random.IntN(4) == 0, Distributes: time.Duration(w.random.IntN(60)) * time.Second}
	for range w.random.IntN(3) {
		a.Runs = append(a.Runs, w.run(at.Add(time.Duration(w.random.IntN(60))*time.Second)))
	}
	i.Attempts = []emulator.Attempt{a}
	w.images = append(w.images, i)
}

// beginRun adds an execution of which nothing else is known, or that names an image of another
// pipeline: those of an image that has ended do not become more.
func (w *world) beginRun(at time.Time) {
	r := w.run(at)
	if w.random.IntN(2) == 0 {
		r.ImageBuildVersionARN = w.arn("image", fmt.Sprintf("other/1.0.0/%d", 1+w.random.IntN(3)))
	}
	w.runs = append(w.runs, r)
}

func (w *world) image() *emulator.Image { return &w.images[w.random.IntN(len(w.images))] }

// retry begins another attempt of an image that has failed, and reports whether there is one. It
// goes well: one that fails in the same way between two lookups would not be seen.
func (w *world) retry(at time.Time) bool {
	var failed []*emulator.Image
	for n := range w.images {
		if i := &w.images[n]; i.Deleted.IsZero() && slices.Contains([]string{"FAILED", "CANCELLED"}, i.Status(at)) {
			failed = append(failed, i)
		}
	}
	if len(failed) == 0 {
		return false
	}
	i := pick(w.random, failed)
	r := w.run(at)
	r.Skipped, r.Cancelled = false, 0
	for n := range r.Steps {
		r.Steps[n].Ends = emulator.Succeeded
	}
	again := emulator.Attempt{Start: at, Distributes: time.Minute, Runs: []emulator.Run{r}}
	i.Attempts = append(slices.Clone(i.Attempts), again)
	return true
}

// deleteImage deletes an image with its executions.
func (w *world) deleteImage(at time.Time) {
	i := w.image()
	if i.Deleted.IsZero() {
		i.Deleted = at
	}
	for _, a := range i.Attempts {
		for _, r := range a.Runs {
			w.deleted[r.ID] = true
		}
	}
}

// deleteRun deletes one of the executions of which nothing else is known.
func (w *world) deleteRun() bool {
	if len(w.runs) == 0 {
		return false
	}
	n := w.random.IntN(len(w.runs))
	w.deleted[w.runs[n].ID] = true
	for _, r := range w.runs { // which it may have superseded
		if r.ImageBuildVersionARN != "" && r.ImageBuildVersionARN == w.runs[n].ImageBuildVersionARN {
			w.deleted[r.ID] = true
		}
	}
	w.runs = slices.Delete(slices.Clone(w.runs), n, n+1)
	return true
}

// rename gives some pipeline another name.
func (w *world) rename() { w.pipelines[w.random.IntN(len(w.pipelines))].Name = w.text() }

// fail makes lookups of something fail.
func (w *world) fail() {
	i := w.image()
	ids := []string{i.ARN, i.PipelineARN, lookuptest.ID(1 + w.random.IntN(w.ids)), lookuptest.ID(1 + w.random.IntN(w.ids))}
	w.faults[cmp.Or(pick(w.random, ids), i.ARN)] = true
}

// change makes something happen, and returns what, or "" for nothing.
func (w *world) change(at time.Time) (what string) {
	defer w.publish()
	changes := []struct {
		what string
		do   func() bool
	}{
		{"a build begins", func() bool { w.beginBuild(at); return true }},
		{"an execution begins", func() bool { w.beginRun(at); return true }},
		{"an image is retried", func() bool { return w.retry(at) }},
		{"an image is deleted", func() bool { w.deleteImage(at); return true }},
		{"an execution is deleted", w.deleteRun},
		{"an image is deprecated", func() bool { w.image().Deprecated = at; return true }},
		{"a pipeline is renamed", func() bool { w.rename(); return true }},
		{"a lookup fails", func() bool { w.fail(); return true }},
		{"lookups succeed", func() bool { clear(w.faults); return true }},
	}
	// Most of what happens are builds that begin.
	c := changes[max(0, w.random.IntN(len(changes)+3)-3)]
	if !c.do() {
		return ""
	}
	return c.what
}
