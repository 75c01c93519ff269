package opentofu

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// reader returns the policy that the table of docs/iam.md has for features.
func reader(t *testing.T, in account, regions, features []string) any {
	t.Helper()
	doc, err := os.ReadFile("../../docs/iam.md")
	if err != nil {
		t.Fatal(err)
	}
	var sids []string
	rows := 0
	for _, row := range tableRow.FindAllStringSubmatch(string(doc), -1) {
		if slices.Contains(features, row[1]) {
			rows++
			sids = append(sids, word.FindAllString(row[2], -1)...)
		}
	}
	if rows != len(features) {
		t.Fatalf("the table of docs/iam.md has %d of %q", rows, features)
	}
	policy := parsed(t, []byte(file(t, "reader"))).(map[string]any)
	var statements []any
	for _, s := range policy["Statement"].([]any) {
		s := s.(map[string]any)
		if !slices.Contains(sids, s["Sid"].(string)) {
			continue
		}
		if kind, ok := strings.CutPrefix(s["Resource"].(string), "arn:aws:imagebuilder:eu-west-1:111122223333:"); ok {
			var resources []any
			for _, region := range regions {
				resources = append(resources, fmt.Sprintf("arn:%s:imagebuilder:%s:%s:%s", in.partition, region, in.id, kind))
			}
			s["Resource"] = unlisted(resources)
		}
		statements = append(statements, s)
	}
	policy["Statement"] = unlisted(statements)
	return policy
}

var (
	// tableRow is: what is configured, its statements.
	tableRow = regexp.MustCompile("(?m)^\\| [^|`]*`(?:--collector\\.)?(\\w+)[^|]*\\| ([^|]+) \\|$")
	word     = regexp.MustCompile(`\w+`)
)

// file returns a policy of deploy/iam.
func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deploy/iam", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// parsed returns a policy in one of the spellings that mean the same to IAM: without
// lists of one element.
func parsed(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return unlisted(v)
}

func unlisted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = unlisted(v[key])
		}
	case []any:
		for i := range v {
			v[i] = unlisted(v[i])
		}
		if len(v) == 1 {
			return v[0]
		}
	}
	return v
}
