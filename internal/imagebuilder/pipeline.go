package imagebuilder

import (
	"regexp"
	"time"
)

// Pipeline is one image pipeline as the API described it at one moment. A string that
// the API did not give is empty, a time is zero.
type Pipeline struct {
	ARN           string // never empty
	Name          string // as its owner wrote it, with upper case and spaces; never empty
	Platform      string
	Status        string // ENABLED, DISABLED
	Tags          map[string]string
	LastRunStatus ImageStatus // empty when it never ran
	LastRun       time.Time   // zero when it is not given, which is so up to now
	// ConsecutiveFailures counts scheduled runs; nil when it is not given.
	ConsecutiveFailures *int
	NextRun             time.Time // zero when it is not scheduled
	Schedule            *Schedule // nil when it has none
	ImageLogGroup       string    // of the logs of its images in CloudWatch
	LogGroup            string    // of its own
}

// Schedule says when a pipeline runs.
type Schedule struct {
	Expression     string // cron(…) or rate(…)
	Timezone       string // empty means UTC
	StartCondition string
	// AutoDisableFailures is after how many failures of scheduled runs in a row AWS disables
	// the pipeline, 0 for never.
	AutoDisableFailures int
}

// AccountID returns the account in the pipeline's ARN, and the empty string when that is no
// ARN of a pipeline.
func (p *Pipeline) AccountID() string {
	owner, _ := splitARN(p.ARN, "image-pipeline", 1)
	return owner
}

// notInLabels is what the name of a label cannot have (https://prometheus.io/docs/concepts/data_model/).
var notInLabels = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// TagLabel returns the name of the label for a tag: tag_ and its key, with _ for what the name
// of a label cannot have.
func TagLabel(key string) string { return "tag_" + notInLabels.ReplaceAllString(key, "_") }

// RunSince reports whether p has another run than before, the same pipeline as it was
// described earlier: of one that has begun or ended, or of another one that is next.
func (p *Pipeline) RunSince(before *Pipeline) bool {
	return p.LastRunStatus != before.LastRunStatus || !p.LastRun.Equal(before.LastRun) || !p.NextRun.Equal(before.NextRun) ||
		!sameCount(p.ConsecutiveFailures, before.ConsecutiveFailures)
}

func sameCount(a, b *int) bool { return a == b || a != nil && b != nil && *a == *b }

// Enabled reports whether the pipeline is enabled. A status that the API reference does not
// have is not known.
func (p *Pipeline) Enabled() (enabled, known bool) {
	return p.Status == "ENABLED", p.Status == "ENABLED" || p.Status == "DISABLED"
}
