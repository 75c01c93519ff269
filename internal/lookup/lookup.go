// Package lookup follows the executions of a target, keeps what Image Builder reports about them, and
// records how current that is.
//
// A Target is one target in one region. It follows what its Selection selects:
//
//   - Executions selected by id are looked up one by one. A settled execution, which has ended and
//     has an end time, is not looked up again.
//   - Discovery lists pipelines and image builds every discovery_interval, or as often as its rate
//     allows (see pace). The executions of a build are read in one list, until the image and all of
//     its executions have ended.
//   - Steps are looked up for the executions that Steps selects, and waiting steps while an
//     execution may wait.
//
// Each of these is a question of package schedule, which decides when to ask it: only during a
// scrape, one lookup per question at a time, and with back-off while it fails. While it fails, the
// last known values are published until max_staleness after they were due again, and never after
// "not found".
//
// The question that was asked stores its answer. derive computes what depends on many answers (the
// list of executions, what max_executions drops, imagebuilder_up), once for all answers of a
// refresh. A Snapshot only reads.
//
// The package does not know how to ask: requests and rate limits belong to package imagebuilder.
// Start reading with Target, then question.go and derive.go.
package lookup

import (
	"context"
	"sync"
	"time"

	"github.com/go-kit/log"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/schedule"
)

// Client is what a Target asks. Its errors have the classes of package imagebuilder.
// Every method but Authenticate calls started when its first request gets its turn on
// the wire.
type Client interface {
	Authenticate(ctx context.Context) error
	ExecutionsClient
	SelectionClient
}

// ExecutionsClient reads the progress of workflow executions.
type ExecutionsClient interface {
	GetWorkflowExecution(ctx context.Context, id string, started func()) (imagebuilder.Execution, error)
	ListWorkflowExecutions(ctx context.Context, imageBuildVersionARN string, started func()) ([]imagebuilder.Execution, error)
	ListWorkflowStepExecutions(ctx context.Context, id string, started func()) ([]imagebuilder.Step, error)
	ListWaitingWorkflowSteps(ctx context.Context, started func()) ([]imagebuilder.WaitingStep, error)
	GetWorkflowStepExecution(ctx context.Context, id string, started func()) (timeout time.Time, err error)
}

// SelectionClient lists pipelines and image builds.
type SelectionClient interface {
	ListImagePipelines(ctx context.Context, started func()) ([]imagebuilder.Pipeline, error)
	ListImagePipelineImages(ctx context.Context, pipelineARN string, started func()) ([]imagebuilder.Image, error)
	ListImageBuildVersions(ctx context.Context, imageVersionARN string, started func()) ([]imagebuilder.Image, error)
	GetImage(ctx context.Context, imageBuildVersionARN string, started func()) (imagebuilder.Image, error)
	ListImages(ctx context.Context, started func()) ([]imagebuilder.ImageVersion, error)
}

var _ Client = (*imagebuilder.Client)(nil)

// Config is the configuration of a Target.
type Config struct {
	Name, Region string // the labels "target" and "region"

	Selection

	Client Client
	Logger log.Logger
	Panics interface{ Inc() } // counts recovered panics; nil means do not count
}

// Selection says what is looked up, and how often. Nothing is asked that it does not
// need.
type Selection struct {
	WorkflowExecutions []string   // ids in lower case, each once
	Pipelines          []Selector // a pipeline is followed when one of them matches
	Images             []string   // ARNs that imagebuilder.ParseImageARN accepts, each once
	ImageSelectors     []Selector // builds of an image are followed when one of them matches

	Steps   Steps // whose steps are looked up; empty for none
	Waiting bool  // whether steps that wait are looked up, and when they give up

	TagLabels []string // keys of pipelines' tags that are published

	MaxExecutions     int           // of those that are found, at least 1
	MinInterval       time.Duration // above 0
	DiscoveryInterval time.Duration // above 0
	DiscoveryRate     float64       // requests a second that discovery gets, 0 for no limit
	DiscoverySlots    int           // how many it has on the wire at a time, at least 1
	MaxStaleness      time.Duration // at least 0
}

// Target looks up the executions of one target in one region and knows the answers.
// Its methods may be called concurrently. Its memory is bounded by what is configured,
// and by how many builds the selected pipelines have.
type Target struct {
	c        Config
	schedule *schedule.Scheduler
	scrapes  question // never asked: panics of scrapes are reported about it

	mu         sync.Mutex             // guards what follows, the schedule, and c.Selection
	configured map[string]*configured // by execution id
	pipelines  *pipelineList          // nil when no pipeline is selected
	images     *versionList           // nil without selectors of images
	sources    map[string]*source     // of builds, by the ARN that is asked about
	builds     map[string]*build      // by ARN
	made       map[string]madeBuild   // all builds of the selected pipelines, by ARN; empty without configured executions
	steps      map[string]*stepList   // by execution id
	waiting    *waitingList           // nil when it is not asked for
	reach      reach
	derived    derived
	pace       pace
	answerTime time.Duration // how long an answer of discovery takes, on average; 0 for not known
	// paceReported is set once the log says that discovery does not fit its interval.
	paceReported bool
}

// New returns a Target that has not looked anything up. Close ends it.
func New(c Config) *Target {
	t := &Target{
		c: c, reach: newReach(),
		configured: map[string]*configured{}, sources: map[string]*source{}, builds: map[string]*build{},
		made: map[string]madeBuild{}, steps: map[string]*stepList{},
	}
	t.scrapes = newQuestion(t, "Lookup", "")
	t.schedule = schedule.New(schedule.Config{
		Mutex: &t.mu, Before: t.authenticate, Ended: t.derive, Panics: c.Panics,
		Logger: log.With(c.Logger, "target", c.Name, "region", c.Region),
	})
	t.c.Selection = Selection{}
	t.Select(c.Selection)
	return t
}

// Close ends all lookups and waits until they have ended. The Target must not be
// used after it.
func (t *Target) Close() { t.schedule.Close() }

// authenticate makes sure that there are credentials. A panic is a failure to get them.
func (t *Target) authenticate(ctx context.Context) (err error) {
	if p := t.schedule.Contain(func() { err = t.c.Client.Authenticate(ctx) }); p != nil {
		return &imagebuilder.Error{Operation: imagebuilder.Authenticate, Class: imagebuilder.Denied, Err: p}
	}
	return err
}

// discoveryWait is how long a scrape waits for a discovery when everything else is there
// and the selection is known. What the discovery finds later, the next scrape has.
const discoveryWait = time.Second

// Lookup looks up what is due, waits for it until ctx ends, and returns what is
// known then. After a panic it is not known whether anything else is true, so the Snapshot
// says nothing but that the target is down.
func (t *Target) Lookup(ctx context.Context) Snapshot {
	return t.contain(func() Snapshot {
		t.wait(ctx, t.refresh(time.Now()))
		t.mu.Lock()
		defer t.mu.Unlock()
		now := time.Now()
		t.derive(now)
		t.deriveSuperseded()
		t.deriveSettled(now)
		s := t.snapshot(now)
		t.schedule.Report(&t.scrapes.Entry, schedule.Verdict{}, now) // neither has panicked
		return s
	})
}

// Known returns what t knows. It asks nothing, and changes nothing that is asked. After a
// panic that is nothing.
func (t *Target) Known() Snapshot {
	return t.contain(func() Snapshot {
		t.mu.Lock()
		defer t.mu.Unlock()
		now := time.Now()
		t.deriveSuperseded()
		t.deriveSettled(now)
		return t.snapshot(now)
	})
}

// contain returns what f returns or, after a panic, an empty Snapshot.
func (t *Target) contain(f func() Snapshot) (s Snapshot) {
	err := t.schedule.Contain(func() { s = f() })
	if err == nil {
		return s
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.unsettleAll() // it may be half done
	t.schedule.Report(&t.scrapes.Entry, t.scrapes.Judge(err, now), now)
	return Snapshot{Name: t.c.Name, Region: t.c.Region, Time: now}
}

// refresh queues what is due and returns what a scrape waits for.
func (t *Target) refresh(now time.Time) *schedule.Refresh {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paceDiscovery(now)
	t.updateFreshness(now)
	t.derive(now)
	t.unsettleChanged(now)
	t.pauseSteps(now)
	return t.schedule.Refresh(now)
}

// wait waits for a refresh until ctx ends, and for its discovery as discoveryWait says.
func (t *Target) wait(ctx context.Context, r *schedule.Refresh) {
	select {
	case <-r.Done():
		return
	case <-ctx.Done():
		return
	case <-r.ForegroundDone():
	}
	if t.selectionTried() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, discoveryWait)
		defer cancel()
	}
	select {
	case <-r.Done():
	case <-ctx.Done():
	}
}

// selectionTried reports whether everything that the selection is read with has been
// tried at least once.
func (t *Target) selectionTried() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for q := range t.discoveries {
		if !q.LookedUp && !q.Paused {
			return false
		}
	}
	return true
}
