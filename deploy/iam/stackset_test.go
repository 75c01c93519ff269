package iam_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheRoleOfTheStackSet holds that it has the policies of the JSON files: in every region, and
// with or without an external id.
func TestTheRoleOfTheStackSet(t *testing.T) {
	file := func(name, old, replacement string) any {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return parsed(t, []byte(strings.ReplaceAll(string(text), old, replacement)))
	}
	for name, externalID := range map[string]string{"with an external id": "very-external", "without an external id": ""} {
		t.Run(name, func(t *testing.T) {
			s := newStackSet(t, map[string]string{"ExporterRoleArn": "arn:aws:iam::111122223333:role/monitoring", "ExternalId": externalID})
			trust := file("trust-role.json", "the external_id of the configuration", "very-external")
			if externalID == "" {
				delete(trust.(map[string]any)["Statement"].([]any)[0].(map[string]any), "Condition")
			}
			want := map[string]any{"Role": map[string]any{
				"Type": "AWS::IAM::Role",
				"Properties": map[string]any{
					"RoleName": "imagebuilder-exporter", "Description": "Reads EC2 Image Builder for imagebuilder_exporter.",
					"AssumeRolePolicyDocument": trust,
					"Policies": []any{map[string]any{
						"PolicyName": "imagebuilder-exporter", "PolicyDocument": file("reader.json", ":eu-west-1:", ":*:"),
					}},
				},
			}}
			if diff := cmp.Diff(want, s.value(s.section("Resources"))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestTheTemplateOfTheStackSet holds what CloudFormation asks of a template.
func TestTheTemplateOfTheStackSet(t *testing.T) {
	s := newStackSet(t, map[string]string{"ExporterRoleArn": "arn:aws:iam::111122223333:role/monitoring"})
	want := []string{"AWSTemplateFormatVersion", "Conditions", "Description", "Outputs", "Parameters", "Resources"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(s.template))); diff != "" {
		t.Errorf("the sections (-want +got):\n%s", diff)
	}
	if v := s.template["AWSTemplateFormatVersion"]; v != "2010-09-09" {
		t.Errorf("the version is %v", v)
	}
	s.value(s.section("Resources"))
	output := s.value(s.section("Outputs")).(map[string]any)["RoleArn"].(map[string]any)
	if output["Value"] != "Role.Arn" {
		t.Errorf("the output is %v", output)
	}
	names := append(slices.Collect(maps.Keys(s.section("Parameters"))), slices.Collect(maps.Keys(s.section("Conditions")))...)
	for _, name := range names {
		if !s.used[name] || !sid.MatchString(name) {
			t.Errorf("%s is used: %t; its name must be alphanumeric", name, s.used[name])
		}
	}
	text, err := json.Marshal(s.value(s.section("Resources")))
	if err != nil || len(text) > 10_000 {
		t.Errorf("the role has %d bytes, and its policies may have 10,240: %v", len(text), err)
	}
}

// TestTheParametersOfTheStackSet have patterns that take what the configuration takes.
func TestTheParametersOfTheStackSet(t *testing.T) {
	s := newStackSet(t, nil)
	allowed := []string{"AllowedPattern", "ConstraintDescription", "Default", "Description", "NoEcho", "Type"}
	for name, c := range map[string]struct{ good, bad []string }{
		"ExporterRoleArn": {
			[]string{"arn:aws:iam::111122223333:role/monitoring", "arn:aws-us-gov:iam::111122223333:role/a/b+c"},
			[]string{"", "*", "arn:aws:iam::111122223333:root", "arn:aws:iam::1111:role/a", "arn:aws:iam::111122223333:role/*"},
		},
		"ExternalId": {[]string{"", "ab", "a:b/c_+=,.@-"}, []string{"a", "a b", "*"}},
		"RoleName":   {[]string{"imagebuilder-exporter", "a"}, []string{"", "a/b", strings.Repeat("a", 65)}},
	} {
		p, ok := s.section("Parameters")[name].(map[string]any)
		if !ok || p["Type"] != "String" || slices.ContainsFunc(slices.Collect(maps.Keys(p)), func(key string) bool { return !slices.Contains(allowed, key) }) {
			t.Fatalf("%s is %v", name, p)
		}
		// CloudFormation matches whole values; RE2 may not count to 1224.
		pattern := regexp.MustCompile(strings.Replace(p["AllowedPattern"].(string), "{2,1224}", "{2,}", 1))
		for _, value := range c.good {
			if !pattern.MatchString(value) {
				t.Errorf("%s does not take %q", name, value)
			}
		}
		for _, value := range c.bad {
			if pattern.MatchString(value) {
				t.Errorf("%s takes %q", name, value)
			}
		}
	}
	if len(s.section("Parameters")) != 3 || s.section("Parameters")["ExternalId"].(map[string]any)["NoEcho"] != "true" {
		t.Errorf("the parameters are %v", s.section("Parameters"))
	}
}
