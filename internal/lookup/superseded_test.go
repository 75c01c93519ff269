package lookup

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

func (f Fact) String() string {
	switch f {
	case Fact{}:
		return "-"
	case Fact{Known: true, True: true}:
		return "1"
	case Fact{Known: true}:
		return "0"
	}
	return "true though not known"
}

// supersededIn returns what a snapshot says of its executions and images, as "ID=1".
func supersededIn(s Snapshot) string {
	var all []string
	for _, e := range s.Executions {
		all = append(all, fmt.Sprintf("%s=%s", strings.TrimLeft(e.ID[3:11], "0"), e.Superseded))
	}
	for _, i := range s.Images {
		all = append(all, fmt.Sprintf("%s/%s=%s", i.Build.Name, strings.TrimPrefix(i.Build.Version, "1.0.0/"), i.Superseded))
	}
	return strings.Join(all, " ")
}

// history is builds of the pipeline web, an hour apart, up to half an hour ago.
func (w *world) history(ends ...emulator.Outcome) []emulator.Image {
	var all []emulator.Image
	for n, e := range ends {
		created := w.begin.Add(time.Duration(n-len(ends))*time.Hour + 30*time.Minute)
		i := made("web", n+1, created, steps(e))
		i.Outputs = []emulator.Output{{Region: "eu-west-1", AMI: fmt.Sprint("ami-", n)}}
		all = append(all, i)
	}
	return all
}

func TestSuperseded(t *testing.T) {
	good, failed := emulator.Succeeded, emulator.Failed
	for _, c := range []struct {
		name string
		set  func(w *world, a *emulator.Account, s *Selection)
		want string
	}{
		{"nothing newer is good", func(w *world, a *emulator.Account, _ *Selection) {
			a.Images = w.history(good, failed, failed)
		}, "1=0 2=0 3=0 web/1=0 web/2=0 web/3=0"},
		{"a newer build is good", func(w *world, a *emulator.Account, _ *Selection) {
			a.Images = w.history(failed, good, failed)
		}, "1=1 2=0 3=0 web/1=1 web/2=0 web/3=0"},
		{"a newer build completed, and its distribution failed", func(w *world, a *emulator.Account, _ *Selection) {
			a.Images = w.history(failed, good)
			a.Images[1].Attempts[0].Fails = true
		}, "1=0 2=0 web/1=0 web/2=0"},
		{"a lifecycle policy has deprecated the good one", func(w *world, a *emulator.Account, _ *Selection) {
			a.Images = w.history(failed, good)
			a.Images[1].Deprecated = w.begin
		}, "1=1 2=0 web/1=1 web/2=0"},
		{"it has disabled it", func(w *world, a *emulator.Account, _ *Selection) {
			a.Images = w.history(failed, good)
			a.Images[1].Disabled = w.begin
		}, "1=1 2=0 web/1=1 web/2=0"},
		{"it has deleted it", func(w *world, a *emulator.Account, _ *Selection) {
			a.Images = w.history(failed, good)
			a.Images[1].Retired = w.begin
		}, "1=1 2=0 web/1=1 web/2=0"},
		{"the good one is not followed", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed, good, failed)
			a.Images[0].Attempts[0].Runs[0].Steps[0].Takes = 10 * time.Hour
			s.Pipelines = all(1)
		}, "1=1 3=0 web/1=1 web/3=0"},
		{"the good one is not followed, and was deleted by a policy", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed, good, failed)
			a.Images[0].Attempts[0].Runs[0].Steps[0].Takes = 10 * time.Hour
			a.Images[1].Retired = w.begin
			s.Pipelines = all(1)
		}, "1=1 3=0 web/1=1 web/3=0"},
		{"images whose pipelines cannot be asked for now", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed)
			s.Pipelines, s.Images = nil, []string{account + "image/web/1.0.0"}
			w.failOperation("GetImage", unavailable)
		}, "1=- web/1=-"},
		{"images whose pipelines nobody may ask for", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed)
			s.Pipelines, s.Images = nil, []string{account + "image/web/1.0.0"}
			w.failOperation("GetImage", refused)
		}, "1=0 web/1=0"},
		{"an id of a test that was retried, as the list of its image tells", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(good)
			run := func(n int, after time.Duration, ends emulator.Outcome, retried bool) emulator.Run {
				return emulator.Run{
					ID: id(n), Type: "TEST", WorkflowBuildVersionARN: "arn/test", Start: a.Images[0].Created.Add(after), Steps: steps(ends), Retried: retried,
				}
			}
			a.Images[0].Attempts[0].Runs = []emulator.Run{run(1, 0, failed, true)}
			again := run(2, 10*time.Minute, good, false)
			a.Images[0].Attempts = append(a.Images[0].Attempts, emulator.Attempt{Start: again.Start, Runs: []emulator.Run{again}})
			s.WorkflowExecutions = []string{id(1)}
		}, "1=1 2=0 web/1=0"},
		{"two pipelines with one recipe", func(w *world, a *emulator.Account, _ *Selection) {
			a.Images = w.history(failed, good)
			a.Images[1].PipelineARN = pipelineARN("other")
			a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: pipelineARN("other")})
		}, "1=0 2=0 web/1=0 web/2=0"},
		{"no pipeline: the same image version", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed, good, failed)
			a.Images[0].Attempts[0].Runs[0].Steps[0].Takes = 90 * time.Minute
			for n := range a.Images {
				a.Images[n].PipelineARN = ""
			}
			s.Pipelines, s.Images = nil, []string{imageARN("web", 1), imageARN("web", 2), imageARN("web", 3)}
		}, "1=1 2=0 3=0 web/1=1 web/2=0 web/3=0"},
		{"no pipeline: another image version", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed, good)
			a.Images[1].ARN = account + "image/web/1.0.1/2"
			for n := range a.Images {
				a.Images[n].PipelineARN = ""
			}
			s.Pipelines, s.Images = nil, []string{a.Images[0].ARN, a.Images[1].ARN}
		}, "1=0 2=0 web/1=0 web/1.0.1/2=0"},
		{"the same workflow completed after RetryImage", func(w *world, a *emulator.Account, _ *Selection) {
			a.Images = w.history(failed)
			a.Images[0].Attempts[0].Runs[0].WorkflowBuildVersionARN = "arn/build"
			again := emulator.Run{ID: id(9), Type: "BUILD", WorkflowBuildVersionARN: "arn/build", Start: w.begin.Add(-10 * time.Minute), Steps: steps(good)}
			a.Images[0].Attempts = append(a.Images[0].Attempts, emulator.Attempt{Start: again.Start, Runs: []emulator.Run{again}})
		}, "1=1 9=0 web/1=0"},
		{"ids alone, of an image that was retried", func(w *world, a *emulator.Account, s *Selection) {
			image := imageARN("web", 1)
			a.Runs = []emulator.Run{
				{ID: id(1), Type: "BUILD", WorkflowBuildVersionARN: "arn/build", ImageBuildVersionARN: image, Start: w.begin.Add(-time.Hour), Steps: steps(failed)},
				{ID: id(2), Type: "BUILD", WorkflowBuildVersionARN: "arn/build", ImageBuildVersionARN: image, Start: w.begin.Add(-30 * time.Minute), Steps: steps(good)},
				{ID: id(3), Type: "BUILD", WorkflowBuildVersionARN: "arn/build", Start: w.begin.Add(-time.Hour), Steps: steps(failed)},
			}
			*s = Selection{WorkflowExecutions: []string{id(1), id(2), id(3), id(4)}}
		}, "1=1 2=0 3=0 4=-"},
		{"an id, and the pipeline that made its image", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed, good, good)
			s.WorkflowExecutions, s.Pipelines = []string{id(1)}, all(1)
		}, "1=1 3=0 web/3=0"},
		{"an id of an image of no selected pipeline", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed, good)
			a.Runs = []emulator.Run{{ID: id(8), ImageBuildVersionARN: imageARN("other", 1), Start: w.begin.Add(-time.Hour), Steps: steps(failed)}}
			s.WorkflowExecutions, s.Pipelines = []string{id(8)}, all(1)
		}, "2=0 8=0 web/2=0"},
		{"an id, and the pipelines cannot be listed for now", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed, good)
			s.WorkflowExecutions = []string{id(1)}
			w.failOperation("ListImagePipelines", unavailable)
		}, "1=-"},
		{"an id, and to list the pipelines is denied", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed, good)
			s.WorkflowExecutions = []string{id(1)}
			w.failOperation("ListImagePipelines", refused)
		}, "1=0"},
		{"an image, and its pipeline cannot be listed for now", func(w *world, a *emulator.Account, s *Selection) {
			a.Images = w.history(failed, good)
			s.Images = []string{imageARN("web", 1)}
			w.failOperation("ListImagePipelineImages", unavailable)
		}, "1=- web/1=-"},
	} {
		t.Run(c.name, func(t *testing.T) {
			test(t, func(t *testing.T) {
				w := newWorld(t)
				a, s := web(), Selection{Pipelines: all(10)}
				c.set(w, a, &s)
				target := w.discovering(a, s)
				w.scrapeEvery(target, 15*time.Second, time.Minute)
				if diff := cmp.Diff(c.want, supersededIn(w.scrape(target))); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestSupersededModel plays random builds of two pipelines with one recipe, retries, what a
// lifecycle policy does, and restarts of the exporter. What was superseded is that as long as
// it is told; at a restart it may be unknown for a while.
func TestSupersededModel(t *testing.T) {
	t.Parallel()
	for seed := range *modelSeeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			test(t, func(t *testing.T) {
				m := &discoveryModel{model: &model{world: newWorld(t), Rand: rand.New(rand.NewPCG(uint64(seed), 2))}}
				m.playSuperseded()
			})
		})
	}
}

func (m *discoveryModel) playSuperseded() {
	m.Account = &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: pipelineARN("a")}, {ARN: pipelineARN("b")}}}
	for n := 1; n <= 20; n++ {
		m.Images = append(m.Images, m.randomBuild(n))
	}
	s := Selection{Pipelines: all(1 + m.IntN(4)), Steps: StepsNone}
	if m.IntN(2) == 0 {
		s.WorkflowExecutions = []string{id(3), id(4), id(105)}
	}
	if m.IntN(2) == 0 {
		s.Pipelines[0].Name = named("a").Name // the other pipeline is found through images
		s.Images = []string{imageARN("web", 5), imageARN("web", 6)}
	}
	target, seen, known := m.discovering(m.Account, s), map[string]bool{}, 0
	for range 120 {
		if m.IntN(10) == 0 {
			target = m.discovering(m.Account, s)
		}
		m.at(m.now() + m.minutes(4))
		for _, told := range strings.Fields(supersededIn(m.scrape(target))) {
			what, value, _ := strings.Cut(told, "=")
			if value == "0" && seen[what] {
				m.t.Fatalf("at %s: %s is no longer superseded", m.now(), what)
			}
			seen[what] = seen[what] || value == "1"
			if value != "-" {
				known++
			}
		}
	}
	if known == 0 {
		m.t.Error("nothing is known")
	}
}

// randomBuild returns a build of one of two pipelines, with a retry where it fails.
func (m *discoveryModel) randomBuild(n int) emulator.Image {
	created := m.begin.Add(time.Duration(n*12-60) * time.Minute)
	i := made("web", n, created, m.steps())
	i.PipelineARN = pipelineARN(name(m.IntN(2)))
	i.Attempts[0].Runs[0].WorkflowBuildVersionARN = "arn/build"
	i.Outputs = []emulator.Output{{Region: "eu-west-1", AMI: "ami-1"}}
	if start := created.Add(time.Hour); i.Status(start) == "FAILED" {
		run := emulator.Run{ID: id(n + 100), Type: "BUILD", WorkflowBuildVersionARN: "arn/build", Start: start, Steps: m.steps()}
		i.Attempts = append(i.Attempts, emulator.Attempt{Start: start, Runs: []emulator.Run{run}})
	}
	i.Deprecated, i.Disabled, i.Retired = m.maybe(3, created), m.maybe(3, created), m.maybe(3, created)
	return i
}
