package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// families returns the names of all metrics that there can be.
func families(t *testing.T, e *testExporter) map[string]bool {
	t.Helper()
	descs := make(chan *prometheus.Desc, 100)
	collector.New(t.Context(), e.sources, e.options, nil).Describe(descs)
	e.own.Describe(descs)
	close(descs)
	names := map[string]bool{}
	for d := range descs {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		names[name] = true
	}
	return names
}

// TestDocs holds docs/metrics.md and the code against each other, and every metric
// that any document or dashboard names against both.
func TestDocs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		e := newTestExporter(t, api, defaultLimits(), ids...)
		doc, err := os.ReadFile("docs/metrics.md")
		if err != nil {
			t.Fatal(err)
		}
		documented := map[string]bool{}
		for _, line := range strings.Split(string(doc), "\n") {
			if name, ok := strings.CutPrefix(line, "| `imagebuilder_"); ok {
				name, _, _ = strings.Cut(name, "`")
				documented["imagebuilder_"+name] = true
			}
		}
		code := families(t, e)
		code["imagebuilder_exporter_build_info"] = true // main adds it
		if diff := cmp.Diff(code, documented); diff != "" {
			t.Errorf("metrics in the code and in docs/metrics.md (-code +docs):\n%s", diff)
		}
		for _, file := range []string{"*.md", "docs/*.md", "dashboards/*"} {
			checkNames(t, file, code)
		}
	})
}

// TestTheGoldenIsComplete holds that no metric escapes the golden, and so promtool.
func TestTheGoldenIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, ids := goldenScenario(time.Now())
		e := newTestExporter(t, api, defaultLimits(), ids...)
		golden, err := os.ReadFile("testdata/metrics.txt")
		if err != nil {
			t.Fatal(err)
		}
		for name := range families(t, e) {
			if !strings.Contains(string(golden), "\n# TYPE "+name+" ") && !strings.HasPrefix(string(golden), "# HELP "+name+" ") {
				t.Errorf("testdata/metrics.txt has no %s", name)
			}
		}
	})
}

// checkNames holds that there are all metrics that the files name.
func checkNames(t *testing.T, pattern string, code map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metricName.FindAllString(string(text), -1) {
			if base := strings.TrimSuffix(name, "_bucket"); !code[base] && base != "imagebuilder_exporter" {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
}

var metricName = regexp.MustCompile(`\bimagebuilder_[a-z_]+`)

// TestEveryFlagIsDocumented holds docs/operations.md against the command line, and what
// any document names against both.
func TestEveryFlagIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	app, _ := newApp()
	flags := map[string]bool{}
	for _, f := range app.Model().Flags {
		flags["--"+f.Name] = true
		long := "`--" + f.Name + "`"
		if strings.HasPrefix(f.Name, "collector.") {
			long = "`--[no-]" + f.Name + "`"
			flags["--no-"+f.Name] = true
		}
		if !f.Hidden && !strings.Contains(string(doc), "| "+long) && f.Name != "help" {
			t.Errorf("docs/operations.md does not have %s", long)
		}
	}
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, flag := range flagName.FindAllString(otherPrograms.ReplaceAllString(string(text), ""), -1) {
			if flag = strings.TrimRight(flag, "."); !flags[flag] {
				t.Errorf("%s names %s, which does not exist", file, flag)
			}
		}
	}
}

var flagName = regexp.MustCompile(`--[a-z][a-z.-]+`)

// TestEveryPageIsDocumented holds docs/operations.md against the paths of the server.
func TestEveryPageIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("internal/server/pages.go")
	if err != nil {
		t.Fatal(err)
	}
	paths := pagePath.FindAllStringSubmatch(string(code), -1)
	if len(paths) < 4 {
		t.Fatalf("there are only %q", paths)
	}
	for _, path := range paths {
		if !strings.Contains(string(doc), "\n| `"+path[1]+"` |") {
			t.Errorf("docs/operations.md does not have %s", path[1])
		}
	}
}

var pagePath = regexp.MustCompile(`(?m)^\tpath\w+ += "(.*)"$`)

// otherPrograms are command lines of programs that have flags of their own, up to the
// exporter's among them.
var otherPrograms = regexp.MustCompile("(?m)(?:^|[ `])(?:apt-get|aws|cosign|docker|gh|helm|kubectl|make image|sha256sum|systemctl|systemd-run) [^`\n]*?(?: /?imagebuilder_exporter |[`\n])")

// documents returns the files that users read.
func documents(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "config.yml.example"}
	for _, pattern := range []string{"docs/*.md", "docs/runbooks/*.md", "dashboards/*.md", "deploy/*/*.md", "deploy/*/*/*.md"} {
		docs, err := filepath.Glob(pattern)
		if err != nil || len(docs) == 0 {
			t.Fatal(pattern, docs, err)
		}
		all = append(all, docs...)
	}
	return all
}

// TestLinks holds that what documents link to is there.
func TestLinks(t *testing.T) {
	anchors := map[string]bool{}
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, heading := range headingLine.FindAllStringSubmatch(string(text), -1) {
			words := strings.Map(func(r rune) rune {
				if r == ' ' || r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
					return r
				}
				return -1
			}, strings.ToLower(heading[1]))
			anchors[file+"#"+strings.ReplaceAll(words, " ", "-")] = true
		}
	}
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range linkTarget.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(link[1], "#")
			to := file
			if path != "" {
				to = filepath.Join(filepath.Dir(file), path)
			}
			if _, err := os.Stat(to); err != nil || anchor != "" && !anchors[to+"#"+anchor] {
				t.Errorf("%s links to %s, which is not there", file, link[1])
			}
		}
	}
}

var (
	headingLine = regexp.MustCompile(`(?m)^#+ (.*)$`)
	linkTarget  = regexp.MustCompile(`\]\(([^)]+)\)`)
)

// TestTheReadmesConfiguration is what people copy first.
func TestTheReadmesConfiguration(t *testing.T) {
	doc, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```yaml\n")
	text, _, _ := strings.Cut(rest, "```")
	file := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil || len(c.Targets) != 1 || len(c.Targets[0].Pipelines) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestWhatItCosts plays two hours of each set-up in docs/configuration.md and counts
// the requests.
func TestWhatItCosts(t *testing.T) {
	doc, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := costRow.FindAllStringSubmatch(string(doc), -1)
	if len(rows) < 6 {
		t.Fatalf("%d set-ups are documented", len(rows))
	}
	for _, row := range rows {
		t.Run(row[0], func(t *testing.T) {
			interval, err := time.ParseDuration(row[5])
			if err != nil {
				t.Fatal(err)
			}
			n := func(i int) int {
				v, _ := strconv.Atoi(strings.ReplaceAll(row[i], ",", "")) // digits, by the pattern
				return v
			}
			synctest.Test(t, func(t *testing.T) {
				first, further := requests(t, n(1), n(2), n(3), n(4), interval)
				if first != n(6) || further != n(7) {
					t.Errorf("%d requests in the first hour and %d in the second; documented are %d, %d", first, further, n(6), n(7))
				}
			})
		})
	}
}

// costRow is: running, ended and forgotten executions, Prometheus servers, their
// interval, requests in the first hour and in each further one.
var costRow = regexp.MustCompile(`(?m)^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\w+) \| ([\d,]+) \| ([\d,]+) \|$`)

// requests returns how many requests a set-up makes in its first two hours.
func requests(t *testing.T, running, ended, forgotten, servers int, interval time.Duration) (first, second int) {
	var runs []emulator.Run
	var ids []string
	for i := range running + ended + forgotten {
		takes := 1000 * time.Hour
		if i >= running {
			takes = time.Minute
		}
		if i < running+ended {
			runs = append(runs, emulator.Run{ID: testID(i), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: takes}}})
		}
		ids = append(ids, testID(i))
	}
	api := &emulator.API{Scenario: emulator.Runs(runs...)}
	e := newTestExporter(t, api, defaultLimits(), ids...)
	begin := time.Now()
	hour := func(n int) int {
		before := api.Requests("GetWorkflowExecution")
		var all sync.WaitGroup
		for i := range servers {
			all.Go(func() {
				at := begin.Add(time.Duration(n)*time.Hour + time.Duration(i)*interval/time.Duration(servers))
				for ; at.Before(begin.Add(time.Duration(n+1) * time.Hour)); at = at.Add(interval) {
					<-time.After(time.Until(at))
					ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
					e.sources[0].Lookup(ctx)
					cancel()
				}
			})
		}
		all.Wait()
		return api.Requests("GetWorkflowExecution") - before
	}
	return hour(0), hour(1)
}

// TestWhatDiscoveryCosts does the same for the set-ups with pipelines.
func TestWhatDiscoveryCosts(t *testing.T) {
	doc, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := discoveryRow.FindAllStringSubmatch(string(doc), -1)
	if len(rows) < 4 {
		t.Fatalf("%d set-ups are documented", len(rows))
	}
	for _, row := range rows {
		var n [5]int // as in the pattern
		for i := range n {
			n[i], _ = strconv.Atoi(strings.ReplaceAll(row[i+1], ",", "")) // digits, by the pattern
		}
		synctest.Test(t, func(t *testing.T) {
			account := &emulator.Account{}
			for p := range n[0] {
				pipeline := fmt.Sprintf("arn:aws:imagebuilder:eu-west-1:111122223333:image-pipeline/p-%d", p)
				account.Pipelines = append(account.Pipelines, emulator.Pipeline{ARN: pipeline})
				for b := range n[1] {
					run := emulator.Run{ID: testID(1000*p + b), Start: time.Now().Add(-time.Hour), Steps: []emulator.Step{{Takes: time.Minute}}}
					if b == 0 && p < n[2] {
						run.Steps[0].Takes = 1000 * time.Hour
					}
					account.Images = append(account.Images, emulator.Image{
						ARN:         fmt.Sprintf("arn:aws:imagebuilder:eu-west-1:111122223333:image/p-%d/1.0.0/%d", p, b+1),
						PipelineARN: pipeline, Created: run.Start, Attempts: []emulator.Attempt{{Runs: []emulator.Run{run}}},
					})
				}
			}
			api := &emulator.API{Scenario: account}
			e := newTestExporter(t, api, defaultLimits())
			addSelection(t, e, api, defaultLimits(), imagebuilder.ClientConfig{Target: "pipelines"}, lookup.Selection{
				Pipelines: []lookup.Selector{{Name: regexp.MustCompile(`.`), Builds: 1}}, Steps: lookup.StepsActive, Waiting: true,
			})
			begin, sum := time.Now(), 0
			hour := func(number int) int {
				for at := time.Duration(number) * time.Hour; at < time.Duration(number+1)*time.Hour; at += 15 * time.Second {
					<-time.After(time.Until(begin.Add(at)))
					ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
					e.sources[1].Lookup(ctx)
					cancel()
				}
				before := sum
				sum = 0
				for operation := range operations(t) {
					sum += api.Requests(operation)
				}
				return sum - before
			}
			if first, further := hour(0), hour(1); first != n[3] || further != n[4] {
				t.Errorf("%s: %d requests in the first hour and %d in the second", row[0], first, further)
			}
		})
	}
}

// discoveryRow is: pipelines, builds of each, builds that run, requests in the first
// hour and in each further one.
var discoveryRow = regexp.MustCompile(`(?m)^\| (\d+) \| (\d+) \| (\d+) \| ([\d,]+) \| ([\d,]+) \|$`)

var sdkCall = regexp.MustCompile(`\.sdk\.(\w+)\(ctx`)

// operations returns the operations of Image Builder that the code calls.
func operations(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("internal/imagebuilder/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	called := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range sdkCall.FindAllStringSubmatch(string(text), -1) {
			called[call[1]] = true
		}
	}
	return called
}

var policyBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

// TestPolicies holds that the policies of docs/iam.md and of the README allow exactly
// what the code calls, on the resources that the service knows.
func TestPolicies(t *testing.T) {
	// From "Actions, resources, and condition keys for Amazon EC2 Image Builder" of the
	// Service Authorization Reference: the resource type of each action.
	resources := map[string]string{
		"GetWorkflowExecution": "workflow-execution/*", "ListWorkflowStepExecutions": "workflow-execution/*",
		"ListWorkflowExecutions": "image/*", "GetImage": "image/*", "ListImageBuildVersions": "image/*",
		"ListImagePipelineImages": "image-pipeline/*", "ListImagePipelines": "*", "ListWaitingWorkflowSteps": "*",
	}
	allowed, roles := map[string]bool{}, 0
	for _, s := range statements(t, "docs/iam.md") {
		for _, action := range s.actions() {
			service, operation, _ := strings.Cut(action, ":")
			switch {
			case action == "sts:AssumeRole":
				roles++
			case action == "sts:TagSession": // goes with it
			case service != "imagebuilder":
				t.Errorf("docs/iam.md allows %s", action)
			default:
				allowed[operation] = true
			}
			_, resource, _ := strings.Cut(s.Resource, "111122223333:")
			if want := resources[operation]; service == "imagebuilder" && resource != want && s.Resource != want {
				t.Errorf("docs/iam.md allows %s on %s, want %s", action, s.Resource, want)
			}
		}
	}
	if diff := cmp.Diff(operations(t), allowed); diff != "" {
		t.Errorf("operations that the code calls and docs/iam.md allows (-code +docs):\n%s", diff)
	}
	if roles != 2 {
		t.Errorf("docs/iam.md has sts:AssumeRole %d times, want a policy and a trust policy", roles)
	}
	for _, s := range statements(t, "README.md") {
		for _, action := range s.actions() {
			if !allowed[strings.TrimPrefix(action, "imagebuilder:")] {
				t.Errorf("README.md allows %s", action)
			}
		}
	}
}

type statement struct {
	Effect   string
	Action   any
	Resource string
}

func (s statement) actions() []string {
	if one, ok := s.Action.(string); ok {
		return []string{one}
	}
	var all []string
	for _, a := range s.Action.([]any) {
		all = append(all, a.(string))
	}
	return all
}

// statements returns those of all policies in a document.
func statements(t *testing.T, file string) []statement {
	t.Helper()
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []statement
	for _, block := range policyBlock.FindAllSubmatch(doc, -1) {
		var policy struct {
			Version   string
			Statement []statement
		}
		if err := json.Unmarshal(block[1], &policy); err != nil || policy.Version != "2012-10-17" || len(policy.Statement) == 0 {
			t.Errorf("%s: not a policy: %v\n%s", file, err, block[1])
		}
		all = append(all, policy.Statement...)
	}
	if len(all) == 0 {
		t.Errorf("%s has no policy", file)
	}
	return all
}
