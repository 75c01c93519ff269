package iam_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// TestPolicies holds that the policies of docs/iam.md and of the README allow exactly
// what the code calls, on the resources that the service knows.
func TestPolicies(t *testing.T) {
	calls := map[string]bool{}
	for _, operation := range imagebuilder.Operations() {
		calls[string(operation)] = true
	}
	allowed, roles := map[string]bool{}, 0
	for _, s := range statements(t, "../../docs/iam.md") {
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
			if want := imagebuilder.Operation(operation).Resource(); service == "imagebuilder" && resource != want && s.Resource != want {
				t.Errorf("docs/iam.md allows %s on %s, want %s", action, s.Resource, want)
			}
		}
	}
	if diff := cmp.Diff(calls, allowed); diff != "" {
		t.Errorf("operations that the code calls and docs/iam.md allows (-code +docs):\n%s", diff)
	}
	if roles != 2 {
		t.Errorf("docs/iam.md has sts:AssumeRole %d times, want a policy and a trust policy", roles)
	}
	for _, s := range statements(t, "../../README.md") {
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

var policyBlock = regexp.MustCompile("(?s)```json\n(.*?)```")
