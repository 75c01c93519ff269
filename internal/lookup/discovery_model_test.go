package lookup

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/schedule"
)

// TestDiscoveryModel plays random histories of an account, of failures, time and
// scrapes, and holds at every scrape what must never be otherwise; at last, without
// failures, that everything is known, that what has ended is asked for no more, and
// that nothing is left over.
func TestDiscoveryModel(t *testing.T) {
	for seed := range (*modelSeeds + 1) / 2 { // each takes as long as several of the others
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			test(t, func(t *testing.T) {
				m := newDiscoveryModel(t, uint64(seed))
				m.play(150)
				m.end()
			})
		})
	}
}

var discoveryOperations = []string{"ListImagePipelines", "ListImagePipelineImages", "ListImageBuildVersions", "GetImage", "ListImages"}

type discoveryModel struct {
	*model // world, random numbers and faults
	*emulator.Account
	builds, most int // of a pipeline, and MaxExecutions
}

// newDiscoveryModel returns an account of four pipelines. Builds come, end, are
// retried and are deleted within four hours.
func newDiscoveryModel(t *testing.T, seed uint64) *discoveryModel {
	m := &discoveryModel{model: &model{world: newWorld(t), Rand: rand.New(rand.NewPCG(seed, 1))}, Account: &emulator.Account{}}
	m.builds = 1 + m.IntN(3)
	for p := range 4 {
		created := m.around(30)
		m.Pipelines = append(m.Pipelines, emulator.Pipeline{ARN: pipelineARN(name(p)), Created: created, Deleted: m.maybe(6, m.begin)})
	}
	for n := 1; n <= 24; n++ {
		created := m.around(240)
		i := made(name(m.IntN(4)), n, created, m.steps())
		i.Attempts[0].Fails, i.Attempts[0].Distributes = m.IntN(4) == 0, m.minutes(10)
		start := m.maybe(2, created)
		if status := i.Status(start); status == "FAILED" || status == "CANCELLED" {
			run := emulator.Run{ID: id(n + 100), Start: start, Steps: m.steps()}
			i.Attempts = append(i.Attempts, emulator.Attempt{Start: start, Runs: []emulator.Run{run}})
		}
		i.Deleted = m.maybe(4, created)
		m.Images = append(m.Images, i)
	}
	m.client.Concurrency, m.client.RateLimit, m.client.Burst = 1+m.IntN(4), []float64{0, 1, 5}[m.IntN(3)], 4
	m.target = m.discovering(m.Account, m.selection())
	return m
}

// selection returns a random one.
func (m *discoveryModel) selection() Selection {
	m.most = []int{4, 1000}[m.IntN(2)]
	s := Selection{
		Pipelines:          [][]Selector{all(m.builds), all(m.builds), {{Name: regexp.MustCompile("a|b"), Builds: m.builds}}, nil}[m.IntN(4)],
		Images:             []string{account + "image/" + name(0) + "/x.x.x", account + "image/" + name(3) + "/1.0.0"}[:m.IntN(3)],
		ImageSelectors:     [][]Selector{nil, images("a|d", m.builds), images(".*", 1), append(images("[^b]", m.builds), images("d", 1)...)}[m.IntN(4)],
		WorkflowExecutions: []string{id(1), id(2)}[:m.IntN(3)],
		Steps:              []Steps{StepsNone, StepsActive, StepsAll}[m.IntN(3)],
		Waiting:            m.IntN(2) == 0, MaxExecutions: m.most,
		MinInterval: 10 * time.Second, DiscoveryInterval: 5 * time.Minute, MaxStaleness: 5 * time.Minute,
	}
	for n := m.IntN(3); n > 0 && n < len(m.Images); n += 2 {
		s.Images = append(s.Images, m.Images[n].ARN)
	}
	return s
}

func name(p int) string { return string(rune('a' + p)) }

func (m *discoveryModel) minutes(most int) time.Duration {
	return time.Duration(m.IntN(60*most)) * time.Second
}

// around returns a time around the beginning.
func (m *discoveryModel) around(most int) time.Time {
	return m.begin.Add(m.minutes(2*most) - time.Duration(most)*time.Minute)
}

// maybe returns a time after that, or never.
func (m *discoveryModel) maybe(oneIn int, after time.Time) time.Time {
	return []time.Time{after.Add(m.minutes(240)), {}}[min(1, m.IntN(oneIn))]
}

func (m *discoveryModel) steps() []emulator.Step {
	ends := func() emulator.Outcome { return emulator.Outcome(m.IntN(4)) }
	return []emulator.Step{{Takes: m.minutes(10), Waits: m.IntN(3) == 0, Ends: ends()}, {Takes: m.minutes(40), Ends: ends()}}
}

func (m *discoveryModel) play(events int) {
	operations := slices.Concat(discoveryOperations, []string{"ListWorkflowExecutions", "ListWorkflowStepExecutions", "ListWaitingWorkflowSteps"})
	faults := []http.Handler{ // not "not found", which may settle what belongs to an image that has ended
		nil, nil, emulator.Error(404, "ResourceNotFoundException", ""), emulator.Error(404, "ResourceNotFoundException", ""),
		emulator.Error(400, "ClientException", ""), emulator.Error(403, "AccessDeniedException", ""),
		emulator.Error(429, "CallRateLimitExceededException", ""), emulator.Error(500, "ServiceException", ""),
		emulator.Body(200, "application/json", ""), emulator.Hang(), emulator.Reset(""),
	}
	for range events {
		switch m.IntN(20) {
		case 0:
			m.target.Select(m.selection())
		case 1, 2, 3:
			m.failOperation(operations[m.IntN(len(operations))], faults[m.IntN(len(faults))])
		case 4, 5, 6:
			m.scrapeEvery(m.target, 10*time.Second, m.now()+m.minutes(10))
		default:
			m.at(m.now() + m.minutes(1))
			m.check(m.scrape(m.target))
		}
	}
	for _, o := range operations {
		m.failOperation(o, nil)
	}
}

// check holds the invariants, and returns the ids that are told.
func (m *discoveryModel) check(s Snapshot) map[string]bool {
	m.t.Helper()
	oldest := s.Time.Add(-m.target.c.DiscoveryInterval - m.target.c.MaxStaleness)
	found, told := 0, map[string]bool{}
	for _, e := range s.Executions {
		if told[e.ID] {
			m.t.Fatalf("at %s: %s is told twice", m.now(), e.ID)
		}
		told[e.ID] = true
		configured := m.target.configured[e.ID] != nil
		if !configured {
			found++
		}
		if e.Value == nil {
			continue
		}
		if truth, _ := m.WorkflowExecution(e.ID, e.ReadAt); truth.Status != string(e.Value.Status) {
			m.t.Fatalf("at %s: %s is told to have been %s at %s; it was %q", m.now(), e.ID, e.Value.Status, e.ReadAt, truth.Status)
		}
		if _, ok := m.WorkflowExecution(e.ID, oldest); !ok && e.ReadAt.Before(oldest) && !configured {
			m.t.Fatalf("at %s: %s is still told, and was deleted before %s", m.now(), e.ID, oldest)
		}
	}
	if found > m.most || len(s.Images) > m.most || s.Dropped > 0 && found < m.most {
		m.t.Fatalf("at %s: %d executions and %d images of at most %d, %d dropped", m.now(), found, len(s.Images), m.most, s.Dropped)
	}
	m.checkImages(s)
	m.checkStatuses(s)
	return told
}

// checkImages holds that the builds are those that discovery has read.
func (m *discoveryModel) checkImages(s Snapshot) {
	m.t.Helper()
	m.target.mu.Lock()
	defer m.target.mu.Unlock()
	oldest := s.Time.Add(-m.target.c.DiscoveryInterval - m.target.c.MaxStaleness - 10*time.Second) // a scrape decides when it begins
	may, must := map[string]bool{}, map[string]bool{}
	for _, source := range m.target.sources {
		readAt := source.ReadAt
		if !readAt.Before(s.Time) {
			return // it may have been read after the snapshot, at the same moment
		}
		of := source.Subject.ID
		if source.operation == imagebuilder.ListImageBuildVersions {
			of = path.Dir(of) // each image has one version
		}
		images := m.ImageBuilds(of, readAt)
		most, least := m.builds, m.builds
		if !source.ofPipeline() {
			least = 1
		}
		if !source.ofPipeline() && source.name == nil {
			most = 1
		}
		slices.SortFunc(images, func(a, b emulator.Image) int { return b.Created.Compare(a.Created) })
		ended := 0
		for _, i := range images {
			number := 0 // among those that have ended
			if imagebuilder.ImageStatus(i.Status(readAt)).Ended() {
				ended++
				number = ended
			}
			may[i.ARN] = may[i.ARN] || number <= most && readAt.After(oldest)
			must[i.ARN] = must[i.ARN] || number <= least && source.listed && source.Fresh(s.Time)
		}
	}
	for _, i := range s.Images {
		if !may[i.ARN] {
			m.t.Fatalf("at %s: %s is told, and was not selected", m.now(), i.ARN)
		}
		delete(must, i.ARN)
	}
	for arn, missing := range must {
		if missing && m.most == 1000 {
			m.t.Fatalf("at %s: %s is missing", m.now(), arn)
		}
	}
}

// checkStatuses holds that every image was as it is told not long ago, and that only what
// was not found again and again is forgotten.
func (m *discoveryModel) checkStatuses(s Snapshot) {
	m.t.Helper()
	for _, i := range s.Images {
		truth := m.Images[slices.IndexFunc(m.Images, func(t emulator.Image) bool { return t.ARN == i.ARN })]
		was := func(ago time.Duration) string { return truth.Status(s.Time.Add(-ago)) }
		ago := time.Duration(0)
		for ; ago < 11*time.Minute && was(ago) != string(i.Status); ago += time.Second {
		}
		if ago == 11*time.Minute {
			m.t.Fatalf("at %s: %s is told to be %s; it is %s, and was %s", m.now(), i.ARN, i.Status, was(0), was(ago))
		}
	}
	m.target.mu.Lock()
	defer m.target.mu.Unlock()
	for _, b := range m.target.builds {
		m.checkForgotten(&b.Entry)
	}
	for _, l := range m.target.steps {
		m.checkForgotten(&l.Entry)
	}
}

func (m *discoveryModel) checkForgotten(e *schedule.Entry) {
	m.t.Helper()
	if forgotten(e) && e.Gone < forgottenAfter {
		m.t.Fatalf("at %s: %v is forgotten after %d times", m.now(), e.Subject, e.Gone)
	}
}

// forgotten reports whether e is not asked again because its subject was not found.
func forgotten(e *schedule.Entry) bool { return e.Settled && !e.HasAnswer }

// end holds that all is well when failures and time have ended.
func (m *discoveryModel) end() {
	m.t.Helper()
	m.scrapeEvery(m.target, 30*time.Second, m.now()+time.Hour)
	m.at(max(m.now(), 24*time.Hour))
	m.scrapeEvery(m.target, 30*time.Second, m.now()+2*time.Hour)
	before := m.operations()
	m.scrapeEvery(m.target, 30*time.Second, m.now()+time.Hour)
	for operation, n := range m.since(before) {
		// A configured execution that was deleted is asked for rarely, but for ever.
		if operation != "GetWorkflowExecution" && !slices.Contains(discoveryOperations, operation) {
			m.t.Errorf("%d %s in an hour in which everything had ended", n, operation)
		}
	}
	s := m.scrape(m.target)
	known := m.check(s)
	for _, e := range s.Executions {
		if truth, ok := m.WorkflowExecution(e.ID, s.Time); ok && (e.Value == nil || string(e.Value.Status) != truth.Status || !m.stepsForgotten(e.ID) && m.target.c.Steps.of(e.Value) != (e.Steps != nil)) {
			m.t.Errorf("%s is %s, steps: %s; told is %+v", e.ID, truth.Status, m.target.c.Steps, e)
		}
	}
	for _, i := range s.Images {
		for _, r := range m.WorkflowRuns(i.ARN, s.Time) {
			if m.most == 1000 && !known[r.ID] && !forgotten(&m.target.builds[i.ARN].Entry) {
				m.t.Errorf("%s of %s is missing", r.ID, i.ARN)
			}
		}
	}
	m.at(m.now() + 10*time.Minute) // a slow discovery goes on
	// Where nothing is asked any more, up stays what it was.
	if left := sizes(m.target); left.Refreshes > 0 || !s.Up && (m.target.pipelines != nil || len(m.target.sources) > 0) {
		m.t.Errorf("%d refreshes have not ended; up %t", left.Refreshes, s.Up)
	}
	m.target.Close()
	if left := sizes(m.target); left.Leaving > 0 || left.Pending > 0 || left.Refreshes > 0 {
		m.t.Errorf("left over: %+v", left)
	}
}

func (m *discoveryModel) stepsForgotten(id string) bool {
	l := m.target.steps[id]
	return l != nil && forgotten(&l.Entry)
}
