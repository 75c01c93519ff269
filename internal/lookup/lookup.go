// Package lookup decides what to ask Image Builder and when, and remembers the
// answers, so that a scrape is never late, costs little, and says how true it is.
//
// The rules, for one target in one region:
//
//   - The scrape drives everything: without scrapes nothing is asked.
//   - Everything is asked by an entry. An execution is due when its last lookup began
//     min_interval ago. One that is settled, because it has ended and says when, is
//     never due again. The executions of an image build are read in one list, until
//     the image and all of them have ended.
//   - Discovery reads which pipelines and builds there are, every discovery_interval,
//     in a lane of its own beside the scrapes. It decides which builds are followed.
//   - All scrapes share one lookup of an entry. A scrape waits for what is due
//     until its own deadline; the lookup goes on, and the next scrape has its result.
//   - While lookups fail the last known values are published, but not longer than
//     max_staleness after they were due again, and never after "not found".
//   - What can wait is asked for ever more rarely while it fails: what is not found or a
//     bad request, builds that have ended, discovery, and what is optional.
//   - When more is due than the limits let through, whoever was not seen for the
//     longest time goes first.
//
// How to ask, and how hard the API may be pressed, is the business of package
// imagebuilder.
package lookup

import (
	"context"
	"sync"
	"time"

	"github.com/go-kit/log"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// Client is what a Target asks. Its errors have the classes of package imagebuilder.
// Every method but Authenticate calls started when its first request gets its turn on
// the wire.
type Client interface {
	Authenticate(ctx context.Context) error
	ExecutionsClient
	SelectionClient
}

// ExecutionsClient tells how far workflow executions have come.
type ExecutionsClient interface {
	GetWorkflowExecution(ctx context.Context, id string, started func()) (imagebuilder.Execution, error)
	ListWorkflowExecutions(ctx context.Context, imageBuildVersionARN string, started func()) ([]imagebuilder.Execution, error)
	ListWorkflowStepExecutions(ctx context.Context, id string, started func()) ([]imagebuilder.Step, error)
	ListWaitingWorkflowSteps(ctx context.Context, started func()) ([]imagebuilder.WaitingStep, error)
}

// SelectionClient tells which pipelines and image builds there are.
type SelectionClient interface {
	ListImagePipelines(ctx context.Context, started func()) ([]imagebuilder.Pipeline, error)
	ListImagePipelineImages(ctx context.Context, pipelineARN string, started func()) ([]imagebuilder.Image, error)
	ListImageBuildVersions(ctx context.Context, imageVersionARN string, started func()) ([]imagebuilder.Image, error)
	GetImage(ctx context.Context, imageBuildVersionARN string, started func()) (imagebuilder.Image, error)
}

var _ Client = (*imagebuilder.Client)(nil)

// Config says what a Target looks up, and with what.
type Config struct {
	Name, Region string // the labels "target" and "region"

	Selection

	Client Client
	Logger log.Logger
	Panics interface{ Inc() } // counts panics that were contained; nil for not
}

// Selection says what is looked up, and how often. Nothing is asked that it does not
// need.
type Selection struct {
	WorkflowExecutions []string   // ids in lower case, each once
	Pipelines          []Selector // a pipeline is followed when one of them matches
	Images             []string   // ARNs that imagebuilder.ParseImageARN accepts, each once

	Steps   Steps // whose steps are looked up; empty for none
	Waiting bool  // whether steps that wait are looked up

	MaxExecutions     int           // of those that are found, at least 1
	MinInterval       time.Duration // above 0
	DiscoveryInterval time.Duration // above 0
	MaxStaleness      time.Duration // at least 0
}

// Target looks up the executions of one target in one region and knows the answers.
// Its methods may be called concurrently. Its memory is bounded by what is configured,
// and by how many builds the selected pipelines have.
type Target struct {
	c       Config
	ctx     context.Context // that of all lookups
	cancel  context.CancelFunc
	running sync.WaitGroup // the dispatchers and the lookups

	mu        sync.Mutex
	lookups   lane               // of executions and steps
	discovery lane               // of the selection
	entries   map[subject]*entry // all that is asked
	leaving   map[subject]*entry // no longer asked, but queued or in flight
	born      []*entry           // new, or to be asked anew, since the last answer
	latest    *refresh           // the refresh that began last
	open      []*refresh         // the refreshes that have not ended
	outages   map[outageKey]*outage
	scrapes   *entry // never asked: what reports on scrapes are about

	configured map[string]*entry  // by execution id
	pipelines  *entry             // nil when no pipeline is selected
	sources    map[subject]*entry // of builds
	builds     map[string]*build  // by ARN
	made       map[string]string  // pipelines' ARNs by those of all their builds; empty without configured executions
	steps      map[string]*entry  // by execution id
	waiting    *entry             // nil when it is not asked for
	listed     []followed         // what list returns, nil when it is to be computed
	dropped    int                // executions that MaxExecutions leaves out

	up          bool
	ended       bool          // whether a refresh has ended
	duration    time.Duration // of the refresh that ended last
	lastSuccess time.Time     // zero for never
	wholeAt     time.Time     // when the selection was read whole, zero for never
}

// New returns a Target that has not looked anything up. Close ends it.
func New(c Config) *Target {
	t := &Target{
		c: c, latest: &refresh{},
		entries: map[subject]*entry{}, leaving: map[subject]*entry{}, outages: map[outageKey]*outage{},
		sources: map[subject]*entry{}, builds: map[string]*build{}, made: map[string]string{}, steps: map[string]*entry{},
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.scrapes = &entry{subject: subject{operation: "Lookup"}}
	t.discovery.discovery = true
	t.c.Selection = Selection{}
	t.Select(c.Selection)
	return t
}

// Close ends all lookups and waits until they have ended. The Target must not be
// used after it.
func (t *Target) Close() {
	t.cancel()
	t.running.Wait()
}

// patience is how long a scrape waits for a discovery when everything else is there
// and the selection is known. What the discovery finds later, the next scrape has.
const patience = time.Second

// Lookup looks up what is due, waits for it until ctx ends, and returns what is
// known then. After a panic it is not known whether anything else is true, so the Snapshot
// says nothing but that the target is down.
func (t *Target) Lookup(ctx context.Context) Snapshot {
	var s Snapshot
	err := t.contain(t.scrapes.operation, imagebuilder.Invalid, func() { s = t.lookUp(ctx) })
	if err != nil {
		s = Snapshot{Name: t.c.Name, Region: t.c.Region, Time: time.Now()}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.listed = nil // it may be half a list
	}
	t.report(t.scrapes, err, s.Time)
	return s
}

func (t *Target) lookUp(ctx context.Context) Snapshot {
	r := t.refresh(time.Now())
	select {
	case <-r.done:
	case <-ctx.Done():
	case <-r.lookedUp:
		if t.selectionKnown() {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, patience)
			defer cancel()
		}
		select {
		case <-r.done:
		case <-ctx.Done():
		}
	}
	s := t.snapshot(time.Now())
	t.mu.Lock()
	defer t.mu.Unlock()
	s.Up = s.Up && !r.blind()
	return s
}

// selectionKnown reports whether everything that the selection is read with has been
// tried at least once.
func (t *Target) selectionKnown() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.discoveries() {
		if !e.lookedUp && !e.paused {
			return false
		}
	}
	return true
}

// add makes t ask a question. When the last question about the subject is still being
// asked, that one's answer counts.
func (t *Target) add(s subject, q question) *entry {
	e := t.leaving[s]
	if e == nil {
		e = &entry{subject: s}
	} else {
		delete(t.leaving, s)
	}
	if e.gone {
		e.gone, e.since = false, t.latest.n+1
	}
	e.question, e.lane = q, &t.lookups
	e.interval, e.retry = t.c.MinInterval, t.c.MinInterval
	e.optional, e.patient, e.paused = false, false, false
	t.entries[s] = e
	t.awaken(e)
	return e
}

func (t *Target) addOptional(s subject, q question) *entry {
	e := t.add(s, q)
	e.optional, e.patient = true, true
	return e
}

// awaken makes t look whether e is due when the answer that is being taken in has
// been. The scrapes that have waited for that answer then wait for e's, too.
func (t *Target) awaken(e *entry) { t.born = append(t.born, e) }

// dismiss ends a question and forgets what is known. The caller holds t.mu.
func (t *Target) dismiss(e *entry) {
	delete(t.entries, e.subject)
	t.leave(e.outage)
	if e.pending {
		t.release(e, time.Now(), func(r *refresh) {
			if !e.optional {
				r.lookups--
			}
		})
		t.leaving[e.subject] = e
	}
	e.gone, e.knowledge = true, knowledge{}
}
