package imagebuilder

import "time"

// Pipeline is one image pipeline as the API described it at one moment. A string that
// the API did not give is empty, a time is zero.
type Pipeline struct {
	ARN           string // never empty
	Name          string // as its owner wrote it, with upper case and spaces; never empty
	Platform      string
	Status        string // ENABLED, DISABLED
	Tags          map[string]string
	LastRunStatus ImageStatus // empty when it never ran
	// ConsecutiveFailures counts scheduled runs; nil when it is not given.
	ConsecutiveFailures *int
	NextRun             time.Time // zero when it is not scheduled
}

// AccountID returns the account in the pipeline's ARN, and the empty string when that is no
// ARN of a pipeline.
func (p *Pipeline) AccountID() string {
	owner, _ := splitARN(p.ARN, "image-pipeline", 1)
	return owner
}

// Enabled reports whether the pipeline is enabled. A status that the API reference does not
// have is not known.
func (p *Pipeline) Enabled() (enabled, known bool) {
	return p.Status == "ENABLED", p.Status == "ENABLED" || p.Status == "DISABLED"
}
