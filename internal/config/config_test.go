package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

func TestEveryKeyIsRead(t *testing.T) {
	got, err := parse("config.yml", []byte(`
targets:
  - name: golden-images
    regions: [eu-west-1]
    workflow_executions:
      - wf-165B1CB6-3a62-4618-a021-94ddcbe32908
    images:
      - arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0/3
      - name: imported-.*
        tags: {team: images}
        builds: 2
      - tags: {team: base}
    pipelines:
      - name: golden-.*
        tags: {team: images, 2026: true, cost: 1.50}
        builds: 3
      - name: ""
        tags:
          team: base
    steps: all
    tag_labels: [team, "aws:cloudformation:stack-name"]
    max_executions: 50
    role_arn: arn:aws:iam::444455556666:role/monitoring/reader
    external_id: verysecret
    session_name: prometheus
    endpoint_url: http://127.0.0.1:8080
  - name: containers
    workflow_executions: [wf-0cf0ee7a-1a11-4a5e-8a25-dc2dd8a4d3b1]
lookup:
  min_interval: 15s
  discovery_interval: 10m
  max_staleness: 0s
  timeout: 1m30s
  concurrency: 64
  rate_limit: 0.5
  burst: 3
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Targets: []Target{
			{
				Name:               "golden-images",
				Regions:            []string{"eu-west-1"},
				WorkflowExecutions: []string{"wf-165b1cb6-3a62-4618-a021-94ddcbe32908"},
				Images: []Image{
					{ARN: "arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0/3"},
					{Selector: &Selector{Name: "imported-.*", Tags: map[string]string{"team": "images"}, Builds: 2}},
					{Selector: &Selector{Tags: map[string]string{"team": "base"}, Builds: 1}},
				},
				Pipelines: []Selector{
					{Name: "golden-.*", Tags: map[string]string{"team": "images", "2026": "true", "cost": "1.50"}, Builds: 3},
					{Tags: map[string]string{"team": "base"}, Builds: 1},
				},
				Steps:         "all",
				TagLabels:     []string{"team", "aws:cloudformation:stack-name"},
				MaxExecutions: 50,
				RoleARN:       "arn:aws:iam::444455556666:role/monitoring/reader",
				ExternalID:    "verysecret",
				SessionName:   "prometheus",
				EndpointURL:   "http://127.0.0.1:8080",
			},
			{
				Name:               "containers",
				WorkflowExecutions: []string{"wf-0cf0ee7a-1a11-4a5e-8a25-dc2dd8a4d3b1"},
				Steps:              "none", MaxExecutions: 1000,
			},
		},
		Lookup: Lookup{
			MinInterval: 15 * time.Second, DiscoveryInterval: 10 * time.Minute, Timeout: 90 * time.Second,
			Concurrency: 64, RateLimit: 0.5, Burst: 3,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := got.Summary(), "2 targets: 2 workflow executions, 1 image, 2 image selectors, 2 pipeline selectors"; got != want {
		t.Errorf("Summary() = %q, want %q", got, want)
	}
}

func TestSummaryLeavesOutWhatIsNotThere(t *testing.T) {
	for want, targets := range map[string][]Target{
		"0 targets":                       nil,
		"1 target: 1 workflow execution":  {{WorkflowExecutions: make([]string, 1)}},
		"2 targets: 2 images":             {{Images: make([]Image, 1)}, {Images: make([]Image, 1)}},
		"1 target: 1 image selector":      {{Images: []Image{{Selector: &Selector{}}}}},
		"1 target: 1 pipeline selector":   {{Pipelines: make([]Selector, 1)}},
		"1 target: 3 workflow executions": {{WorkflowExecutions: make([]string, 3)}},
	} {
		if got := (&Config{Targets: targets}).Summary(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestStepsDependOnTheSelection(t *testing.T) {
	const ids = "targets: [{name: a, workflow_executions: [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]"
	for text, want := range map[string]string{
		ids + "}]":                                                  StepsNone,
		ids + ", steps: active}]":                                   StepsActive,
		ids + ", pipelines: [{name: b}]}]":                          StepsActive,
		"targets: [{name: a, pipelines: [{name: b}]}]":              StepsActive,
		"targets: [{name: a, steps: none, pipelines: [{name: b}]}]": StepsNone,
	} {
		c, err := parse("config.yml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := c.Targets[0].Steps; got != want {
			t.Errorf("%s: steps is %q, want %q", text, got, want)
		}
	}
}

func TestAPipelineNameMatchesAsAWhole(t *testing.T) {
	re := Selector{Name: "golden|(?i)base-.*"}.Regexp()
	for name, want := range map[string]bool{"golden": true, "Base-1": true, "golden-1": false, "a golden": false, "golden\n": false} {
		if got := re.MatchString(name); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
	}
	if re := (Selector{}).Regexp(); re != nil {
		t.Errorf("without a name: got %v, want nil", re)
	}
}

func TestImageRegions(t *testing.T) {
	target := Target{Name: "a", Images: []Image{{ARN: "arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0"}, {Selector: &Selector{Name: "a"}}}}
	if err := target.CheckImageRegions(); err != nil {
		t.Errorf("without regions: %v", err)
	}
	target.Regions = []string{"eu-west-1"}
	if err := target.CheckImageRegions(); err != nil {
		t.Errorf("in its region: %v", err)
	}
	target.Regions = []string{"us-east-1"}
	const want = `the image "arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0" is in eu-west-1, which is not among the regions of target "a": us-east-1`
	if err := target.CheckImageRegions(); err == nil || err.Error() != want {
		t.Errorf("in another region: got %v, want %s", err, want)
	}
	target.Regions = []string{"eu-west-1", "us-east-1"}
	for region, want := range map[string]int{"eu-west-1": 1, "us-east-1": 0} {
		if got := target.ImagesIn(region); len(got) != want {
			t.Errorf("%q are in %s", got, region)
		}
	}
	if got := target.ImageSelectors(); len(got) != 1 || got[0].Name != "a" {
		t.Errorf("the selectors are %v", got)
	}
}

func TestWhatIsAllowedIsAccepted(t *testing.T) {
	const minimal = "targets: [{name: a, workflow_executions: [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]}]\n"
	const role = "targets: [{name: a, pipelines: [{name: b}], role_arn: 'arn:aws:iam::444455556666:role/reader'}]\n"
	for name, text := range map[string]string{
		"pipelines only":            "targets: [{name: a, pipelines: [{name: golden-.*}]}]",
		"pipelines by tags only":    "targets: [{name: a, pipelines: [{tags: {team: images}, builds: 2}]}]",
		"a tag of CloudFormation":   "targets: [{name: a, pipelines: [{tags: {aws:cloudformation:stack-name: golden}}]}]",
		"pipelines in two regions":  "targets: [{name: a, regions: [eu-west-1, us-east-1], pipelines: [{name: b}]}]",
		"images by name only":       "targets: [{name: a, images: [{name: golden-.*}]}]",
		"images by tags only":       "targets: [{name: a, images: [{tags: {team: images}}]}]",
		"images in two regions":     "targets: [{name: a, regions: [eu-west-1, us-east-1], images: [{name: b}, 'arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0']}]",
		"an alias of a selector":    "targets: [{name: a, pipelines: [&s {name: b}], images: [*s]}]",
		"an image with x parts":     "targets: [{name: a, images: ['arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.x.x']}]",
		"a role":                    role,
		"a role in GovCloud":        strings.Replace(role, "arn:aws:", "arn:aws-us-gov:", 1),
		"a role in China":           strings.Replace(role, "arn:aws:", "arn:aws-cn:", 1),
		"a role with a path":        strings.Replace(role, "role/reader", "role/a/b/reader", 1),
		"a number for external_id":  strings.Replace(role, "role_arn", "external_id: 123456, role_arn", 1),
		"defaults":                  minimal,
		"no rate limit":             minimal + "lookup: {rate_limit: 0}",
		"sections of comments only": minimal + "lookup:\n  # timeout: 5s\n",
		"a document marker":         "---\n" + minimal,
		"markers and no document":   "%YAML 1.2\n--- # one\n" + minimal + "...\n---\n# nothing\n",
		"Windows line ends":         strings.ReplaceAll(minimal, "\n", "\r\n"),
		"a byte order mark":         "\ufeff" + minimal,
		"an anchor and its alias":   "targets:\n- name: &n a\n  workflow_executions: &ids [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]\n- name: b\n  workflow_executions: *ids\n",
		"a name that is a number":   strings.Replace(minimal, "name: a", "name: 2026", 1),
		"GovCloud":                  strings.Replace(minimal, "name: a", "name: a, regions: [us-gov-west-1]", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse("config.yml", []byte(text)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheExampleIsValid(t *testing.T) {
	if _, err := Load("../../config.yml.example"); err != nil {
		t.Error(err)
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[Target](), reflect.TypeFor[Selector](), reflect.TypeFor[Lookup]()} {
		for _, key := range keysOf(section) {
			if !bytes.Contains(doc, []byte("| `"+key+"` |")) {
				t.Errorf("docs/configuration.md has no row for %s", key)
			}
		}
	}
}

func TestUnreadableFiles(t *testing.T) {
	if _, err := Load("testdata/none.yaml"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: got %v", err)
	}
	if _, err := Load("testdata"); err == nil {
		t.Error("a folder: no error")
	}
	big := filepath.Join(t.TempDir(), "big.yml")
	if err := os.WriteFile(big, bytes.Repeat([]byte("#"), maxFileBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(big); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("a file that is too large: got %v", err)
	}
}

// FuzzParse holds that no input panics, that an error hides nothing, and that what is accepted is
// usable.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	leaks, err := filepath.Glob("testdata/leaks/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(append(files, leaks...), "../../config.yml.example") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, accounts := range []string{"accounts: [111122223333, 012345678901]", "accounts_file: testdata/accounts/good.txt", "accounts_file: testdata/accounts/twice.txt"} {
		f.Add(fmt.Appendf(nil, organization, accounts))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse("config.yml", data)
		if err != nil {
			var located *Error
			if !errors.As(err, &located) || located.Sentence == "" {
				t.Fatalf("the error has no place: %v", err)
			}
			if strings.ContainsFunc(located.Sentence+located.Source, printable.Hidden) {
				t.Fatalf("the error hides something: %q", err)
			}
			return
		}
		for _, target := range c.Targets {
			ids, others := len(target.WorkflowExecutions), len(target.Images)+len(target.Pipelines)
			if target.Name == "" || ids+others == 0 || (ids > 0 && len(target.Regions) > 1) ||
				target.Steps == "" || target.MaxExecutions < 1 || target.CheckImageRegions() != nil ||
				(target.RoleARN == "" && target.ExternalID+target.SessionName != "") ||
				len(target.Accounts) > 0 || target.AccountsFile != "" || strings.Contains(target.Name+target.RoleARN, placeholder) {
				t.Fatalf("accepted %+v", target)
			}
			for _, s := range append(target.ImageSelectors(), target.Pipelines...) {
				if re := s.Regexp(); s.Builds < 1 || (re == nil && len(s.Tags) == 0) {
					t.Fatalf("accepted %+v", s)
				}
			}
		}
		if l := c.Lookup; l.MinInterval <= 0 || l.DiscoveryInterval <= 0 || l.MaxStaleness < 0 || l.Timeout <= 0 || l.Concurrency < 1 || !(l.RateLimit >= 0) || l.Burst < 1 {
			t.Fatalf("accepted %+v", l)
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	text.WriteString("targets:\n- name: golden-images\n  workflow_executions:\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "  - wf-%08x-3a62-4618-a021-94ddcbe32908\n", i)
	}
	for b.Loop() {
		if _, err := parse("config.yml", []byte(text.String())); err != nil {
			b.Fatal(err)
		}
	}
}

// TestATagKeyWithColons is what CloudFormation names its tags: in flow style, too, a colon is
// a part of the key unless a space follows.
func TestATagKeyWithColons(t *testing.T) {
	for style, tags := range map[string]string{
		"flow":   "{aws:cloudformation:stack-name: golden}",
		"quoted": `{"aws:cloudformation:stack-name": golden}`,
		"block":  "\n      aws:cloudformation:stack-name: golden",
	} {
		c, err := parse("config.yml", []byte("targets:\n- name: a\n  pipelines:\n  - tags: "+tags+"\n"))
		if err != nil {
			t.Fatalf("%s: %v", style, err)
		}
		want := map[string]string{"aws:cloudformation:stack-name": "golden"}
		if diff := cmp.Diff(want, c.Targets[0].Pipelines[0].Tags); diff != "" {
			t.Errorf("%s (-want +got):\n%s", style, diff)
		}
	}
}

// TestOnlyARegularFileIsRead, or a link to one, as a mounted ConfigMap is: a named pipe would
// hold up a reload for ever.
func TestOnlyARegularFileIsRead(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe} {
		want := "reading the configuration: " + path + " is not a regular file or a link to one"
		if _, err := Load(path); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
		if _, err := Checksum(path); err == nil || err.Error() != want {
			t.Errorf("the checksum of %s: %v, want %s", path, err, want)
		}
	}
	example, err := filepath.Abs("../../config.yml.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(example, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(link); err != nil {
		t.Error(err)
	}
}

func TestTextsOfSelectors(t *testing.T) {
	for _, c := range []struct {
		s    Selector
		want string
	}{
		{Selector{Name: "web-.*", Builds: 3}, "name=web-.*"},
		{Selector{Tags: map[string]string{"team": "web", "env": ""}}, "tag:env= tag:team=web"},
		{Selector{Name: "a", Tags: map[string]string{"aws:stack": "b"}}, "name=a tag:aws:stack=b"},
		{Selector{Name: "a tag:team=web"}, `name="a tag:team=web"`},
		{Selector{Tags: map[string]string{"a=b": `"c"`}}, `tag:"a=b"="\"c\""`},
	} {
		if got := c.s.String(); got != c.want {
			t.Errorf("%+v is %s, want %s", c.s, got, c.want)
		}
	}
}

// TestImagesThatAWSOwns are selected as those of the user's own account.
func TestImagesThatAWSOwns(t *testing.T) {
	for account, want := range map[string]bool{
		"111122223333": true, "aws": true, "aws-marketplace": true, "aws-cn-marketplace": true,
		"awsx": false, "aws-": false, "aws1": false,
	} {
		image := "arn:aws:imagebuilder:eu-west-1:" + account + ":image/golden/1.0.0"
		_, err := parse("config.yml", []byte("targets:\n  - name: golden-images\n    images: ["+image+"]\n"))
		if (err == nil) != want {
			t.Errorf("%s: %v", image, err)
		}
	}
}
