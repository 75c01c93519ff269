package promqltest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// kind is what has statuses of one table: executions, images or steps.
type kind struct {
	name    string
	metrics *regexp.Regexp // whose label status it is
	all     []string       // also UNKNOWN, where a state set has it
	lists   []list         // that queries may ask for
}

// list is what some of the statuses of a kind have in common.
type list struct {
	fact     string
	statuses []string
}

// kinds has the kinds, and of each all lists that queries ask for. Those that pick out a
// status say which; the others follow from the tables of package imagebuilder.
func kinds() []kind {
	type status = imagebuilder.Status
	type image = imagebuilder.ImageStatus
	executions, images, steps := imagebuilder.Statuses(), imagebuilder.ImageStatuses(), imagebuilder.StepStatuses()
	return []kind{
		{"executions", regexp.MustCompile(`^imagebuilder[_:]workflow_execution[_:]`), append(texts(executions), "UNKNOWN"), []list{
			those("final", executions, status.Final),
			those("failed", executions, status.Failed),
			those("active", executions, status.Active),
			those("active or failed", executions, func(s status) bool { return s.Active() || s.Failed() }),
			those("good or failed", executions, func(s status) bool { return s.Good() || s.Failed() }),
			those("good or skipped", executions, func(s status) bool { return s.Good() || s == "SKIPPED" }),
			those("final and not skipped", executions, func(s status) bool { return s.Final() && s != "SKIPPED" }),
		}},
		{"images", regexp.MustCompile(`^imagebuilder[_:](image_|pipeline_last_run_status)`), append(texts(images), "UNKNOWN"), []list{
			those("final", images, image.Ended),
			those("not final", images, func(s image) bool { return !s.Ended() }),
			those("good", images, image.Good),
			those("good, or deleted since", images, func(s image) bool { return s.Good() || s == "DELETED" }),
		}},
		{"steps", regexp.MustCompile(`^imagebuilder_workflow_step_`), texts(steps), []list{
			those("active, waiting or failed", steps, func(s status) bool {
				return s.Active() || s.Failed() || s == imagebuilder.StatusWaiting
			}),
		}},
	}
}

func texts[S ~string](all []S) []string {
	list := make([]string, len(all))
	for i, s := range all {
		list[i] = string(s)
	}
	return list
}

func those[S ~string](fact string, all []S, holds func(S) bool) list {
	return list{fact, texts(slices.DeleteFunc(slices.Clone(all), func(s S) bool { return !holds(s) }))}
}

// CheckStatuses holds that an expression asks only for statuses that there are: one, or a
// whole list of those that have something in common, or, each by itself, all. where says
// where the expression stands.
func CheckStatuses(t *testing.T, where, expr string) {
	t.Helper()
	for _, k := range kinds() {
		single := map[string]bool{}
		for _, asked := range k.asked(expr) {
			if len(asked) > 1 {
				k.checkList(t, where, asked)
				continue
			}
			single[asked[0]] = true
			if !slices.Contains(k.all, asked[0]) {
				t.Errorf("%s asks for the status %s, which %s do not have", where, asked[0], k.name)
			}
		}
		if len(single) > 2 {
			k.checkAll(t, where, single)
		}
	}
}

// asked returns the statuses of each matcher in an expression that compares the status of
// this kind.
func (k *kind) asked(expr string) (all [][]string) {
	for _, s := range selectors(comment.ReplaceAllString(expr, "")) {
		for _, m := range s.matchers {
			if m.label == "status" && k.metrics.MatchString(s.metric) {
				all = append(all, strings.Split(m.value, "|"))
			}
		}
	}
	return all
}

// checkList holds that statuses are all that have a fact in common.
func (k *kind) checkList(t *testing.T, where string, statuses []string) {
	t.Helper()
	nearest, missing, surplus := "", []string(nil), []string(nil)
	for i, l := range k.lists {
		m, s := without(l.statuses, statuses), without(statuses, l.statuses)
		if i == 0 || len(m)+len(s) < len(missing)+len(surplus) {
			nearest, missing, surplus = l.fact, m, s
		}
	}
	if len(missing)+len(surplus) > 0 {
		t.Errorf("%s lists %s of %s; those that are %s: missing %q, too much %q",
			where, strings.Join(statuses, "|"), k.name, nearest, missing, surplus)
	}
}

// checkAll holds that statuses are all of this kind. Others may be among them.
func (k *kind) checkAll(t *testing.T, where string, statuses map[string]bool) {
	t.Helper()
	for _, s := range k.all {
		if !statuses[s] {
			t.Errorf("%s: %s is missing, a status of %s", where, s, k.name)
		}
	}
}

// without returns those of all that are not among others.
func without(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(others, s) })
}

// CheckShown holds that names, which a panel maps or colours, have every status that its
// expressions can show: all of those that the first metric with a status has, or those that an
// expression asks for. Names of which none is a status are something else.
func (l Labels) CheckShown(t *testing.T, where string, names, exprs []string) {
	t.Helper()
	shown := map[string]bool{}
	for _, name := range names {
		shown[name] = true
	}
	if !slices.ContainsFunc(kinds(), func(k kind) bool { return len(without(names, k.all)) < len(names) }) {
		return
	}
	expr := strings.Join(exprs, "\n")
	for _, metric := range seriesName.FindAllString(expr, -1) {
		i := slices.IndexFunc(kinds(), func(k kind) bool { return k.metrics.MatchString(metric) })
		if i < 0 || !l[metric]["status"] {
			continue
		}
		k := kinds()[i]
		if !slices.ContainsFunc(k.asked(expr), func(asked []string) bool { return len(asked) > 1 && same(asked, names) }) {
			k.checkAll(t, where, shown)
		}
		k.checkKnown(t, where, names)
		return
	}
	t.Errorf("%s: its expressions have no statuses", where)
}

func same(a, b []string) bool { return len(without(a, b))+len(without(b, a)) == 0 }

// checkKnown holds that names are statuses of some kind.
func (k *kind) checkKnown(t *testing.T, where string, names []string) {
	t.Helper()
	for _, other := range kinds() {
		names = without(names, other.all)
	}
	for _, name := range names {
		t.Errorf("%s: %s is no status of %s, nor of anything else", where, name, k.name)
	}
}
