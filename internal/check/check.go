// Package check tries the AWS calls that the exporter makes, and reports which permissions are missing
// and for which identity. It changes nothing at AWS. Start reading with Run; the table in calls.go has
// the calls.
package check

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// Request is one target in one region, to be tried.
type Request struct {
	Name, Region string
	lookup.Selection
	Client *imagebuilder.Client
	Role   imagebuilder.Role // that Client assumes; the zero value for none
}

// concurrency is how many targets are tried at a time: a target that does not answer must not delay
// all others.
const concurrency = 8

// Run tries one call per permission that the selection of each request needs, and prints the results
// to w in the order of the requests. It reports whether all calls are allowed and every selector
// matches something. A call that cannot be tried, because nothing to ask about is known, is printed
// and is no failure.
func Run(ctx context.Context, requests []Request, w io.Writer) bool {
	trials := make([]*trial, len(requests))
	var running errgroup.Group
	running.SetLimit(concurrency)
	for i := range requests {
		running.Go(func() error { // also after ctx has ended: then each fails at once
			trials[i] = try(ctx, &requests[i])
			return nil
		})
	}
	_ = running.Wait()
	ok := true
	for _, t := range trials {
		t.printUnmatched(trials)
		fmt.Fprintf(w, "%s", &t.printed)
		ok = ok && t.ok
	}
	return ok
}

// unmatched is a selector that matches nothing.
type unmatched struct {
	kind string // pipeline or image
	text string
}

// printUnmatched prints the selectors that match nothing. That is a failure, unless
// the same target has, or may have, something of the selector in another region.
func (t *trial) printUnmatched(trials []*trial) {
	listed := map[string]int{"pipeline": t.listed, "image": t.names}
	for _, u := range t.unmatched {
		elsewhere := slices.ContainsFunc(trials, func(other *trial) bool {
			return other.Name == t.Name && !slices.Contains(other.unmatched, u)
		})
		v := failed
		if elsewhere {
			v = untried
		}
		t.print(v, "selector", fmt.Sprintf("%q (no match among %s in %s)", u.text, printable.Count(listed[u.kind], u.kind), t.Region), nil)
	}
}

// verdict is what came of one call.
type verdict string

const (
	allowed verdict = "ok"
	missing verdict = "missing" // the permission
	failed  verdict = "failed"  // for another reason
	untried verdict = "untried" // there is nothing to ask about
)

// print prints a line: the action as IAM names it, what more there is to say, and what AWS
// said. Text and err may be empty.
func (t *trial) print(v verdict, action, text string, err error) {
	t.ok = t.ok && v != missing && v != failed
	t.line(fmt.Sprintf("  %-8s %s %s", v, action, text))
	if err != nil {
		t.said(err)
	}
}

// said prints what AWS said, below the line that it explains.
func (t *trial) said(err error) { t.line(fmt.Sprintf("           %v", err)) }

// maxLine bounds a line, in bytes.
const maxLine = 1000

// line prints a line. All output goes through it, because answers of AWS, and errors that quote them,
// can contain anything.
func (t *trial) line(text string) {
	fmt.Fprintln(&t.printed, printable.Line(strings.TrimRight(text, " "), maxLine))
}
