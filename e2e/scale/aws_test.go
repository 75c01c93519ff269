package scale

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

var regions = []string{"eu-central-1", "eu-west-1", "us-east-1"}

// aws is what there is in all accounts and regions, and who has asked about it.
type aws struct {
	accounts []string
	roles    map[string][]emulator.Role // of all accounts, by region
	running  []string                   // executions that go on, one in each account and region
	failed   []string                   // what alerts are about: an execution in each region of the first account, and its image
	gone     int                        // executions that did not begin, for the one before has failed

	mu    sync.Mutex
	asked map[question]map[int]int // how often by each replica
}

// question is one that is asked about one subject.
type question struct{ operation, subject string }

// size says how much there is in one account and region.
type size struct{ pipelines, builds int }

func newAWS(accounts int, s size) *aws {
	a := &aws{roles: map[string][]emulator.Role{}, asked: map[question]map[int]int{}}
	start := time.Now()
	for n := range accounts {
		account := fmt.Sprintf("%012d", 111122220000+n)
		a.accounts = append(a.accounts, account)
		for r, region := range regions {
			place := newPlace(account, region, (n*len(regions)+r)*s.pipelines*s.builds, s, start)
			a.running = append(a.running, place.Images[0].Attempts[0].Runs[0].ID)
			if n == 0 {
				i := &place.Images[s.builds] // the newest of the second pipeline
				i.Attempts[0].Runs[0].Steps[0].Ends = emulator.Failed
				a.failed, a.gone = append(a.failed, "WorkflowFailed "+i.Attempts[0].Runs[0].ID, "ImageFailed "+i.ARN), a.gone+2
			}
			a.roles[region] = append(a.roles[region], emulator.Role{ARN: "arn:aws:iam::" + account + ":role/reader", Scenario: place})
		}
	}
	return a
}

// newPlace returns an account in a region. The newest build of the first pipeline goes on, all
// others have ended. Each has three executions; their ids are counted from first on.
func newPlace(account, region string, first int, s size, start time.Time) *emulator.Account {
	a := &emulator.Account{}
	arn := "arn:aws:imagebuilder:" + region + ":" + account + ":"
	for p := range s.pipelines {
		name := fmt.Sprintf("p%d", p)
		pipeline := arn + "image-pipeline/" + name
		a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipeline})
		for b := range s.builds {
			created := start.Add(-time.Duration(b) * 3 * time.Hour)
			if p > 0 {
				created = created.Add(-2 * time.Hour)
			}
			var runs []emulator.Run
			for n, kind := range []string{"BUILD", "TEST", "DISTRIBUTION"} {
				runs = append(runs, emulator.Run{
					ID:   fmt.Sprintf("wf-%08x-3a62-4618-a02%d-94ddcbe32908", first+p*s.builds+b, n),
					Type: kind, Start: created.Add(time.Duration(n) * 40 * time.Minute), Steps: []emulator.Step{{Name: "Patch", Takes: 30 * time.Minute}},
				})
			}
			if p == 0 && b == 0 {
				runs[0].Steps[0].Takes = 1000 * time.Hour
			}
			a.Images = append(a.Images, emulator.Image{
				ARN: fmt.Sprintf("%simage/%s/1.0.0/%d", arn, name, s.builds-b), PipelineARN: pipeline, Created: created,
				Attempts: []emulator.Attempt{{Runs: runs}},
			})
		}
	}
	return a
}

var scope = regexp.MustCompile(`Credential=[^/]+/\d+/([a-z0-9-]+)/`)

// serve returns the URL of all regions for one replica.
func (a *aws) serve(t *testing.T, replica int) string {
	t.Helper()
	all := map[string]http.Handler{}
	for _, region := range regions {
		all[region] = &emulator.API{Scenario: emulator.Runs(), Roles: a.roles[region], Fault: func(operation, subject string) http.Handler {
			a.count(question{operation, subject}, replica)
			return nil
		}}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := scope.FindStringSubmatch(r.Header.Get("Authorization"))
		if m == nil || all[m[1]] == nil {
			http.Error(w, "no region", http.StatusForbidden)
			return
		}
		all[m[1]].ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func (a *aws) count(q question, replica int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked[q] == nil {
		a.asked[q] = map[int]int{}
	}
	a.asked[q][replica]++
}

// take returns who has asked what since the last time.
func (a *aws) take() map[question]map[int]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.asked
	a.asked = map[question]map[int]int{}
	return asked
}

// config returns the configuration of a replica that asks at url: a target for each account, and
// one that looks up an execution of the first account by its id.
func (a *aws) config(url string, t timing) string {
	return fmt.Sprintf(`
targets:
  - name: 'account-{account}'
    role_arn: 'arn:aws:iam::{account}:role/reader'
    accounts: ['%[1]s']
    regions: [%[2]s]
    pipelines: [{name: '.*', builds: 1000}]
    max_executions: 1000000
    endpoint_url: '%[3]s'
  - name: ids
    role_arn: 'arn:aws:iam::%[4]s:role/reader'
    regions: [%[8]s]
    workflow_executions: [%[5]s]
    endpoint_url: '%[3]s'
lookup: {min_interval: %[6]s, discovery_interval: %[7]s}
`, strings.Join(a.accounts, "', '"), strings.Join(regions, ", "), url, a.accounts[0], a.running[0], model.Duration(t.lookup), model.Duration(5*t.lookup), regions[0])
}
