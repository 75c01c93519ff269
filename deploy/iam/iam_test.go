package iam_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

// TestTheIAMFiles holds that IAM can take the policies of deploy/iam, that they allow
// what they are for and no more, and that docs/iam.md shows them as they are.
func TestTheIAMFiles(t *testing.T) {
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	reads := []string{}
	for _, operation := range imagebuilder.Operations() {
		reads = append(reads, "imagebuilder:"+string(operation))
	}
	slices.Sort(reads)
	want := map[string][]string{
		"reader.json":             reads,
		"assume-role.json":        {"sts:AssumeRole", "sts:TagSession"},
		"trust-role.json":         {"sts:AssumeRole", "sts:TagSession"},
		"trust-ec2.json":          {"sts:AssumeRole"},
		"trust-irsa.json":         {"sts:AssumeRoleWithWebIdentity"},
		"trust-pod-identity.json": {"sts:AssumeRole", "sts:TagSession"},
	}
	got, texts := map[string][]string{}, map[string]any{}
	for _, file := range files {
		name := filepath.Base(file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = checkPolicy(t, name, text)
		texts[name] = parsed(t, text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the files of deploy/iam allow (-want +got):\n%s", diff)
	}
	doc, err := os.ReadFile("../../docs/iam.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := policyBlock.FindAllSubmatch(doc, -1)
	if len(shown) != 3 {
		t.Fatalf("docs/iam.md shows %d policies", len(shown))
	}
	for i, name := range []string{"reader.json", "assume-role.json", "trust-role.json"} {
		if diff := cmp.Diff(texts[name], parsed(t, shown[i][1])); diff != "" {
			t.Errorf("%s and policy %d of docs/iam.md (-file +docs):\n%s", name, i+1, diff)
		}
	}
	texts["stackset.yml"] = nil // beside the JSON files
	for name := range texts {
		if !strings.Contains(string(doc), "](../deploy/iam/"+name+")") {
			t.Errorf("docs/iam.md does not link to %s", name)
		}
	}
}

// checkPolicy holds that text is a policy as IAM takes them, either of an identity or of
// a role's trust, and returns the actions that it allows.
func checkPolicy(t *testing.T, name string, text []byte) []string {
	t.Helper()
	var policy struct {
		Version   string
		Statement []struct {
			Sid, Effect string
			Principal   map[string]string
			Action      any
			Resource    string
			Condition   map[string]map[string]string
		}
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&policy); err != nil || d.More() {
		t.Fatalf("%s: %v, or there is more than one value", name, err)
	}
	if policy.Version != "2012-10-17" || len(policy.Statement) == 0 {
		t.Errorf("%s: version %q, %d statements", name, policy.Version, len(policy.Statement))
	}
	trust := strings.HasPrefix(name, "trust-")
	sids := map[string]bool{}
	var actions []string
	for i, s := range policy.Statement {
		if s.Effect != "Allow" {
			t.Errorf("%s, statement %d: the effect is %q", name, i, s.Effect)
		}
		if sids[s.Sid] || !sid.MatchString(s.Sid) && !trust {
			t.Errorf("%s, statement %d: the Sid %q is not alphanumeric, or stands twice", name, i, s.Sid)
		}
		sids[s.Sid] = true
		if (len(s.Principal) == 1) != trust || (s.Resource == "") != trust {
			t.Errorf("%s, statement %d: principal %q and resource %q", name, i, s.Principal, s.Resource)
		}
		for _, principal := range s.Principal {
			if strings.Contains(principal, "*") {
				t.Errorf("%s, statement %d: everybody is trusted", name, i)
			}
		}
		for _, action := range (statement{Action: s.Action}).actions() {
			if strings.Contains(action, "*") {
				t.Errorf("%s, statement %d: the action %q has a wildcard", name, i, action)
			}
			actions = append(actions, action)
		}
	}
	slices.Sort(actions)
	return actions
}

var sid = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// parsed returns text as JSON.
func parsed(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
