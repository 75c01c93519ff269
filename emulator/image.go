package emulator

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

func (i *Image) exists(now time.Time) bool { return exists(i.Created, i.Deleted, now) }

// attempt returns the number of the latest attempt that has begun, -1 for none.
func (i *Image) attempt(now time.Time) int {
	for n := len(i.Attempts) - 1; n >= 0; n-- {
		if !now.Before(i.Attempts[n].Start) {
			return n
		}
	}
	return -1
}

// stateAt returns the state that the API shows.
func (i *Image) stateAt(now time.Time) imageState {
	state := imageState{Status: "AVAILABLE"}
	if len(i.Attempts) > 0 {
		n := i.attempt(now)
		if n < 0 {
			return imageState{Status: "PENDING"}
		}
		state = i.Attempts[n].stateAt(now)
	}
	if state.Status != "AVAILABLE" {
		return state
	}
	for _, change := range []struct {
		status string
		at     time.Time
	}{{"DEPRECATED", i.Deprecated}, {"DISABLED", i.Disabled}, {"DELETED", i.Retired}} {
		if !change.at.IsZero() && !now.Before(change.at) {
			state.Status = change.status
		}
	}
	return state
}

// stateAt returns the state of an image whose latest attempt is a.
func (a *Attempt) stateAt(now time.Time) imageState {
	if a.wasCancelled(now) {
		return imageState{Status: "CANCELLED", Reason: "Image build was cancelled."}
	}
	started, ended, going := a.retry, a.Start, map[string]bool{}
	for n := range a.Runs {
		r := &a.Runs[n]
		if !a.has(r, now) {
			continue
		}
		c := r.course(now)
		switch c.status {
		case "FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETED":
			reason := cmp.Or(a.Reason, "Workflow Execution ID '"+r.ID+"' failed with reason: "+c.message)
			return imageState{"FAILED", reason, cmp.Or(a.Failure, r.failure())}
		case "CANCELLED":
			return imageState{Status: "CANCELLED", Reason: cmp.Or(a.Reason, c.message)}
		case "PENDING", "RUNNING":
			going[cmp.Or(r.Type, "BUILD")] = true
		}
		started = started || c.status != "PENDING"
		if c.end.After(ended) {
			ended = c.end
		}
	}
	switch {
	case len(going) > 0 && !started:
		return imageState{Status: "PENDING"}
	case going["BUILD"]:
		return imageState{Status: "BUILDING"}
	case going["TEST"]:
		return imageState{Status: "TESTING"}
	case len(going) > 0:
		return imageState{Status: "DISTRIBUTING"}
	}
	return a.stateAfter(now.Sub(ended), started)
}

// stateAfter returns the state so long after all runs of a have completed; started is false
// where nothing has been built.
func (a *Attempt) stateAfter(runs time.Duration, started bool) imageState {
	distributes, reason := "DISTRIBUTING", "The image could not be distributed."
	if !started {
		distributes = "CREATING"
	}
	switch {
	case runs < a.Distributes:
		return imageState{Status: distributes}
	case runs < a.Distributes+a.Integrates:
		return imageState{Status: "INTEGRATING"}
	case !a.Fails:
		return imageState{Status: "AVAILABLE"}
	case a.Integrates > 0:
		distributes, reason = "INTEGRATING", "The image could not be integrated."
	}
	return imageState{"FAILED", cmp.Or(a.Reason, reason), cmp.Or(a.Failure, &Failure{Stage: distributes})}
}

func (a *Attempt) wasCancelled(now time.Time) bool {
	return !a.cancelled.IsZero() && !now.Before(a.cancelled)
}

// has reports whether r, a run of a, is there once the attempt has begun: it is not
// when another one has failed, or was cancelled, before it started.
func (a *Attempt) has(r *Run, now time.Time) bool {
	if a.wasCancelled(now) && (r.Start.IsZero() || !r.Start.Before(a.cancelled)) {
		return false
	}
	return r.Skipped || !slices.ContainsFunc(a.Runs, func(other Run) bool {
		broke := other.course(now).broke
		return !broke.IsZero() && (r.Start.IsZero() || !r.Start.Before(broke)) && !broke.Equal(r.course(now).broke)
	})
}

// cutARN returns the name in the ARN of a pipeline or an image, and the version in that of an
// image, with the build if it has one.
func cutARN(arn string) (name, version string) {
	_, name, _ = strings.Cut(arn, "/")
	name, version, _ = strings.Cut(name, "/")
	return name, version
}

func arnName(arn string) string {
	name, _ := cutARN(arn)
	return name
}

func arnVersion(arn string) string {
	_, version := cutARN(arn)
	return version
}

// arnUnversioned returns the ARN of an image without its version.
func arnUnversioned(arn string) string { return strings.TrimSuffix(arn, "/"+arnVersion(arn)) }

// Status returns the status that the API shows at that time.
func (i Image) Status(now time.Time) string {
	return i.stateAt(now).Status
}
