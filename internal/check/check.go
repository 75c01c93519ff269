// Package check tries the calls that the exporter makes to AWS, and says which permissions
// are missing, and for which identity.
package check

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// Request is what is to be tried: one target in one region.
type Request struct {
	Name, Region string
	lookup.Selection
	Client *imagebuilder.Client
	Role   imagebuilder.Role // that Client assumes; the zero value for none
}

// concurrency is how many targets are tried at a time, so that one that does not answer
// does not delay all others.
const concurrency = 8

// Run tries, for each target, one call for each permission that its selection needs, and
// prints the results to w, in the order of the targets. It reports whether all calls are
// allowed. A call for which there is nothing to ask about is printed, and is no failure.
func Run(ctx context.Context, targets []Request, w io.Writer) bool {
	reports := make([]report, len(targets))
	turns := semaphore.NewWeighted(concurrency)
	var running sync.WaitGroup
	for i := range targets {
		_ = turns.Acquire(context.Background(), 1) // also after ctx has ended: then each fails at once
		running.Go(func() {
			defer turns.Release(1)
			reports[i] = try(ctx, &targets[i])
		})
	}
	running.Wait()
	ok := true
	for i := range reports {
		reports[i].print(w)
		ok = ok && reports[i].ok
	}
	return ok
}

// report is the result for one target.
type report struct {
	title string
	lines []line
	ok    bool
}

// line is the result of one call.
type line struct {
	verdict verdict
	action  string // as IAM names it
	text    string // what more there is to say, empty for nothing
	err     error  // what AWS said, nil for nothing
}

type verdict string

const (
	allowed verdict = "ok"
	missing verdict = "missing" // the permission
	failed  verdict = "failed"  // for another reason
	untried verdict = "untried" // there is nothing to ask about
)

func (r *report) add(l line) {
	r.lines = append(r.lines, l)
	if l.verdict == missing || l.verdict == failed {
		r.ok = false
	}
}

func (r *report) print(w io.Writer) {
	fmt.Fprintln(w, r.title)
	for _, l := range r.lines {
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %-8s %s %s", l.verdict, l.action, l.text), " "))
		if l.err != nil {
			fmt.Fprintf(w, "           %v\n", l.err)
		}
	}
}
