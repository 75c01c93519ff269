package status

import (
	"fmt"
	"slices"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// steps counts the steps of an execution.
type steps struct {
	Total     int `json:"total"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
}

// Ended is how many steps have ended.
func (s *steps) Ended() int { return s.Succeeded + s.Failed + s.Skipped }

// segment is a part of a progress bar, in percent of its width.
type segment struct {
	Class, X, W string
	Y, H        int
}

// outcome is how many steps have ended in the same way, and how the progress bar shows them.
type outcome struct {
	steps int
	word  string
	bar   segment // without its X and W
}

// outcomes returns those that occur, in the order of the progress bar. Skipped steps are lower
// than the rest, for readers who cannot tell the colours apart.
func (s *steps) outcomes() []outcome {
	return slices.DeleteFunc([]outcome{
		{s.Succeeded, "succeeded", segment{Class: "good", H: 8}},
		{s.Skipped, "skipped", segment{Class: "idle", Y: 2, H: 4}},
		{s.Failed, "failed", segment{Class: "failed", H: 8}},
	}, func(o outcome) bool { return o.steps == 0 })
}

// Description says what the progress bar shows.
func (s *steps) Description() string {
	text := fmt.Sprintf("%d of %s ended", s.Ended(), printable.Count(s.Total, "step"))
	sign := ": "
	for _, o := range s.outcomes() {
		text += fmt.Sprintf("%s%d %s", sign, o.steps, o.word)
		sign = ", "
	}
	return text
}

// Bar returns the segments of the progress bar.
func (s *steps) Bar() []segment {
	var all []segment
	before := 0
	for _, o := range s.outcomes() {
		o.bar.X, o.bar.W = percent(before, s.Total), percent(o.steps, s.Total)
		all = append(all, o.bar)
		before += o.steps
	}
	return all
}

func percent(n, of int) string { return fmt.Sprintf("%.2f", 100*float64(n)/float64(of)) }
