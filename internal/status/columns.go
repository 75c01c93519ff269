package status

import (
	"cmp"
	"slices"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// column is one of the table of executions. One without compare cannot be sorted by.
type column struct {
	name    string
	compare func(a, b *execution) int
}

// columns are those of the table, from left to right.
var columns = []column{
	{"status", func(a, b *execution) int { return cmp.Compare(a.Status, b.Status) }},
	{"type", func(a, b *execution) int { return cmp.Compare(a.Type, b.Type) }},
	{"image", func(a, b *execution) int {
		return cmp.Or(cmp.Compare(a.Image, b.Image), a.build().Compare(b.build()))
	}},
	{"pipeline", func(a, b *execution) int { return cmp.Compare(a.Pipeline, b.Pipeline) }},
	{"started", func(a, b *execution) int { return compareTimes(a.Started, b.Started) }},
	{"duration", func(a, b *execution) int { return compareDurations(a.Duration, b.Duration) }},
	{"steps", nil},
	{"age", func(a, b *execution) int { return compareTimes(b.ReadAt, a.ReadAt) }},
	{"execution", nil},
}

// comparison returns how the column with this name is sorted, nil when it cannot be.
func comparison(name string) func(a, b *execution) int {
	for _, c := range columns {
		if c.name == name {
			return c.compare
		}
	}
	return nil
}

// sortable returns the names of the columns that can be sorted by, in alphabetical order.
func sortable() []string {
	var names []string
	for _, c := range columns {
		if c.compare != nil {
			names = append(names, c.name)
		}
	}
	slices.Sort(names)
	return names
}

// heading is that of a column.
type heading struct {
	Name  string
	Href  string // sorts by the column; empty when that is not possible
	Order string // ascending or descending, empty when another column is sorted by
}

// Headings returns those of the table of executions.
func (q query) Headings() []heading {
	all := make([]heading, len(columns))
	for i, c := range columns {
		all[i].Name = c.name
		if c.compare != nil {
			all[i].Href = q.With("sort", c.name)
		}
		switch {
		case c.name != q.Sort:
		case q.Descending:
			all[i].Order = "descending"
		default:
			all[i].Order = "ascending"
		}
	}
	return all
}

func compareTimes(a, b *time.Time) int { return orZero(a).Compare(orZero(b)) }

// compareDurations compares seconds. Nil comes before 0.
func compareDurations(a, b *float64) int {
	x, y := -1.0, -1.0
	if a != nil {
		x = *a
	}
	if b != nil {
		y = *b
	}
	return cmp.Compare(x, y)
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// build returns an image with the version of e's, to compare versions by their numbers.
func (e *execution) build() *imagebuilder.Image {
	return &imagebuilder.Image{Build: imagebuilder.ImageBuildVersion{Version: e.Version}}
}
