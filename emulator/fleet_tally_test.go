package emulator

import "time"

// tally is how many pipelines, or builds that go on, of each kind a Fleet has.
type tally map[string]int

// add counts one of a kind, if it is one.
func (n tally) add(kind string, when bool) {
	if when {
		n[kind]++
	}
}

// tallyOf looks at all pipelines at a time.
func tallyOf(api *API, now time.Time) tally {
	n := tally{}
	for _, s := range scenarios(api) {
		for _, p := range s.ImagePipelines(now) {
			n["pipelines"]++
			n.add("disabled", p.Disabled)
			n.add("scheduled", p.expression() != "" && p.nextRun(now).After(now))
			n.add("named in 60 characters", len(p.Name) >= 58 && len(p.Name) <= 60)
			n.add("with a name that is too long", len(p.Name) > 60)
			n.add("with an owner", p.Tags["owner"] != "")
			n.builds(s, &p, now)
		}
	}
	return n
}

// builds counts what has become of the builds of p.
func (n tally) builds(s Scenario, p *Pipeline, now time.Time) {
	images := newestFirst(s.ImageBuilds(p.ARN, now))
	failures, good, ended := 0, false, false
	for _, i := range images {
		state := i.stateAt(now)
		switch state.Status {
		case "AVAILABLE":
			good = true
		case "FAILED":
			if !good {
				failures++
			}
			n.add("failing", !ended)
			if !ended {
				n["failing: "+reason(state.FailureContext)]++
			}
		case "CANCELLED":
			n.add("cancelled", !ended)
		default:
			for _, r := range s.WorkflowRuns(i.ARN, now) {
				n.running(&r, now)
			}
			continue
		}
		if !ended {
			for _, r := range s.WorkflowRuns(i.ARN, now) {
				e := r.At(now)
				n.add("completed with a failed step", e.Status == "COMPLETED" && e.TotalStepsFailed > 0)
			}
		}
		ended = true
	}
	n.add("never good", !good)
	n.add("failing in a row", failures >= 3 && good)
	n.add("nearly disabled", p.AutoDisableFailures > 0 && failures == p.AutoDisableFailures-1)
	n.add("that should be disabled", p.AutoDisableFailures > 0 && failures >= p.AutoDisableFailures)
}

// running counts r if it goes on.
func (n tally) running(r *Run, now time.Time) {
	c := r.course(now)
	n.add("running", c.status == "RUNNING")
	for i, s := range c.steps {
		age, limit := now.Sub(s.start), r.Steps[i].Timeout
		n.add("waiting", s.status == "WAITING")
		n.add("near the time limit", s.status == "WAITING" && age >= limit*3/4)
		n.add("beyond the time limit", s.status == "WAITING" && age >= limit)
		n.add("running for hours", s.status == "RUNNING" && age > 4*time.Hour)
	}
}

// reason returns what kind of failure f is, in a word or two.
func reason(f *Failure) string {
	switch {
	case f.Component != nil:
		return f.Component.Phase + " component"
	case f.Distribution != nil:
		return "distribution"
	}
	return "step"
}

func scenarios(api *API) []Scenario {
	all := []Scenario{api.Scenario}
	for _, r := range api.Roles {
		all = append(all, r.Scenario)
	}
	return all
}
