package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBounds has values at a bound and just beyond it.
func TestBounds(t *testing.T) {
	const target = "targets: [{name: a, pipelines: [{name: a%s}]%s}]\n"
	role := func(id int) string {
		return fmt.Sprintf(", role_arn: 'arn:aws:iam::111122223333:role/a', external_id: %s", strings.Repeat("x", id))
	}
	name := func(end string) string {
		return ", role_arn: 'arn:aws:iam::111122223333:role/" + strings.Repeat("x", 63) + end + "'"
	}
	for _, c := range []struct{ name, text, mistake string }{
		{"the longest external id", fmt.Sprintf(target, "", role(maxExternalID)), ""},
		{"one that is too long", fmt.Sprintf(target, "", role(maxExternalID+1)), "external_id must be 2 to 1224"},
		{"the largest number", fmt.Sprintf(target, "", "") + "lookup: {concurrency: 9223372036854775807}", ""},
		{"one that is too large", fmt.Sprintf(target, "", "") + "lookup: {concurrency: 9223372036854775808}", "concurrency must be a whole number"},
		{"the longest name of a role", fmt.Sprintf(target, "", name("a")), ""},
		{"one that is too long", fmt.Sprintf(target, "", name("aa")), "role_arn must be"},
		{"the longest name of a role's session", fmt.Sprintf(target, "", role(2)+", session_name: "+strings.Repeat("x", 64)), ""},
		{"one that is too long", fmt.Sprintf(target, "", role(2)+", session_name: "+strings.Repeat("x", 65)), "session_name must be 2 to 64"},
		{"the largest port", fmt.Sprintf(target, "", ", endpoint_url: 'http://a:65535'"), ""},
		{"one that is too large", fmt.Sprintf(target, "", ", endpoint_url: 'http://a:65536'"), "endpoint_url must be"},
		{"port 0", fmt.Sprintf(target, "", ", endpoint_url: 'http://a:0'"), "endpoint_url must be"},
		{"a query", fmt.Sprintf(target, "", ", endpoint_url: 'http://a?b=c'"), "endpoint_url must not contain"},
		{"a fragment", fmt.Sprintf(target, "", ", endpoint_url: 'http://a#b'"), "endpoint_url must not contain"},
		{"tags without any, beside a name", fmt.Sprintf(target, ", tags: ", ""), ""},
	} {
		_, err := parse("x.yml", []byte(c.text))
		if got := fmt.Sprint(err); (err == nil) != (c.mistake == "") || !strings.Contains(got, c.mistake) {
			t.Errorf("%s: %s, want %q", c.name, got, c.mistake)
		}
	}
}

func TestTheLargestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.yml")
	for size, large := range map[int]bool{maxFileBytes: false, maxFileBytes + 1: true} {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		if data, err := read(path); (err != nil) != large || len(data) < size && !large {
			t.Errorf("of %d bytes %d are read: %v", size, len(data), err)
		}
	}
}
