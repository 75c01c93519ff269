package status

import "time"

// targetSection shows a target in a region.
type targetSection struct {
	Page        *page         `json:"-"`
	ID          string        `json:"-"` // within the page
	Name        string        `json:"target"`
	Region      string        `json:"region"`
	Up          *bool         `json:"up,omitempty"` // nil until a refresh has ended
	LastSuccess *time.Time    `json:"last_refresh_success,omitempty"`
	Discovered  *time.Time    `json:"last_discovery_success,omitempty"`
	Interval    *float64      `json:"discovery_interval_seconds,omitempty"` // as far as rate_limit allows
	Dropped     int           `json:"workflow_executions_dropped"`
	Selected    int           `json:"workflow_executions_selected"`
	Matching    int           `json:"workflow_executions_matching"` // those that the filters let through
	Pages       int           `json:"pages"`
	Counts      []count       `json:"-"`                   // of all that are selected, by status
	Executions  []*execution  `json:"workflow_executions"` // of the page
	Waiting     []waiting     `json:"waiting_steps,omitempty"`
	Images      []image       `json:"images,omitempty"`
	Pipelines   []*pipeline   `json:"pipelines,omitempty"`
	Selectors   []selector    `json:"selectors,omitempty"`
	Errors      []lookupError `json:"lookup_errors,omitempty"` // the first ones
	MoreErrors  int           `json:"lookup_errors_omitted,omitempty"`
	Unmatched   unmatched     `json:"-"` // selectors that match no pipeline

	ImageSelectors  []imageSelector `json:"image_selectors,omitempty"`
	UnmatchedImages unmatched       `json:"-"` // selectors that match no image

	AllImages    int `json:"images_matching"` // on all pages
	AllPipelines int `json:"pipelines_matching"`

	before int // how many executions precede those of the page
}

// newTargetSection returns the section of p that shows a target, without what filters select.
func newTargetSection(p *page, id string, k *known) *targetSection {
	t := &targetSection{
		Page: p, ID: id, Name: k.Name, Region: k.Region,
		Interval:    optionalSeconds(k.DiscoveryInterval),
		LastSuccess: optionalTime(k.LastSuccess), Discovered: optionalTime(k.DiscoveredAt),
		Dropped: k.Dropped, Selected: len(k.rows), Counts: byStatus(k.rows), MoreErrors: max(0, len(k.Errors)-maxProblems),
		Executions: []*execution{},
	}
	if k.RefreshEnded {
		t.Up = &k.Up
	}
	for _, m := range k.Selectors {
		t.Selectors = append(t.Selectors, selector{m.Selector, m.Matches})
		if m.Matches == 0 {
			t.Unmatched.add(m.Selector)
		}
	}
	for _, m := range k.ImageSelectors {
		t.ImageSelectors = append(t.ImageSelectors, imageSelector{m.Selector, m.Matches})
		if m.Matches == 0 {
			t.UnmatchedImages.add(m.Selector)
		}
	}
	for _, e := range k.Errors[:min(maxProblems, len(k.Errors))] {
		t.Errors = append(t.Errors, newLookupError(e))
	}
	return t
}

// add takes the next of the target's executions, if it is on the page.
func (t *targetSection) add(e *execution, page int) {
	if t.before < (page-1)*pageSize {
		t.before++
	} else if len(t.Executions) < pageSize {
		t.Executions = append(t.Executions, e)
	}
}

// unmatched are selectors that match nothing: the first of them, and how many more there are.
type unmatched struct {
	Selectors []string
	More      int
}

func (u *unmatched) add(selector string) {
	if len(u.Selectors) == maxProblems {
		u.More++
		return
	}
	u.Selectors = append(u.Selectors, selector)
}

// Shown returns the part of u that the page shows. With several targets it shows few of each.
func (t *targetSection) Shown(u unmatched) unmatched {
	n := min(len(u.Selectors), t.maxShown())
	return unmatched{u.Selectors[:n], u.More + len(u.Selectors) - n}
}

// maxProblems is how many lookups that fail, and how many selectors that match nothing, are
// shown of a target.
const maxProblems = 50
