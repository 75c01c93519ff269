package lookup

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

const account = "arn:aws:imagebuilder:eu-west-1:111122223333:"

// imageARN returns the ARN of build n of the image of that name.
func imageARN(name string, n int) string { return fmt.Sprintf(account+"image/%s/1.0.0/%d", name, n) }

func pipelineARN(name string) string { return account + "image-pipeline/" + name }

// steps is one step for each outcome, a minute each.
func steps(ends ...emulator.Outcome) []emulator.Step {
	var all []emulator.Step
	for n, e := range ends {
		all = append(all, emulator.Step{Name: fmt.Sprintf("Step%d", n), Action: "ExecuteBash", Takes: time.Minute, Ends: e})
	}
	return all
}

// made returns build n of a pipeline, which makes the image of its name: an attempt
// with one BUILD execution, with the id of n, that has these steps.
func made(pipeline string, n int, created time.Time, s []emulator.Step) emulator.Image {
	return emulator.Image{
		ARN: imageARN(pipeline, n), PipelineARN: pipelineARN(pipeline), Created: created,
		Attempts: []emulator.Attempt{{Runs: []emulator.Run{{ID: id(n), Type: "BUILD", Start: created, Steps: s}}}},
	}
}

// web returns an account with one pipeline of that name, and these images.
func web(images ...emulator.Image) *emulator.Account {
	return &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web")}}, Images: images}
}

// discovering returns a Target that selects as c says.
func (w *world) discovering(a *emulator.Account, c Selection) *Target {
	w.t.Helper()
	w.Scenario = a
	if c.MaxExecutions == 0 {
		c.MaxExecutions = 1000
	}
	return w.targetWith(c)
}

// all selects every pipeline.
func all(builds int) []Selector {
	return []Selector{{Name: regexp.MustCompile(`\A(?:.*)\z`), Builds: builds}}
}

// told returns what a snapshot says, in words: executions, then images.
func told(s Snapshot) []string {
	var lines []string
	for _, e := range s.Executions {
		status := "-"
		if e.Value != nil {
			status = string(e.Value.Status)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", e.ID[3:11], status, e.Pipeline, e.Failure)))
	}
	for _, i := range s.Images {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s/%s %s %s", i.Build.Name, i.Build.Version, i.Status, i.Pipeline)))
	}
	return lines
}

func (w *world) expect(target *Target, what string, want ...string) Snapshot {
	w.t.Helper()
	s := w.scrape(target)
	if diff := cmp.Diff(want, told(s)); diff != "" {
		w.t.Errorf("after %s, %s (-want +got):\n%s", w.now(), what, diff)
	}
	return s
}

// operations returns how many requests there were, by operation.
func (w *world) operations() map[string]int {
	counts := map[string]int{}
	for _, operation := range []string{
		"GetWorkflowExecution", "ListWorkflowExecutions", "ListWorkflowStepExecutions", "GetWorkflowStepExecution",
		"ListWaitingWorkflowSteps", "ListImagePipelines", "ListImagePipelineImages", "ListImageBuildVersions", "GetImage", "ListImages", "AssumeRole",
	} {
		if n := w.Requests(operation); n > 0 {
			counts[operation] = n
		}
	}
	return counts
}

// since returns how many requests there were since before.
func (w *world) since(before map[string]int) map[string]int {
	now := w.operations()
	for operation, n := range before {
		if now[operation] -= n; now[operation] == 0 {
			delete(now, operation)
		}
	}
	return now
}

func TestTheLifeOfABuild(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		at := func(d time.Duration) time.Time { return w.begin.Add(d) }
		second := made("web", 2, at(10*time.Minute), steps(emulator.Succeeded, emulator.Failed))
		second.Attempts = append(second.Attempts, emulator.Attempt{
			Start: at(30 * time.Minute), Runs: []emulator.Run{{ID: id(3), Type: "BUILD", Start: at(30 * time.Minute), Steps: steps(emulator.Succeeded)}},
		})
		second.Deleted = at(60 * time.Minute)
		target := w.discovering(&emulator.Account{
			Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web"), Name: "Web Server"}},
			Images: []emulator.Image{
				made("web", 0, at(-2*time.Hour), steps(emulator.Succeeded)),
				made("web", 1, at(-time.Hour), steps(emulator.Failed)),
				second,
			},
		}, Selection{Pipelines: all(1), Steps: StepsActive})
		w.expect(target, "the newest that has ended",
			"00000001 FAILED Web Server", "web/1.0.0/1 FAILED Web Server")
		w.scrapeEvery(target, 15*time.Second, 10*time.Minute)
		w.at(10*time.Minute + 15*time.Second)
		w.scrapeEvery(target, 15*time.Second, 15*time.Minute)
		w.expect(target, "the failed one is still there while the next one runs, and fails",
			"00000002 FAILED Web Server", "web/1.0.0/2 FAILED Web Server")
		w.scrapeEvery(target, 15*time.Second, 30*time.Minute+30*time.Second)
		w.scrapeEvery(target, 15*time.Second, 36*time.Minute)
		w.expect(target, "it was retried",
			"00000002 FAILED Web Server", "00000003 COMPLETED Web Server", "web/1.0.0/2 AVAILABLE Web Server")
		before := w.operations()
		w.scrapeEvery(target, 15*time.Second, 56*time.Minute)
		want := map[string]int{"ListImagePipelines": 4, "ListImagePipelineImages": 4}
		if diff := cmp.Diff(want, w.since(before)); diff != "" {
			t.Errorf("requests in 20 minutes in which nothing runs (-want +got):\n%s", diff)
		}
		w.scrapeEvery(target, 15*time.Second, 66*time.Minute)
		w.expect(target, "it was deleted", "00000001 FAILED Web Server", "web/1.0.0/1 FAILED Web Server")
	})
}

func TestTheFailedBuildStaysWhileTheNextOneRuns(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		long := []emulator.Step{{Name: "Step", Takes: time.Hour}}
		target := w.discovering(web(
			made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed)),
			made("web", 2, w.begin.Add(-40*time.Minute), long),
			made("web", 3, w.begin.Add(5*time.Minute), long),
		), Selection{Pipelines: all(1)})
		w.expect(target, "at the start", "00000001 FAILED web", "00000002 RUNNING web",
			"web/1.0.0/1 FAILED web", "web/1.0.0/2 BUILDING web")
		w.at(5 * time.Minute)
		w.expect(target, "a new run appears within the discovery interval", "00000001 FAILED web", "00000002 RUNNING web", "00000003 RUNNING web",
			"web/1.0.0/1 FAILED web", "web/1.0.0/2 BUILDING web", "web/1.0.0/3 BUILDING web")
		w.scrapeEvery(target, 15*time.Second, 26*time.Minute)
		w.expect(target, "the older one of two that overlap has ended", "00000002 COMPLETED web", "00000003 RUNNING web",
			"web/1.0.0/2 AVAILABLE web", "web/1.0.0/3 BUILDING web")
	})
}

func TestSelectorsAddUp(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := &emulator.Account{Pipelines: []emulator.Pipeline{
			{ARN: pipelineARN("golden-linux"), Name: "Golden Linux", Tags: map[string]string{"team": "platform", "tier": "1"}},
			{ARN: pipelineARN("golden-windows"), Name: "Golden Windows", Tags: map[string]string{"team": "platform"}},
			{ARN: pipelineARN("golden"), Name: "golden"},
			{ARN: pipelineARN("empty"), Name: "Empty", Tags: map[string]string{"team": "platform", "tier": "1"}},
		}}
		for p, name := range []string{"golden-linux", "golden-windows", "golden"} {
			for n := 1; n <= 3; n++ {
				image := made(name, n, w.begin.Add(-time.Duration(10-n)*time.Hour), steps(emulator.Succeeded))
				image.Attempts[0].Runs[0].ID = id(16*(p+1) + n)
				image.Name = "An Image"
				a.Images = append(a.Images, image)
			}
		}
		target := w.discovering(a, Selection{
			Pipelines: []Selector{
				{Name: regexp.MustCompile(`\A(?:Golden .*)\z`), Builds: 1},
				{Tags: map[string]string{"team": "platform", "tier": "1"}, Builds: 2},
				{Name: regexp.MustCompile(`\A(?:golde)\z`), Builds: 3},
			},
			Images:             []string{imageARN("golden-linux", 1), imageARN("golden-linux", 3), account + "image/golden/1.x.x"},
			WorkflowExecutions: []string{id(16*2 + 1), id(16*1 + 3), id(16*3 + 1)},
		})
		s := w.expect(target, "everything once",
			"00000011 COMPLETED Golden Linux", // by the ARN of its build
			"00000012 COMPLETED Golden Linux",
			"00000013 COMPLETED Golden Linux",   // by pipeline, tags, ARN and id
			"00000021 COMPLETED Golden Windows", // by its id; its build is not followed
			"00000023 COMPLETED Golden Windows",
			"00000031 COMPLETED", // by its id alone
			"00000033 COMPLETED golden",
			"golden-linux/1.0.0/1 AVAILABLE Golden Linux",
			"golden-linux/1.0.0/2 AVAILABLE Golden Linux",
			"golden-linux/1.0.0/3 AVAILABLE Golden Linux",
			"golden-windows/1.0.0/3 AVAILABLE Golden Windows",
			"golden/1.0.0/3 AVAILABLE golden",
		)
		var names []string
		for _, p := range s.Pipelines {
			names = append(names, fmt.Sprint(p.Name, " ", p.LastSuccess.IsZero()))
		}
		if diff := cmp.Diff([]string{"Empty true", "Golden Linux false", "Golden Windows false"}, names); diff != "" {
			t.Errorf("pipelines, and whether they have no success (-want +got):\n%s", diff)
		}
		before := w.operations()
		w.scrapeEvery(target, 15*time.Second, 14*time.Minute)
		want := map[string]int{"ListImagePipelines": 2, "ListImagePipelineImages": 6, "ListImageBuildVersions": 2, "GetImage": 4}
		if diff := cmp.Diff(want, w.since(before)); diff != "" {
			t.Errorf("requests in 14 minutes (-want +got):\n%s", diff)
		}
	})
}

func TestTheCap(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		a := &emulator.Account{Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web")}}}
		for n := 1; n <= 9; n++ {
			s := steps(emulator.Failed)
			if n == 1 { // the oldest one hangs
				s = []emulator.Step{{Name: "Step", Takes: 1000 * time.Hour}}
			}
			a.Images = append(a.Images, made("web", n, w.begin.Add(-time.Duration(10-n)*time.Hour), s))
		}
		a.Images[8].Deleted = w.begin.Add(time.Hour)
		target := w.discovering(a, Selection{Pipelines: all(100), MaxExecutions: 3, Steps: StepsActive})
		kept := []string{
			"00000001 RUNNING web", "00000008 FAILED web", "00000009 FAILED web",
			"web/1.0.0/1 BUILDING web", "web/1.0.0/8 FAILED web", "web/1.0.0/9 FAILED web",
		}
		s := w.expect(target, "what runs and the newest", kept...)
		if s.Dropped != 6 || strings.Count(w.logs.String(), "max_executions=3 dropped=") != 1 {
			t.Errorf("%d are dropped, want 6; the log:\n%s", s.Dropped, &w.logs)
		}
		w.scrapeEvery(target, 15*time.Second, 10*time.Minute)
		w.expect(target, "later", kept...)
		w.scrapeEvery(target, 15*time.Second, 66*time.Minute)
		s = w.expect(target, "the newest one was deleted", "00000001 RUNNING web", "00000007 FAILED web", "00000008 FAILED web",
			"web/1.0.0/1 BUILDING web", "web/1.0.0/7 FAILED web", "web/1.0.0/8 FAILED web")
		for _, e := range s.Executions {
			if len(e.Steps) != 1 {
				t.Errorf("%s has %d steps, want 1", e.ID, len(e.Steps))
			}
		}
	})
}

func TestAllPartitions(t *testing.T) {
	for region, partition := range map[string]string{"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "us-iso-east-1": "aws-iso", "eusc-de-east-1": "aws-eusc"} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			in := func(arn string) string {
				return strings.NewReplacer("arn:aws:", "arn:"+partition+":", "eu-west-1", region).Replace(arn)
			}
			image := made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded))
			image.ARN, image.PipelineARN = in(image.ARN), in(image.PipelineARN)
			w.client.Region = region
			target := w.discovering(
				&emulator.Account{Pipelines: []emulator.Pipeline{{ARN: image.PipelineARN, Name: "Web"}}, Images: []emulator.Image{image}},
				Selection{Images: []string{in(account + "image/web/x.x.x")}})
			w.expect(target, "found", "00000001 COMPLETED Web", "web/1.0.0/1 AVAILABLE Web")
		})
	}
}

func TestStepsOfWhatIsInteresting(t *testing.T) {
	for mode, want := range map[Steps]map[string]int{
		StepsNone:   {},
		StepsActive: {"2": 1, "3": 2},
		StepsAll:    {"1": 1, "2": 1, "3": 2},
	} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			long := []emulator.Step{{Name: "Fine", Takes: time.Second}, {Name: "Long", Takes: time.Hour}}
			target := w.discovering(web(
				made("web", 1, w.begin.Add(-2*time.Hour), steps(emulator.Succeeded)),
				made("web", 2, w.begin.Add(-2*time.Hour), steps(emulator.Failed)),
				made("web", 3, w.begin.Add(-time.Minute), long),
			), Selection{Pipelines: all(5), Steps: mode})
			got := map[string]int{}
			for _, e := range w.scrape(target).Executions {
				if e.Steps != nil {
					got[e.ID[10:11]] = len(e.Steps)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("steps: %s (-want +got):\n%s", mode, diff)
			}
			w.scrapeEvery(target, 15*time.Second, 2*time.Hour)
			before := w.operations()["ListWorkflowStepExecutions"]
			w.scrapeEvery(target, 15*time.Second, 3*time.Hour)
			if n := w.operations()["ListWorkflowStepExecutions"] - before; n != 0 {
				t.Errorf("steps: %s: %d lists of steps in an hour in which everything had ended", mode, n)
			}
			for _, e := range w.scrape(target).Executions {
				for _, step := range e.Steps {
					if step.Status == "RUNNING" || step.End.IsZero() {
						t.Errorf("steps: %s: %s of %s has not ended: %+v", mode, step.Name, e.ID, step)
					}
				}
			}
		})
	}
}

// TestABuildVersionThatNoPipelineMakes is what Terraform's aws_imagebuilder_image makes.
func TestABuildVersionThatNoPipelineMakes(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		image := made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Succeeded))
		image.PipelineARN = ""
		image.Attempts[0].Fails, image.Attempts[0].Distributes = true, time.Minute
		target := w.discovering(&emulator.Account{Images: []emulator.Image{image}},
			Selection{Images: []string{image.ARN, imageARN("web", 9)}})
		s := w.expect(target, "failed in distribution", "00000001 COMPLETED", "web/1.0.0/1 FAILED")
		if s.DiscoveredAt.IsZero() || !s.Up {
			t.Errorf("an ARN that is not found is an answer: up %t, discovered at %s", s.Up, s.DiscoveredAt)
		}
		want := map[string]int{"GetImage": 2, "ListWorkflowExecutions": 1}
		if diff := cmp.Diff(want, w.operations()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

// TestAQuickRetry is one that begins and ends between two discoveries.
func TestAQuickRetry(t *testing.T) {
	for _, outcome := range []emulator.Outcome{emulator.Succeeded, emulator.Failed} {
		test(t, func(t *testing.T) {
			w := newWorld(t)
			image := made("web", 1, w.begin.Add(-time.Hour), steps(emulator.Failed))
			image.Attempts = append(image.Attempts, emulator.Attempt{
				Start: w.begin.Add(time.Minute), Reason: "another reason",
				Runs: []emulator.Run{{ID: id(2), Start: w.begin.Add(time.Minute), Steps: steps(outcome)}},
			})
			target := w.discovering(web(image), Selection{Pipelines: all(1)})
			w.scrape(target)
			w.scrapeEvery(target, 15*time.Second, 6*time.Minute)
			if s := w.scrape(target); len(s.Executions) != 2 || !s.Executions[1].Value.Status.Final() {
				t.Errorf("%v", told(s))
			}
		})
	}
}

// TestNothingStaysOfWhatIsGone deletes everything that was found.
func TestNothingStaysOfWhatIsGone(t *testing.T) {
	test(t, func(t *testing.T) {
		w := newWorld(t)
		gone := w.begin.Add(time.Minute)
		image := made("web", 1, w.begin.Add(-time.Hour), []emulator.Step{{Takes: 1000 * time.Hour}})
		image.Deleted = gone
		target := w.discovering(&emulator.Account{
			Pipelines: []emulator.Pipeline{{ARN: pipelineARN("web"), Deleted: gone}}, Images: []emulator.Image{image},
		}, Selection{Pipelines: all(1), Images: []string{account + "image/web/1.0.0"}, Steps: StepsAll, Waiting: true})
		w.scrape(target)
		w.scrapeEvery(target, 15*time.Second, 20*time.Minute)
		w.expect(target, "nothing is selected")
		target.Close()
		left := sizes(target)
		got := []int{len(target.builds), len(target.steps), left.Leaving, left.Refreshes, left.Outages, left.Entries}
		// The pipelines, the image version, which is not found, and what waits.
		if want := []int{0, 0, 0, 0, 1, 3}; !slices.Equal(got, want) {
			t.Errorf("builds, steps, leaving, refreshes, outages and entries: %d, want %d\n%s", got, want, &w.logs)
		}
	})
}
