package emulator

import (
	"cmp"
	"sync"
	"time"
)

// Account is the usual Scenario, and the one that callers can change. Its fields must not
// change once it is used.
type Account struct {
	Pipelines []Pipeline
	Images    []Image // with and without a pipeline
	Runs      []Run   // executions in addition to those of Images; of two with the same id, the last one counts

	mu    sync.Mutex
	index *index // made when it is first needed
}

// Runs returns the Scenario of these runs. Of two with one id, the last counts.
func Runs(runs ...Run) Scenario { return &Account{Runs: runs} }

// Pipeline is an image pipeline.
type Pipeline struct {
	ARN      string // arn:aws:imagebuilder:REGION:ACCOUNT:image-pipeline/NAME
	Name     string // may have upper case and spaces; "" for the name in the ARN
	Platform string // "" for Linux
	Tags     map[string]string
	Disabled bool      // its schedule is off: there is no next run
	Created  time.Time // visible from then on; zero: always
	Deleted  time.Time // gone from then on, which its images are not; zero: never
	NextRun  time.Time // zero: computed from Every, or not scheduled

	// The rest of the schedule, which a pipeline has if it has NextRun, Every or Expression.
	Expression          string // "" for one that goes with Every
	Timezone            string // of the expression; "" for UTC
	StartCondition      string // "" for EXPRESSION_MATCH_ONLY
	AutoDisableFailures int    // the policy disables it after so many failures in a row; 0 for none. Disabled says whether it has

	LogGroup      string // of the pipeline; "" for none that is given, like the next one
	ImageLogGroup string // of its images

	// First, Every and Build make a pipeline that builds for ever: build n, counted
	// from 0, is created at First + n*Every. Build must be a pure function; what it
	// leaves empty of PipelineARN and Created is filled in.
	First time.Time
	Every time.Duration
	Build func(n int, at time.Time) Image

	// Keep is how many of these builds exist, the newest; 0 for all.
	Keep int
}

// Image is an image build version.
type Image struct {
	ARN         string // arn:aws:imagebuilder:REGION:ACCOUNT:image/NAME/VERSION/BUILD
	PipelineARN string // "" for none
	Name        string // may have upper case and spaces; "" for the name in the ARN
	Platform    string // "" for Linux
	Type        string // AMI or DOCKER; "" for AMI
	BuildType   string // USER_INITIATED, SCHEDULED, IMPORT; "" for SCHEDULED
	Tags        map[string]string
	Created     time.Time // visible from then on; zero: always
	Deleted     time.Time // gone from then on, with its executions; zero: never
	Attempts    []Attempt // the build, and what RetryImage began; none: AVAILABLE at once
	Outputs     []Output  // shown once AVAILABLE
	LogGroup    string    // "" for none that is given
	Deprecates  time.Time // the deprecationTime: only the plan; zero for none

	// What a lifecycle policy makes of an AVAILABLE image: DEPRECATED, DISABLED or DELETED
	// from then on, the last of these that has come; zero: never. It stays in the lists,
	// with its outputs.
	Deprecated, Disabled, Retired time.Time
}

// Attempt is one attempt to build an image.
type Attempt struct {
	Start time.Time // when it starts; zero means Image.Created

	// Runs are its executions. Each exists from the start of the attempt, and is PENDING until its own
	// start. When an execution fails or is cancelled, later ones are removed unless they are Skipped.
	Runs []Run

	Distributes time.Duration // DISTRIBUTING that long after the last run has ended
	Integrates  time.Duration // then INTEGRATING
	Fails       bool          // then FAILED, although all executions completed or there are none
	Reason      string        // of a failure or cancellation; "" means a default text

	// Failure is the failureContext once the attempt has failed. Nil derives it from the failed run and
	// step; without a failed run it has only the stage.
	Failure *Failure

	cancelled time.Time // when a caller did; zero for never
	retry     bool      // a caller has begun it: what the last one built is there
}

// Output is what an image became: an AMI or a container image.
type Output struct {
	Region, AMI, ContainerURI string

	// Of an AMI:
	AccountID string // whose it is; "" for the account of the image
	State     string // "" for AVAILABLE
	Reason    string // of the state
}

// exists reports whether a thing with these two times is there.
func exists(created, deleted, now time.Time) bool {
	return !now.Before(created) && (deleted.IsZero() || now.Before(deleted))
}

func (p *Pipeline) exists(now time.Time) bool { return exists(p.Created, p.Deleted, now) }

// name returns what p is called.
func (p *Pipeline) name() string {
	return cmp.Or(p.Name, arnName(p.ARN))
}

// builds returns which builds there are at that time: from the first number up to
// and without the second.
func (p *Pipeline) builds(now time.Time) (from, to int) {
	if p.Build == nil || p.Every <= 0 || now.Before(p.First) {
		return 0, 0
	}
	if !p.Deleted.IsZero() && !now.Before(p.Deleted) {
		now = p.Deleted.Add(-1)
	}
	to = max(0, int(now.Sub(p.First)/p.Every)+1)
	if p.Keep > 0 {
		from = max(0, to-p.Keep)
	}
	return from, to
}

// nextRun returns when the schedule starts the next build; zero for never.
func (p *Pipeline) nextRun(now time.Time) time.Time {
	switch {
	case p.Disabled:
		return time.Time{}
	case !p.NextRun.IsZero() || p.Every <= 0 || p.First.IsZero():
		return p.NextRun
	}
	return p.nextBuild(now)
}

// nextBuild returns when Every begins the next build after now, or p.First before that.
func (p *Pipeline) nextBuild(now time.Time) time.Time {
	if p.Every <= 0 || now.Before(p.First) {
		return p.First
	}
	return p.First.Add((now.Sub(p.First)/p.Every + 1) * p.Every)
}
