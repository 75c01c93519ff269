package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// mistakes has, for each file of testdata, the place and sentence of its error and
// the line that stands below it.
var mistakes = []struct{ file, sentence, line string }{
	{"alias_loop", `:1:14: an item of targets must be a mapping with the keys name, regions, workflow_executions, images, pipelines, steps, max_executions, role_arn, external_id, session_name, endpoint_url`, `targets: &x [*x]`},
	{"alias_unknown", `:1:10: this alias names nothing that is marked with &`, `targets: *none`},
	{"burst_zero", `:7:10: burst must be at least 1`, `  burst: 0`},
	{"concurrency_fraction", `:7:16: concurrency must be a whole number, such as 10`, `  concurrency: 1.5`},
	{"concurrency_huge", `:7:16: concurrency must be a whole number, such as 10`, `  concurrency: 99999999999999999999`},
	{"concurrency_text", `:7:16: concurrency must be a whole number, such as 10`, `  concurrency: "10"`},
	{"concurrency_zero", `:7:16: concurrency must be at least 1`, `  concurrency: 0`},
	{"empty", `:1:1: the file is empty; at least one target is needed`, ``},
	{"endpoint_bad", `:6:19: endpoint_url must be an http or https URL with a host, such as https://imagebuilder.eu-west-1.amazonaws.com`, `    endpoint_url: localhost:8080`},
	{"endpoint_port_huge", `:6:19: endpoint_url must be an http or https URL with a host, such as https://imagebuilder.eu-west-1.amazonaws.com`, `    endpoint_url: http://localhost:65536`},
	{"endpoint_port_zero", `:6:19: endpoint_url must be an http or https URL with a host, such as https://imagebuilder.eu-west-1.amazonaws.com`, `    endpoint_url: http://localhost:0`},
	{"endpoint_user", `:6:19: endpoint_url must not contain a user, a query or a fragment`, `    endpoint_url: ***@localhost/`},
	{"id_bad", `:5:9: "wf-165b1cb6-3a62-4618-a021-94ddcbe3290" is not the id of a workflow execution; one is wf- and a UUID, as in wf-165b1cb6-3a62-4618-a021-94ddcbe32908`, `      - wf-165b1cb6-3a62-4618-a021-94ddcbe3290`},
	{"id_null", `:5:9: an item of workflow_executions must be a text`, `      - null`},
	{"id_twice", `:6:9: the id wf-165b1cb6-3a62-4618-a021-94ddcbe32908 stands in this target twice; case does not matter`, `      - wf-165B1CB6-3A62-4618-A021-94DDCBE32908`},
	{"ids_and_regions", `:3:14: target "golden-images" has ids in workflow_executions and several regions; an id exists in one region only, so give each region a target`, `    regions: [eu-west-1, us-east-1]`},
	{"key_twice", `:6:5: the key name stands here twice`, `    name: other`},
	{"lookup_not_a_mapping", `:6:9: lookup must be a mapping with the keys min_interval, discovery_interval, max_staleness, timeout, concurrency, rate_limit, burst`, `lookup: 5s`},
	{"merge_key", `:2:5: unknown key "<<"; allowed are name, regions, workflow_executions, images, pipelines, steps, max_executions, role_arn, external_id, session_name, endpoint_url`, `  - <<: {name: a}`},
	{"max_staleness_negative", `:7:18: max_staleness must be a duration with a unit and not below zero, such as 10s, 500ms or 1m30s`, `  max_staleness: -1m`},
	{"min_interval_zero", `:7:17: min_interval must be above zero`, `  min_interval: 0s`},
	{"name_control", `:2:11: the name of a target must not contain control characters`, `  - name: "a\nb"`},
	{"name_empty", `:2:11: a target needs a name that is not empty`, `  - name: ""`},
	{"name_missing", `:2:5: a target needs a name that is not empty`, `  - workflow_executions: [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]`},
	{"name_not_text", `:2:11: name must be a text`, `  - name: {a: b}`},
	{"name_twice", `:6:11: a second target has the name "golden-images"; each name may stand once`, `  - name: golden-images`},
	{"no_targets", `:1:1: targets is missing or empty; at least one target is needed`, `lookup:`},
	{"not_a_mapping", `:1:1: the file must be a mapping with the keys targets, lookup`, `- name: golden-images`},
	{"not_utf8", `:2:1: the file is not UTF-8 text`, "  - name: \"\xff\""},
	{"not_yaml", `:2:11: this is not YAML: sequence end token ']' not found`, `  - name: [golden-images`},
	{"only_comments", `:1:1: the file is empty; at least one target is needed`, `# nothing here`},
	{"rate_nan", `:7:15: rate_limit must be a number, such as 20 or 0.5`, `  rate_limit: .nan`},
	{"rate_negative", `:7:15: rate_limit must not be below zero; 0 stands for no limit`, `  rate_limit: -0.5`},
	{"rate_text", `:7:15: rate_limit must be a number, such as 20 or 0.5`, `  rate_limit: fast`},
	{"region_bad", `:3:15: "Frankfurt" is not the name of an AWS region; one looks like eu-west-1`, `    regions: [Frankfurt]`},
	{"region_twice", `:3:26: the region eu-west-1 stands here twice`, `    regions: [eu-west-1, eu-west-1]`},
	{"regions_not_a_list", `:3:14: regions must be a list`, `    regions: eu-west-1`},
	{"anchor_twice", `:3:14: a second anchor has this name; each name may stand once`, "    regions: &a [eu-west-1]"},
	{"comments_and_crlf", `:4:15: "BAD" is not the name of an AWS region; one looks like eu-west-1`, "    regions: [BAD]"},
	{"second_document", `:7:1: a second YAML document begins here; a configuration is exactly one`, `targets: []`},
	{"second_document_after_an_empty_one", `:8:1: a second YAML document begins here; a configuration is exactly one`, `lookup: {}`},
	{"second_document_on_the_marker", `:6:1: a second YAML document begins here; a configuration is exactly one`, `--- {lookup: {}}`},
	{"selection_empty", `:2:5: target "golden-images" selects nothing; it needs workflow_executions, images or pipelines`, `  - name: golden-images`},
	{"selection_missing", `:2:5: target "golden-images" selects nothing; it needs workflow_executions, images or pipelines`, `  - name: golden-images`},
	{"tab", ":2:1: this is not YAML: found character '\t' that cannot start any token", "\t- name: golden-images"},
	{"targets_empty", `:1:10: targets is missing or empty; at least one target is needed`, `targets: []`},
	{"targets_not_a_list", `:1:10: targets must be a list`, `targets: golden-images`},
	{"timeout_negative", `:7:12: timeout must be a duration with a unit and not below zero, such as 10s, 500ms or 1m30s`, `  timeout: -5s`},
	{"timeout_number", `:7:12: timeout must be a duration with a unit and not below zero, such as 10s, 500ms or 1m30s`, `  timeout: 10`},
	{"timeout_zero", `:7:12: timeout must be above zero`, `  timeout: 0s`},
	{"too_deep", `:1:510: the file is nested too deeply; a configuration needs no more than a few levels`, "targets: " + strings.Repeat("[", 501)},
	{"too_indented", `:2:500: the file is nested too deeply; a configuration needs no more than a few levels`, strings.Repeat("- ", 300) + "a"},
	{"builds_zero", `:3:40: builds must be at least 1`, `    pipelines: [{name: golden, builds: 0}]`},
	{"builds_text", `:3:40: builds must be a whole number, such as 10`, `    pipelines: [{name: golden, builds: all}]`},
	{"discovery_interval_zero", `:5:23: discovery_interval must be above zero`, `  discovery_interval: 0s`},
	{"external_id_alone", `:4:18: external_id is for a role; role_arn must name one`, `***`},
	{"external_id_bad", `:5:18: external_id must be 2 to 1224 letters, digits and characters of _+=,.@:/-`, `***`},
	{"external_id_not_text", `:5:18: external_id must be a text`, `***`},
	{"image_bad", `:3:14: "ami-0123456789abcdef0" is not the ARN of an image; one looks like arn:aws:imagebuilder:eu-west-1:111122223333:image/my-recipe/1.0.0 (its newest build and those that run; parts of the version may be x) or …/1.0.0/3 (one build)`, `    images: [ami-0123456789abcdef0]`},
	{"image_region", `:4:14: the image "arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0" is in eu-west-1, which is not among the regions of target "golden-images": eu-central-1, us-east-1`, `    images: ["arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0"]`},
	{"image_region_without", `:3:26: target "golden-images" selects nothing in us-east-1; none of its images is there, and it has no pipelines`, `    regions: [eu-west-1, us-east-1]`},
	{"image_twice", `:5:9: the image "arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0" stands in this target twice`, `      - arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0`},
	{"images_not_a_list", `:3:13: images must be a list`, `    images: arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0`},
	{"max_executions_zero", `:4:21: max_executions must be at least 1`, `    max_executions: 0`},
	{"pipeline_not_a_mapping", `:3:17: an item of pipelines must be a mapping with the keys name, tags, builds`, `    pipelines: [golden]`},
	{"pipeline_regexp", `:3:24: the name in a pipeline selector must be a regular expression (RE2): missing closing ): "golden-("`, `    pipelines: [{name: "golden-("}]`},
	{"pipeline_regexp_anchors", `:3:24: the name in a pipeline selector must be a regular expression (RE2): unexpected ): "a)|(b"`, `    pipelines: [{name: "a)|(b"}]`},
	{"pipeline_selects_nothing", `:4:9: a pipeline selector needs a name or tags`, `      - name: ""`},
	{"pipeline_unknown_key", `:3:18: unknown key "regexp"; allowed are name, tags, builds`, `    pipelines: [{regexp: golden}]`},
	{"role_bad", `:4:15: role_arn must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/path/name`, `    role_arn: arn:aws:iam::444455556666:user/reader`},
	{"role_empty", `:4:15: role_arn must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/path/name`, `    role_arn: ""`},
	{"session_name_alone", `:4:19: session_name is for a role; role_arn must name one`, `    session_name: prometheus`},
	{"session_name_bad", `:5:19: session_name must be 2 to 64 letters, digits and characters of _+=,.@-`, `    session_name: a/b`},
	{"steps_bad", `:4:12: steps must be active, all or none`, `    steps: failed`},
	{"tag_key_twice", `:4:25: the key "team" stands here twice`, `      - tags: {team: a, team: b}`},
	{"tag_null", `:3:31: a value of tags must be a text`, `    pipelines: [{tags: {team: null}}]`},
	{"tags_not_a_mapping", `:3:24: tags must be a mapping of texts to texts`, `    pipelines: [{tags: [team]}]`},
	{"unknown_key", `:3:5: unknown key "region"; allowed are name, regions, workflow_executions, images, pipelines, steps, max_executions, role_arn, external_id, session_name, endpoint_url`, `    region: [eu-west-1]`},
	{"unknown_section", `:6:1: unknown key "lookups"; allowed are targets, lookup`, `lookups:`},
}

func TestMistakesAreSentencesWithTheirPlace(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.file, func(t *testing.T) {
			path := "testdata/" + m.file + ".yml"
			_, err := Load(path)
			var located *Error
			if !errors.As(err, &located) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if diff := cmp.Diff(path+m.sentence+"\n"+m.line, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(mistakes) {
		t.Errorf("testdata has %d files, of which %d are expected here", len(files), len(mistakes))
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	got, err := parse("config.yml", []byte(`
targets:
  - name: golden-images
    regions: [eu-west-1]
    workflow_executions:
      - wf-165B1CB6-3a62-4618-a021-94ddcbe32908
    images:
      - arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0/3
    pipelines:
      - name: golden-.*
        tags: {team: images, 2026: true, cost: 1.50}
        builds: 3
      - name: ""
        tags:
          team: base
    steps: all
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
				Images:             []string{"arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0/3"},
				Pipelines: []PipelineSelector{
					{Name: "golden-.*", Tags: map[string]string{"team": "images", "2026": "true", "cost": "1.50"}, Builds: 3},
					{Tags: map[string]string{"team": "base"}, Builds: 1},
				},
				Steps:         "all",
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
	if got, want := got.Summary(), "2 targets: 2 workflow executions, 1 image, 2 pipeline selectors"; got != want {
		t.Errorf("Summary() = %q, want %q", got, want)
	}
}

func TestSummaryLeavesOutWhatIsNotThere(t *testing.T) {
	for want, targets := range map[string][]Target{
		"0 targets":                       nil,
		"1 target: 1 workflow execution":  {{WorkflowExecutions: make([]string, 1)}},
		"2 targets: 2 images":             {{Images: make([]string, 1)}, {Images: make([]string, 1)}},
		"1 target: 1 pipeline selector":   {{Pipelines: make([]PipelineSelector, 1)}},
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
	re := PipelineSelector{Name: "golden|(?i)base-.*"}.Regexp()
	for name, want := range map[string]bool{"golden": true, "Base-1": true, "golden-1": false, "a golden": false, "golden\n": false} {
		if got := re.MatchString(name); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
	}
	if re := (PipelineSelector{}).Regexp(); re != nil {
		t.Errorf("without a name: got %v, want nil", re)
	}
}

func TestImageRegions(t *testing.T) {
	target := Target{Name: "a", Images: []string{"arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0"}}
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
}

func TestWhatIsAllowedIsAccepted(t *testing.T) {
	const minimal = "targets: [{name: a, workflow_executions: [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]}]\n"
	const role = "targets: [{name: a, pipelines: [{name: b}], role_arn: 'arn:aws:iam::444455556666:role/reader'}]\n"
	for name, text := range map[string]string{
		"pipelines only":            "targets: [{name: a, pipelines: [{name: golden-.*}]}]",
		"pipelines by tags only":    "targets: [{name: a, pipelines: [{tags: {team: images}, builds: 2}]}]",
		"pipelines in two regions":  "targets: [{name: a, regions: [eu-west-1, us-east-1], pipelines: [{name: b}]}]",
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
	for _, section := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[Target](), reflect.TypeFor[PipelineSelector](), reflect.TypeFor[Lookup]()} {
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

// FuzzParse holds that no input panics, and that what is accepted is usable.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(files, "../../config.yml.example") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse("config.yml", data)
		if err != nil {
			var located *Error
			if !errors.As(err, &located) || located.Sentence == "" {
				t.Fatalf("the error has no place: %v", err)
			}
			return
		}
		for _, target := range c.Targets {
			ids, others := len(target.WorkflowExecutions), len(target.Images)+len(target.Pipelines)
			if target.Name == "" || ids+others == 0 || (ids > 0 && len(target.Regions) > 1) ||
				target.Steps == "" || target.MaxExecutions < 1 || target.CheckImageRegions() != nil ||
				(target.RoleARN == "" && target.ExternalID+target.SessionName != "") {
				t.Fatalf("accepted %+v", target)
			}
			for _, s := range target.Pipelines {
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
	for i := range 50_000 {
		fmt.Fprintf(&text, "  - wf-%08x-3a62-4618-a021-94ddcbe32908\n", i)
	}
	for b.Loop() {
		if _, err := parse("config.yml", []byte(text.String())); err != nil {
			b.Fatal(err)
		}
	}
}
