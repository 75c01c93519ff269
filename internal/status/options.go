package status

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// filter is a parameter of the page with the values to choose from.
type filter struct {
	Label, Name string
	Options     []string
	More        int    // how many are left out
	Chosen      string // empty for all
}

// options are the values of filters that there are.
type options struct{ targets, regions, statuses, pipelines map[string]bool }

func newOptions() options {
	return options{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
}

func (o options) addTarget(k *known) { o.targets[k.Name], o.regions[k.Region] = true, true }

// addRows adds what the rows of a target that is shown can be.
func (o options) addRows(k *known) {
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
		newFilter("Target", "target", o.targets, q.Target),
		newFilter("Region", "region", o.regions, q.Region),
		newFilter("Status", "status", o.statuses, q.Status),
		newFilter("Pipeline", "pipeline", o.pipelines, q.Pipeline),
	}
}

// maxOptions is how many values there are to choose from.
const maxOptions = 500

// newFilter returns a filter with the first values of set, in their order, and the chosen one in
// any case.
func newFilter(label, name string, set map[string]bool, chosen string) filter {
	delete(set, "")
	all := slices.SortedFunc(maps.Keys(set), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
	})
	n := min(maxOptions, len(all))
	f := filter{label, name, all[:n], len(all) - n, chosen}
	if chosen != "" && !slices.Contains(f.Options, chosen) {
		f.Options = append(slices.Clone(f.Options), chosen)
	}
	return f
}
