package status

import (
	"maps"
	"slices"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// filter is a parameter of the page with the values to choose from.
type filter struct {
	Label, Name string
	Options     []string
	Chosen      string // empty for all
}

// options are the values of filters that there are.
type options struct{ targets, statuses, pipelines map[string]bool }

func newOptions() options { return options{map[string]bool{}, map[string]bool{}, map[string]bool{}} }

func (o options) add(k *known) {
	o.targets[k.Name] = true
	for _, e := range k.rows {
		o.statuses[e.Status], o.pipelines[e.Pipeline] = true, true
	}
	for _, i := range k.images {
		o.statuses[string(i.Status)] = true
	}
	for name := range k.builds {
		o.pipelines[name] = true
	}
	for _, p := range k.Pipelines {
		o.statuses[string(p.LastRunStatus)], o.pipelines[p.Name] = true, true
	}
	if len(k.Waiting) > 0 {
		o.statuses[string(imagebuilder.StatusWaiting)] = true
	}
}

// filters returns those that people choose from a list.
func (o options) filters(q query) []filter {
	return []filter{
		{"Target", "target", firstOf(o.targets, q.Target), q.Target},
		{"Status", "status", firstOf(o.statuses, q.Status), q.Status},
		{"Pipeline", "pipeline", firstOf(o.pipelines, q.Pipeline), q.Pipeline},
	}
}

// firstOf returns the first values of set, in their order, and the chosen one in any case.
func firstOf(set map[string]bool, chosen string) []string {
	delete(set, "")
	all := slices.Sorted(maps.Keys(set))
	all = all[:min(pageSize, len(all))]
	if chosen != "" && !slices.Contains(all, chosen) {
		all = append(all, chosen)
	}
	return all
}
