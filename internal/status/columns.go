package status

import (
	"cmp"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// columns are those of the table of executions, from left to right.
var columns = []string{"status", "type", "image", "pipeline", "started", "duration", "steps", "age", "execution"}

// comparisons say how executions are sorted by a column. By the others they cannot be sorted.
var comparisons = map[string]func(a, b *execution) int{
	"status": func(a, b *execution) int { return cmp.Compare(a.Status, b.Status) },
	"type":   func(a, b *execution) int { return cmp.Compare(a.Type, b.Type) },
	"image": func(a, b *execution) int {
		return cmp.Or(cmp.Compare(a.Image, b.Image), a.build().Compare(b.build()))
	},
	"pipeline": func(a, b *execution) int { return cmp.Compare(a.Pipeline, b.Pipeline) },
	"started":  func(a, b *execution) int { return compareTimes(a.Started, b.Started) },
	"duration": func(a, b *execution) int { return cmp.Compare(valueOr(a.Duration, -1), valueOr(b.Duration, -1)) },
	"age":      func(a, b *execution) int { return compareTimes(b.ReadAt, a.ReadAt) },
}

// heading is that of a column.
type heading struct {
	Name  string
	Href  string // sorts by the column; empty when that is not possible
	Class string // wide for one that narrow screens do not have
	Order string // ascending or descending, empty when another column is sorted by
}

// Headings returns those of the table of executions.
func (q query) Headings() []heading {
	all := make([]heading, len(columns))
	for i, name := range columns {
		all[i].Name = name
		if narrow := []string{"status", "image", "pipeline", "duration"}; !slices.Contains(narrow, name) {
			all[i].Class = "wide"
		}
		if comparisons[name] != nil {
			all[i].Href = q.With("sort", name)
		}
		if name == q.Sort {
			all[i].Order = q.Order + "ending"
		}
	}
	return all
}

func compareTimes(a, b *time.Time) int {
	return valueOr(a, time.Time{}).Compare(valueOr(b, time.Time{}))
}

// valueOr returns what p points to, or the fallback when it is nil.
func valueOr[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}

// build returns an image with the version of e's, to compare versions by their numbers.
func (e *execution) build() *imagebuilder.Image {
	return &imagebuilder.Image{Build: imagebuilder.ImageBuildVersion{Version: e.Version}}
}
