package main

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// in is a scenario with something in its first account.
func in(account string) string {
	return "accounts:\n  - id: \"111122223333\"\n    region: eu-west-1\n" + account
}

// TestEveryKeyIsDocumented holds docs/emulator.md against the keys of a file.
func TestEveryKeyIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "\n| of | keys |")
	keys := 0
	var walk func(of reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		for i := range of.NumField() {
			keys++
			if key := of.Field(i).Tag.Get("yaml"); !strings.Contains(table, "`"+key+"`") {
				t.Errorf("docs/emulator.md does not have the key %s of %s", key, of.Name())
			}
			walk(of.Field(i).Type)
		}
	}
	walk(reflect.TypeFor[account]())
	if keys < 35 {
		t.Errorf("%d keys were looked for, want at least 35", keys)
	}
}

func TestMistakesInAFile(t *testing.T) {
	image := func(keys string) string { return in("    images:\n      - name: web\n" + keys) }
	step := func(keys string) string {
		return image("        attempts: [{runs: [{steps: [{name: a}]}, {steps: [{" + keys + "}]}]}]\n")
	}
	for _, c := range []struct{ name, file, want string }{
		{"an unknown key at the top", "acounts: []\n", `line 1: unknown key "acounts"`},
		{"an unknown key below", image("        colour: red\n"), `line 6: unknown key "colour"`},
		{"a key that comes twice", image("        version: 1.0.0\n        version: 1.0.0\n"), `line 7: duplicate key "version"; it is already in line 6`},
		{"no YAML", "accounts: [", "line 1: did not find expected node content"},
		{"a list for a mapping", "accounts: [[]]\n", "line 1: !!seq has the wrong kind of value here"},
		{"two documents", in("") + "---\naccounts: []\n", "the file must contain exactly one YAML document"},
		{"no account", "accounts: []\n", "accounts: must have at least one account"},
		{"an account without a region", "accounts: [{id: \"111122223333\"}]\n", "accounts[0]: id and region are required"},
		{"an account that is none", "accounts: [{id: 123}]\n", `line 1: "123" must be the 12 digits of an account`},
		{"a region that is none", "accounts:\n  - region: Europe\n", `line 2: "Europe" must be a region, such as eu-west-1`},
		{"a role of the first account", in("    role_arn: arn:aws:iam::111122223333:role/r\n"), "accounts[0]: role_arn must be empty; the first account is visible without a role"},
		{"a second account without a role", in("  - {id: \"444455556666\", region: eu-west-1}\n"), "accounts[1]: role_arn is required; only the first account is visible without a role"},
		{"a role that is none", in("    role_arn: reader\n"), `line 4: "reader" must be the ARN of a role, such as arn:aws:iam::111122223333:role/reader`},
		{"two accounts with one role", in(strings.Repeat("  - {id: \"444455556666\", region: eu-west-1, role_arn: \"arn:aws:iam::444455556666:role/r\"}\n", 2)), "accounts[2]: role_arn must be unique"},
		{"an external id without a role", in("    external_id: x\n"), "accounts[0]: external_id requires role_arn"},
		{"a pipeline without a name", in("    pipelines: [{disabled: true}]\n"), "accounts[0].pipelines[0]: name is required"},
		{"two pipelines of one name", in("    pipelines: [{name: Web A}, {name: web a}]\n"), "accounts[0].pipelines[1]: name must be unique among the pipelines of the account"},
		{"a name that is none", in("    pipelines: [{name: a/b}]\n"), `line 4: "a/b" must be a name of 3 to 128 letters, digits, spaces, - and _`},
		{"a next run that is no duration", in("    pipelines: [{name: web, next_run_in: soon}]\n"), `line 4: "soon" must be a duration, such as 90m or -1h30m`},
		{"an image without a name", in("    images: [{}]\n"), "accounts[0].images[0]: name is required"},
		{"two images of one build", in("    images: [{name: web}, {name: web, build: 1}]\n"), "accounts[0].images[1]: another image has the name, version and build of arn:aws:imagebuilder:eu-west-1:111122223333:image/web/1.0.0/1"},
		{"a version that is none", image("        version: 1.0\n"), `line 6: "1.0" must be a version of three numbers, such as 1.0.0`},
		{"a build that is none", image("        build: 0\n"), `line 6: "0" must be a number from 1 to 100000`},
		{"a platform that is none", image("        platform: linux\n"), `line 6: "linux" must be one of Linux, Windows, macOS`},
		{"a type that is none", image("        type: VM\n"), `line 6: "VM" must be one of AMI, DOCKER`},
		{"an AMI that is none", image("        ami: x\n"), `line 6: "x" must be the id of an AMI, such as ami-0123456789abcdef0`},
		{"a retry without a start", image("        attempts: [{}, {}]\n"), "accounts[0].images[0].attempts[1]: start_ago is required; only the first attempt starts when the image is created"},
		{"an execution without steps", image("        attempts: [{runs: [{type: TEST}]}]\n"), "accounts[0].images[0].attempts[0].runs[0]: steps is required"},
		{"an id that is none", image("        attempts: [{runs: [{id: wf-1}]}]\n"), `line 6: "wf-1" must be wf- and a UUID in lower case`},
		{
			"an id that comes twice", image(fmt.Sprintf("        attempts: [{runs: [%[1]s, %[1]s]}]\n", "{id: wf-165b1cb6-3a62-4618-a021-94ddcbe32908, steps: [{name: a}]}")),
			"accounts[0].images[0].attempts[0].runs[1]: another execution has the id wf-165b1cb6-3a62-4618-a021-94ddcbe32908",
		},
		{"an execution type that is none", image("        attempts: [{runs: [{type: OTHER}]}]\n"), `line 6: "OTHER" must be one of BUILD, TEST, DISTRIBUTION`},
		{"a step without a name", step("takes: 1m"), "accounts[0].images[0].attempts[0].runs[1].steps[0]: name is required"},
		{"an outcome that is none", step("ends: badly"), `line 6: "badly" must be one of failed, failed_ignored, skipped, succeeded`},
		{"a length below zero", step("takes: -1m"), `line 6: "-1m" must be a non-negative duration, such as 90m`},
		{"inputs that are no JSON", step("inputs: x"), `line 6: "x" must be JSON in quotes`},
		{"a text with a control character", step(`action: "a\nb"`), `line 6: "a\nb" must be a string without control characters`},
		{"a flag that is none", step("waits: perhaps"), "line 6: !!str `perhaps` has the wrong kind of value here"},
		{
			"too many executions", image("        attempts: [{runs: [" + strings.Repeat("{steps: [{name: a}]},", maxExecutions+1) + "]}]\n"),
			"accounts[0].images[0].attempts[0].runs[10000]: a scenario can have at most 10000 executions",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parse([]byte(c.file), time.Time{}); err == nil || err.Error() != c.want {
				t.Errorf("the error is\n%v, want\n%s", err, c.want)
			}
		})
	}
}
