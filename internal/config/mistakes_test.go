package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mistakes has, for each file of testdata, the place and sentence of its error and
// the line that stands below it.
var mistakes = []struct{ file, sentence, line string }{
	{"accounts_and_file", `:6:20: target "golden-{account}" has accounts and accounts_file; only one of them is allowed`, `    accounts_file: accounts.txt`},
	{"accounts_arn", `:5:9: target "golden-{account}" has accounts and an ARN in images; an ARN belongs to one account, so select images by name or tags, or add a target for that account`, `      - arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0`},
	{"accounts_comments_only", `:5:14: accounts is empty; at least one AWS account id is required, such as 111122223333`, `    accounts:`},
	{"accounts_empty", `:5:15: accounts is empty; at least one AWS account id is required, such as 111122223333`, `    accounts: []`},
	{"accounts_executions", `:3:26: target "golden-{account}" has accounts and workflow_executions; an id exists in only one account, so add a target for that account`, `    workflow_executions: [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]`},
	{"accounts_file_comments_only", `:5:19: accounts_file must be a string`, `    accounts_file:`},
	{"accounts_file_empty", `:5:20: accounts_file must be the path of a file with one AWS account id per line`, `    accounts_file: ""`},
	{"accounts_file_missing", `:5:20: the accounts file "testdata/none.txt" cannot be read: no such file or directory`, `    accounts_file: none.txt`},
	{"accounts_file_folder", `:5:20: the accounts file "testdata/leaks" is not a regular file or a link to one`, `    accounts_file: leaks`},
	{"accounts_id_long", `:7:9: "1111222233334" is not an AWS account id; it must have 12 digits, such as 111122223333 or 012345678901`, `      - 1111222233334`},
	{"accounts_id_short", `:5:30: "12345678901" is not an AWS account id; it must have 12 digits, such as 111122223333 or 012345678901`, `    accounts: [012345678901, 12345678901]`},
	{"accounts_id_dashes", `:5:16: "1111-2222-3333" is not an AWS account id; it must have 12 digits, such as 111122223333 or 012345678901`, `    accounts: [1111-2222-3333]`},
	{"accounts_id_twice", `:8:9: account 111122223333 is listed twice in this target`, `      - "111122223333"`},
	{"accounts_name_twice", `:9:30: another target has the name "golden-111122223333"; target names must be unique`, `    accounts: [444455556666, 111122223333]`},
	{"accounts_name_of_another_target", `:6:11: another target has the name "golden-111122223333"; target names must be unique`, `  - name: golden-111122223333`},
	{"accounts_not_a_list", `:5:15: accounts must be a list`, `    accounts: 111122223333`},
	{"accounts_without_placeholder_in_name", `:2:11: the name of a target with accounts must contain {account}, such as golden-{account}: each account becomes a target, and target names must be unique`, `  - name: golden`},
	{"accounts_without_placeholder_in_role", `:4:15: the role_arn of a target with accounts must contain {account}, such as arn:aws:iam::{account}:role/imagebuilder-exporter: each account has its own role`, `    role_arn: arn:aws:iam::111122223333:role/reader`},
	{"accounts_without_role", `:2:5: the role_arn of a target with accounts must contain {account}, such as arn:aws:iam::{account}:role/imagebuilder-exporter: each account has its own role`, `  - name: golden-{account}`},
	{"accounts_role_bad", `:4:15: role_arn must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/path/name`, `    role_arn: arn:aws:iam::{account}:user/reader`},
	{"placeholder_in_name", `:2:11: name has {account}, but the target has neither accounts nor accounts_file`, `  - name: golden-{account}`},
	{"placeholder_in_role", `:4:15: role_arn has {account}, but the target has neither accounts nor accounts_file`, `    role_arn: arn:aws:iam::{account}:role/reader`},
	{"placeholder_unquoted", `:2:11: name must be a string; put {account} in quotes, because an unquoted brace starts a mapping`, `  - name: ***`},
	{"alias_loop", `:1:14: an item of targets must be a mapping with the keys name, regions, workflow_executions, images, pipelines, steps, tag_labels, max_executions, accounts, accounts_file, role_arn, external_id, session_name, endpoint_url`, `targets: ***`},
	{"alias_unknown", `:1:10: this alias refers to an anchor (&) that does not exist`, `targets: ***`},
	{"burst_zero", `:7:10: burst must be at least 1`, `  burst: 0`},
	{"concurrency_fraction", `:7:16: concurrency must be a whole number, such as 10`, `  concurrency: 1.5`},
	{"concurrency_huge", `:7:16: concurrency must be a whole number, such as 10`, `  concurrency: 99999999999999999999`},
	{"concurrency_text", `:7:16: concurrency must be a whole number, such as 10`, `  concurrency: "10"`},
	{"concurrency_zero", `:7:16: concurrency must be at least 1`, `  concurrency: 0`},
	{"empty", `:1:1: the file is empty; at least one target is required`, ``},
	{"endpoint_bad", `:6:19: endpoint_url must be an http or https URL with a host, such as https://imagebuilder.eu-west-1.amazonaws.com`, `    endpoint_url: localhost:8080`},
	{"endpoint_port_huge", `:6:19: endpoint_url must be an http or https URL with a host, such as https://imagebuilder.eu-west-1.amazonaws.com`, `    endpoint_url: http://***`},
	{"endpoint_port_zero", `:6:19: endpoint_url must be an http or https URL with a host, such as https://imagebuilder.eu-west-1.amazonaws.com`, `    endpoint_url: http://***`},
	{"endpoint_user", `:6:19: endpoint_url must not contain a user, a query or a fragment`, `    endpoint_url: https://***`},
	{"flow_colon", `:3:1: this is not YAML: did not find expected ',' or '}'`, `    pipelines: ***`},
	{"id_bad", `:5:9: "wf-165b1cb6-3a62-4618-a021-94ddcbe3290" is not a workflow execution id; it must be wf- followed by a UUID, such as wf-165b1cb6-3a62-4618-a021-94ddcbe32908`, `      - wf-165b1cb6-3a62-4618-a021-94ddcbe3290`},
	{"id_null", `:5:9: an item of workflow_executions must be a string`, `      - null`},
	{"id_twice", `:6:9: id wf-165b1cb6-3a62-4618-a021-94ddcbe32908 is listed twice in this target; ids are not case-sensitive`, `      - wf-165B1CB6-3A62-4618-A021-94DDCBE32908`},
	{"ids_and_regions", `:3:14: target "golden-images" has ids in workflow_executions and several regions; an id exists in only one region, so add one target per region`, `    regions: [eu-west-1, us-east-1]`},
	{"key_twice", `:6:5: duplicate key name`, `    name: other`},
	{"line_ends", `:6:12: steps must be active, all or none`, `    steps: bad`},
	{"lookup_not_a_mapping", `:6:9: lookup must be a mapping with the keys min_interval, discovery_interval, max_staleness, timeout, concurrency, rate_limit, burst`, `lookup: ***`},
	{"merge_key", `:2:5: unknown key "<<"; allowed are name, regions, workflow_executions, images, pipelines, steps, tag_labels, max_executions, accounts, accounts_file, role_arn, external_id, session_name, endpoint_url`, `<<`},
	{"max_staleness_negative", `:7:18: max_staleness must be a non-negative duration with a unit, such as 10s, 500ms or 1m30s`, `  max_staleness: -1m`},
	{"min_interval_zero", `:7:17: min_interval must be greater than zero`, `  min_interval: 0s`},
	{"name_control", `:2:11: name must not contain control characters or invisible characters: "a\nb"`, `  - name: ***`},
	{"name_empty", `:2:11: a target requires a non-empty name`, `  - name: ""`},
	{"name_missing", `:2:5: a target requires a non-empty name`, `  - workflow_executions: [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]`},
	{"name_not_text", `:2:11: name must be a string`, `  - name: ***`},
	{"name_twice", `:6:11: another target has the name "golden-images"; target names must be unique`, `  - name: golden-images`},
	{"no_targets", `:1:1: targets is missing or empty; at least one target is required`, `lookup:`},
	{"not_a_mapping", `:1:1: the file must be a mapping with the keys targets, lookup`, `***`},
	{"not_utf8", `:2:1: the file is not UTF-8 text`, `  - name: ***`},
	{"not_yaml", `:2:1: this is not YAML: did not find expected ',' or ']'`, `  - name: ***`},
	{"only_comments", `:1:1: the file is empty; at least one target is required`, `***`},
	{"rate_nan", `:7:15: rate_limit must be a number, such as 20 or 0.5`, `  rate_limit: .nan`},
	{"rate_negative", `:7:15: rate_limit must not be negative; 0 means no limit`, `  rate_limit: -0.5`},
	{"rate_text", `:7:15: rate_limit must be a number, such as 20 or 0.5`, `  rate_limit: fast`},
	{"region_bad", `:3:15: "Frankfurt" is not an AWS region name, such as eu-west-1`, `    regions: [Frankfurt]`},
	{"region_twice", `:3:26: region eu-west-1 is listed twice`, `    regions: [eu-west-1, eu-west-1]`},
	{"regions_not_a_list", `:3:14: regions must be a list`, `    regions: eu-west-1`},
	{"anchor_twice", `:3:14: another anchor has this name; anchor names must be unique`, "    regions: *** eu-west-1]"},
	{"comments_and_crlf", `:4:15: "BAD" is not an AWS region name, such as eu-west-1`, "    regions: [BAD]"},
	{"second_document", `:7:1: a second YAML document starts here; the file must contain exactly one`, `targets: []`},
	{"second_document_after_an_empty_one", `:8:1: a second YAML document starts here; the file must contain exactly one`, `lookup: {}`},
	{"second_document_on_the_marker", `:6:1: a second YAML document starts here; the file must contain exactly one`, `--- {lookup: {}}`},
	{"selection_empty", `:2:5: target "golden-images" selects nothing; set workflow_executions, images or pipelines`, `  - name: golden-images`},
	{"selection_missing", `:2:5: target "golden-images" selects nothing; set workflow_executions, images or pipelines`, `  - name: golden-images`},
	{"yaml_brace", ":2:1: this is not YAML: did not find expected key; check the indentation of this block, and quote a value that begins with {", `  - name: ***`},
	{"yaml_dedented", ":2:1: this is not YAML: did not find expected '-' indicator; check the indentation of this block", `  - name: ***`},
	{"yaml_star", ":5:1: this is not YAML: did not find expected alphabetic or numeric character; quote a value that begins with * or &; the pattern of every name is .*", `      - name: ***`},
	{"tab", ":2:1: this is not YAML: found character that cannot start any token; indent with spaces, not tabs, and quote a value that begins with %, @ or `", `\t- name: ***`},
	{"targets_empty", `:1:10: targets is missing or empty; at least one target is required`, `targets: []`},
	{"targets_not_a_list", `:1:10: targets must be a list`, `targets: ***`},
	{"timeout_negative", `:7:12: timeout must be a non-negative duration with a unit, such as 10s, 500ms or 1m30s`, `  timeout: -5s`},
	{"timeout_number", `:7:12: timeout must be a non-negative duration with a unit, such as 10s, 500ms or 1m30s`, `  timeout: 10`},
	{"timeout_zero", `:7:12: timeout must be greater than zero`, `  timeout: 0s`},
	{"too_deep", `:1:110: the file is nested too deeply`, "targets: " + strings.Repeat("[", 191) + "…"},
	{"too_indented", `:2:201: the file is nested too deeply`, strings.Repeat("- ", 100) + "…"},
	{"builds_zero", `:3:40: builds must be at least 1`, `    pipelines: [{name: golden, builds: 0}]`},
	{"builds_text", `:3:40: builds must be a whole number, such as 10`, `    pipelines: [{name: golden, builds: all}]`},
	{"discovery_interval_zero", `:5:23: discovery_interval must be greater than zero`, `  discovery_interval: 0s`},
	{"external_id_alone", `:4:18: external_id requires role_arn`, `    external_id: ***`},
	{"external_id_bad", `:5:18: external_id must be 2 to 1224 characters; letters, digits and _+=,.@:/- are allowed`, `    external_id: ***`},
	{"external_id_not_text", `:5:18: external_id must be a string`, `    external_id: ***`},
	{"image_bad", `:3:14: "ami-0123456789abcdef0" is not an image ARN, such as arn:aws:imagebuilder:eu-west-1:111122223333:image/my-recipe/1.0.0 (its newest build and all running ones; parts of the version may be x) or …/1.0.0/3 (one build)`, `    images: [ami-0123456789abcdef0]`},
	{"image_region", `:4:14: the image "arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0" is in eu-west-1, which is not among the regions of target "golden-images": eu-central-1, us-east-1`, `    images: ["arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0"]`},
	{"image_region_without", `:3:26: target "golden-images" selects nothing in us-east-1; none of its images is in that region, and it selects no pipelines`, `    regions: [eu-west-1, us-east-1]`},
	{"image_selector_builds", `:3:37: builds must be at least 1`, `    images: [{name: golden, builds: 0}]`},
	{"image_selector_empty", `:4:9: an image selector requires name or tags`, `      - {}`},
	{"image_selector_list", `:4:9: an item of images must be a string`, `      ***`},
	{"image_selector_regexp", `:3:21: the name in an image selector must be a regular expression (RE2): missing closing ): "golden-("`, `    images: [{name: "golden-("}]`},
	{"image_selector_tags", `:4:22: a value of tags must be a string`, `      - tags: {team: ***`},
	{"image_selector_unknown_key", `:5:10: unknown key "names"; allowed are name, tags, builds; did you mean name?`, `names`},
	{"image_twice", `:5:9: image "arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0" is listed twice in this target`, `      - arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0`},
	{"images_not_a_list", `:3:13: images must be a list`, `    images: arn:aws:imagebuilder:eu-west-1:111122223333:image/golden/1.0.0`},
	{"tag_labels_empty", `:4:18: a tag in tag_labels must have 1 to 128 characters`, `    tag_labels: [""]`},
	{"tag_labels_same", `:4:37: the tags "cost-center" and "cost:center" in tag_labels would both become the label tag_cost_center; labels must be unique`, `    tag_labels: [team, cost-center, "cost:center"]`},
	{"max_executions_zero", `:4:21: max_executions must be at least 1`, `    max_executions: 0`},
	{"pipeline_not_a_mapping", `:3:17: an item of pipelines must be a mapping with the keys name, tags, builds`, `    pipelines: ***`},
	{"pipeline_regexp", `:3:24: the name in a pipeline selector must be a regular expression (RE2): missing closing ): "golden-("`, `    pipelines: [{name: "golden-("}]`},
	{"pipeline_regexp_anchors", `:3:24: the name in a pipeline selector must be a regular expression (RE2): unexpected ): "a)|(b"`, `    pipelines: [{name: "a)|(b"}]`},
	{"pipeline_selects_nothing", `:4:9: a pipeline selector requires name or tags`, `      - name: ""`},
	{"pipeline_unknown_key", `:3:18: unknown key "regexp"; allowed are name, tags, builds`, `regexp`},
	{"role_bad", `:4:15: role_arn must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/path/name`, `    role_arn: arn:aws:iam::444455556666:user/reader`},
	{"role_empty", `:4:15: role_arn must be the ARN of an IAM role, such as arn:aws:iam::111122223333:role/path/name`, `    role_arn: ""`},
	{"session_name_alone", `:4:19: session_name requires role_arn`, `    session_name: prometheus`},
	{"session_name_bad", `:5:19: session_name must be 2 to 64 characters; letters, digits and _+=,.@- are allowed`, `    session_name: a/b`},
	{"steps_bad", `:4:12: steps must be active, all or none`, `    steps: failed`},
	{"tag_key_twice", `:4:25: duplicate key "team"`, `      - tags: {team: *** team: ***`},
	{"tag_null", `:3:31: a value of tags must be a string`, `    pipelines: [{tags: {team: ***`},
	{"tags_not_a_mapping", `:3:24: tags must be a mapping of strings to strings`, `    pipelines: [{tags: ***`},
	{"unknown_key", `:3:5: unknown key "region"; allowed are name, regions, workflow_executions, images, pipelines, steps, tag_labels, max_executions, accounts, accounts_file, role_arn, external_id, session_name, endpoint_url; did you mean regions?`, `region`},
	{"unknown_section", `:6:1: unknown key "lookups"; allowed are targets, lookup; did you mean lookup?`, `lookups`},
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
