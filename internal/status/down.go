package status

import "net/url"

// down is a target at the top of the page that cannot be reached.
type down struct {
	Target     string
	Href       string // leads to the page of the target
	ErrorClass string // of a lookup that fails, empty for none
	Error      string
}

func newDown(k *known, t *targetSection) down {
	d := down{Target: t.Name + " " + t.Region, Href: t.Href()}
	if len(k.Errors) > 0 {
		d.ErrorClass, d.Error = string(k.Errors[0].Class), k.Errors[0].Reason
		return d
	}
	for _, e := range k.rows {
		if e.ErrorClass != "" {
			d.ErrorClass, d.Error = e.ErrorClass, e.Error
			break
		}
	}
	return d
}

// Href leads to the page of the target: that of all executions, filtered.
func (t *targetSection) Href() string { return targetHref(t.Name, t.Region) }

func targetHref(name, region string) string {
	return "executions?" + url.Values{"target": {name}, "region": {region}}.Encode()
}

// Problems are those lookups that fail which the page shows, and the number of the others. With
// several targets it shows few of each.
func (t *targetSection) Problems() notices[lookupError] {
	n := notices[lookupError]{t.Errors, len(t.Errors) + t.MoreErrors}
	n.First = n.First[:min(len(n.First), t.maxShown())]
	return n
}

// maxShown is how many lookups that fail, and how many selectors that match nothing, the page
// shows of a target.
func (t *targetSection) maxShown() int {
	if len(t.Page.Targets) > 1 {
		return 3
	}
	return maxProblems
}
