package emulator

import (
	"cmp"
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

// stateAt returns the status and the reason that the API shows.
func (i *Image) stateAt(now time.Time) (status, reason string) {
	status = "AVAILABLE"
	if len(i.Attempts) > 0 {
		n := i.attempt(now)
		if n < 0 {
			return "PENDING", ""
		}
		status, reason = i.Attempts[n].stateAt(now)
	}
	if status == "AVAILABLE" && !i.Deprecated.IsZero() && !now.Before(i.Deprecated) {
		status = "DEPRECATED"
	}
	return status, reason
}

// stateAt returns the state of an image whose latest attempt is a.
func (a *Attempt) stateAt(now time.Time) (status, reason string) {
	started, ended, going := false, a.Start, map[string]bool{}
	for n := range a.Runs {
		r := &a.Runs[n]
		if !a.has(r, now) {
			continue
		}
		c := r.course(now)
		switch c.status {
		case "FAILED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETED":
			return "FAILED", cmp.Or(a.Reason, "Workflow Execution ID '"+r.ID+"' failed with reason: "+c.message)
		case "CANCELLED":
			return "CANCELLED", cmp.Or(a.Reason, c.message)
		case "PENDING", "RUNNING":
			going[cmp.Or(r.Type, "BUILD")] = true
		}
		started = started || c.status != "PENDING"
		if c.end.After(ended) {
			ended = c.end
		}
	}
	distributed := !now.Before(ended.Add(a.Distributes))
	switch {
	case len(going) > 0 && !started:
		return "PENDING", ""
	case going["BUILD"]:
		return "BUILDING", ""
	case going["TEST"]:
		return "TESTING", ""
	case len(going) > 0 || !distributed && started:
		return "DISTRIBUTING", ""
	case !distributed:
		return "CREATING", ""
	case a.Fails:
		return "FAILED", cmp.Or(a.Reason, "The image could not be distributed.")
	}
	return "AVAILABLE", ""
}

// has reports whether r, a run of a, is there once the attempt has begun: it is not
// when another one has failed, or was cancelled, before it started.
func (a *Attempt) has(r *Run, now time.Time) bool {
	if r.Skipped {
		return true
	}
	var first time.Time
	for n := range a.Runs {
		if at := a.Runs[n].course(now).broke; !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() || !r.Start.IsZero() && r.Start.Before(first) {
		return true
	}
	return r.course(now).broke.Equal(first)
}

// arnName returns the name in the ARN of a pipeline or an image.
func arnName(arn string) string {
	parts := strings.Split(arnPart(arn, 5), "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

// arnVersion returns the version in the ARN of an image, with the build if it has one.
func arnVersion(arn string) string {
	version := strings.TrimPrefix(arn, arnUnversioned(arn))
	return strings.TrimPrefix(version, "/")
}

// arnUnversioned returns the ARN of an image without its version.
func arnUnversioned(arn string) string {
	parts := strings.SplitN(arn, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// Status returns the status that the API shows at that time.
func (i Image) Status(now time.Time) string {
	status, _ := i.stateAt(now)
	return status
}
