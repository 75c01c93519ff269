package status

import (
	"slices"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// landingPath is where the landing page is.
const landingPath = "/"

// landing is the first page of the exporter: where the others are, and the state of each target.
type landing struct {
	Time     time.Time
	Version  string
	Query    query
	Replica  bool // whether the metrics of targets are probed, of several replicas
	Links    []link
	Up, Down int
	Selected int           // executions of all targets
	Targets  []targetState // first those that are down
	More     int           // how many others there are
}

// link is a link of the landing page. What is relative works behind a proxy, too.
type link struct{ Href, Text, Note string }

// targetState is a row of the targets of the landing page.
type targetState struct {
	Name, Region string
	Up           *bool // nil until a refresh has ended
	LastSuccess  *time.Time
	Selected     int    // executions
	Why          string // a lookup that fails, of a target that is down
}

// Root leads from the page to where the exporter's pages are.
func (*landing) Root() string { return "" }

// Href leads to the page of the target.
func (t targetState) Href() string { return targetHref(t.Name, t.Region) }

func (h *Handler) landing() (name string, content any, err error) {
	return "landing", newLanding(h.Config, h.Snapshots(), time.Now()), nil
}

func newLanding(c Config, all []lookup.Snapshot, now time.Time) *landing {
	l := &landing{Time: now.UTC(), Version: c.Version, Replica: c.Replica, Links: links(c)}
	for i := range all {
		s := &all[i]
		t := targetState{Name: s.Name, Region: s.Region, LastSuccess: optionalTime(s.LastSuccess), Selected: s.Selected()}
		if s.RefreshEnded {
			t.Up = &s.Up
		}
		l.Selected += t.Selected
		switch {
		case t.Up == nil:
		case *t.Up:
			l.Up++
		default:
			l.Down++
			if len(s.Errors) > 0 {
				t.Why = string(s.Errors[0].Class)
			}
		}
		l.Targets = append(l.Targets, t)
	}
	slices.SortStableFunc(l.Targets, func(a, b targetState) int { return a.need() - b.need() })
	shown := min(pageSize, len(l.Targets))
	l.Targets, l.More = l.Targets[:shown], len(l.Targets)-shown
	return l
}

// need orders targets by urgency: a smaller number is more urgent.
func (t targetState) need() int {
	if t.Up != nil && !*t.Up {
		return 0
	}
	return 1
}

// links returns the pages of an exporter.
func links(c Config) []link {
	all := []link{{Path[1:], "Executions", "failed builds and why, waiting steps, pipelines, executions, targets; also as JSON"}}
	metrics := strings.TrimPrefix(c.MetricsPath, "/")
	if c.Replica {
		all = append(all, link{metrics, "Metrics", "of this replica only; those of targets are at /probe"},
			link{"sd", "Service discovery", "which replica Prometheus probes for each target"})
	} else {
		all = append(all, link{metrics, "Metrics", "what Prometheus scrapes; a request looks up what is due"})
	}
	all = append(all, link{"-/healthy", "Healthy", "whether the process is alive"}, link{"-/ready", "Ready", "whether it is ready for requests"})
	if c.Pprof {
		all = append(all, link{"debug/pprof/", "Profiles", "Go profiles from net/http/pprof"})
	}
	return all
}
