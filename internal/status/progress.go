package status

import "fmt"

// steps counts the steps of an execution.
type steps struct {
	Total     int `json:"total"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
}

// Ended is how many steps have ended.
func (s *steps) Ended() int { return s.Succeeded + s.Failed + s.Skipped }

// outcome is how many steps have ended in the same way.
type outcome struct {
	steps       int
	word, class string
}

// outcomes returns those that occur, in the order of the progress bar.
func (s *steps) outcomes() []outcome {
	var all []outcome
	for _, o := range []outcome{
		{s.Succeeded, "succeeded", "good"},
		{s.Skipped, "skipped", "idle"},
		{s.Failed, "failed", "failed"},
	} {
		if o.steps > 0 {
			all = append(all, o)
		}
	}
	return all
}

// Description says what the progress bar shows.
func (s *steps) Description() string {
	text := fmt.Sprintf("%d of %d steps ended", s.Ended(), s.Total)
	sign := ": "
	for _, o := range s.outcomes() {
		text += fmt.Sprintf("%s%d %s", sign, o.steps, o.word)
		sign = ", "
	}
	return text
}

// segment is a part of a progress bar, in percent of its width.
type segment struct {
	Class, X, W string
	Y, H        int
}

// Bar returns the segments of the progress bar. Skipped steps are lower than the rest, for
// readers who cannot tell the colours apart.
func (s *steps) Bar() []segment {
	if s.Total == 0 {
		return nil
	}
	var all []segment
	before := 0
	for _, o := range s.outcomes() {
		g := segment{Class: o.class, X: percent(before, s.Total), W: percent(o.steps, s.Total), H: 8}
		if o.class == "idle" {
			g.Y, g.H = 2, 4
		}
		all = append(all, g)
		before += o.steps
	}
	return all
}

func percent(n, of int) string { return fmt.Sprintf("%.2f", 100*float64(n)/float64(of)) }
