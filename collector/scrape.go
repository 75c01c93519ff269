package collector

import (
	"slices"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// scrape is what the families emit for one target. The executions are labelled once for all
// families.
type scrape struct {
	target    *lookup.Snapshot
	selected  []entity[*lookup.Execution] // all executions
	published []entity[*lookup.Execution] // those that have a value
}

var allExecutions = newKind(func(s *lookup.Snapshot) []*lookup.Execution { return pointers(s.Executions) },
	label[*lookup.Execution]{"workflow_execution_id", func(e *lookup.Execution) string { return e.ID }})

// The kinds of executions that families are about.
var (
	selectedExecutions = kind[*lookup.Execution]{
		labels:   allExecutions.labels,
		entities: func(s *scrape) []entity[*lookup.Execution] { return s.selected },
	}
	publishedExecutions = kind[*lookup.Execution]{
		labels:   allExecutions.labels,
		entities: func(s *scrape) []entity[*lookup.Execution] { return s.published },
	}
)

// labelExecutions sets the executions of s.target.
func (s *scrape) labelExecutions() {
	s.selected = allExecutions.entities(s)
	s.published = slices.DeleteFunc(slices.Clone(s.selected), func(e entity[*lookup.Execution]) bool {
		return e.of.Value == nil
	})
}
