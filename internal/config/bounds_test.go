package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
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

// TestBoundsOfLargeFiles has files with as much of something as may be, and with one more.
func TestBoundsOfLargeFiles(t *testing.T) {
	const head = "targets:\n- name: a\n"
	list := func(n int, item string) string {
		var text strings.Builder
		for i := range n {
			text.WriteString(strings.ReplaceAll(item, "N", fmt.Sprint(i)))
		}
		return text.String()
	}
	region := func(i int) string { return fmt.Sprintf("eu-%c%c%c-1", 'a'+i/676, 'a'+i/26%26, 'a'+i%26) }
	regions := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, region(i))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	large, err := checkRegexp("a{1000}")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		most    int
		text    func(n int) string
		mistake string
	}{
		{"lines", maxParts - 4, func(n int) string {
			return head + "  pipelines: [{name: b}]\n" + strings.Repeat("\n", n-2)
		}, ":499999:1: the file has more than 500000 lines and values"},
		{"directives", maxDepth, func(n int) string {
			return list(n, "%TAG !aN! x\n") + "---\n" + head + "  pipelines: [{name: b}]\n"
		}, ":101:1: the file has too many YAML directives"},
		{"targets", maxTargets, func(n int) string {
			return "targets:\n" + list(n, "- {name: aN, pipelines: [{name: b}]}\n")
		}, ":2:1: targets has more than 10000 items"},
		{"targets in their regions", maxTargets / 2, func(n int) string {
			return "targets:\n" + list(n, "- {name: aN, regions: [eu-west-1, us-east-1], pipelines: [{name: b}]}\n")
		}, ":5002:3: the file has more than 10000 targets, counted once per region"},
		{"regions of a target", maxRegions, func(n int) string {
			return head + "  regions: " + regions(n) + "\n  pipelines: [{name: b}]\n"
		}, ":3:12: regions has more than 1000 items"},
		{"selectors", maxSelectors, func(n int) string {
			return head + "  pipelines:\n" + list(n, "  - name: bN\n")
		}, ":4:3: the file has more than 10000 selectors of images and pipelines; one regular expression can match many"},
		{"selectors of images, and ARNs beside them", maxSelectors, func(n int) string {
			return head + "  pipelines:\n  - name: b\n  images:\n  - arn:aws:imagebuilder:eu-west-1:111122223333:image/a/1.0.0\n" + list(n-1, "  - name: bN\n")
		}, ":6:3: the file has more than 10000 selectors of images and pipelines; one regular expression can match many"},
		{"selectors that an alias repeats", maxSelectors / 100, func(n int) string {
			return head + "  pipelines: &all\n" + list(100, "  - name: bN\n") + list(n-1, "- {name: cN, pipelines: *all}\n")
		}, ":3:14: the file has more than 10000 selectors of images and pipelines; one regular expression can match many"},
		{"keys of a mapping", maxKeys, func(n int) string {
			return head + "  pipelines:\n  - tags:\n" + list(n, "      kN: a\n")
		}, ":5:7: tags has more than 10000 keys"},
		{"a text", maxText, func(n int) string {
			return head + "  pipelines:\n  - tags:\n      a: " + strings.Repeat("x", n) + "\n"
		}, ":5:10: a value of tags must not be longer than 8192 bytes"},
		{"regular expressions", maxInstructions / large, func(n int) string {
			return head + "  pipelines:\n" + list(n, "  - name: a{1000}\n")
		}, ": the regular expressions are too large in total"},
		{"values that aliases repeat", 498, func(n int) string {
			return head + "  pipelines:\n  - tags: &all\n" + list(1000, "      kN: a\n") + list(n, "  - tags: *all\n")
		}, "with its aliases expanded, the file has more than 1000000 values"},
	} {
		for more := range 2 {
			_, err := parse("x.yml", []byte(c.text(c.most+more)))
			if got := fmt.Sprint(err); strings.Contains(got, c.mistake) != (more == 1) {
				t.Errorf("%s, %d of them: %.300s", c.name, c.most+more, got)
			}
		}
	}
}

// TestHiddenCharacters are refused wherever a text can have them, and shown escaped.
func TestHiddenCharacters(t *testing.T) {
	const target = "targets: [{name: a, pipelines: [{name: b}]%s}]"
	for _, c := range []struct{ name, text, mistake string }{
		{"the name of a target", "targets: [{name: \"a\\e[2J\"}]", `:1:18: name must not contain control characters or invisible characters: "a\x1b[2J"`},
		{"another direction", "targets: [{name: a\u202eb}]", `:1:18: name must not contain control characters or invisible characters: "a\u202eb"`},
		{"no width", "targets: [{name: \"a\\u200b\"}]", `"a\u200b"`},
		{"a tag of Unicode", "targets: [{name: \"a\\U000e0041\"}]", `"a\U000e0041"`},
		{"a line end", "targets: [{name: \"a\\nb\"}]", `"a\nb"`},
		{"the name of a pipeline", "targets: [{name: a, pipelines: [{name: b\u2066c}]}]", `:1:40: name must not contain control characters or invisible characters: "b\u2066c"`},
		{"the key of a tag", "targets: [{name: a, pipelines: [{tags: {b\u200f: c}}]}]", `a key of tags must not contain control characters or invisible characters: "b\u200f"`},
		{"the value of a tag", "targets: [{name: a, pipelines: [{tags: {b: c\u200f}}]}]", `a value of tags must not contain control characters or invisible characters: "\u200f"`},
		{"a region", fmt.Sprintf(target, ", regions: [eu-west-1\u200b]"), `an item of regions must not`},
		{"an image", fmt.Sprintf(target, ", images: [\"a\\r\"]"), `an item of images must not`},
		{"an execution", fmt.Sprintf(target, ", workflow_executions: [\"a\\0\"]"), `an item of workflow_executions must not`},
		{"a role", fmt.Sprintf(target, ", role_arn: \"arn\\t\""), `role_arn must not contain control characters or invisible characters: "arn\t"`},
		{"a session's name", fmt.Sprintf(target, ", session_name: \"a\\x7f\""), `session_name must not`},
		{"an external id", fmt.Sprintf(target, ", external_id: \"verysecret\\u0085\""), `external_id must not contain control characters or invisible characters: "\u0085"`},
		{"an endpoint", fmt.Sprintf(target, ", endpoint_url: \"http://a/\u202e\""), `endpoint_url must not contain control characters or invisible characters: "\u202e"`},
		{"steps", fmt.Sprintf(target, ", steps: \"all\u2029\""), `steps must not`},
		{"a control character in the file", "lookup:\n  burst: 1 # ü\x1b[2J", `:2:15: the file must not contain control characters: "\x1b"`},
	} {
		_, err := parse("x.yml", []byte(c.text))
		if got := fmt.Sprint(err); !strings.Contains(got, c.mistake) || strings.Contains(got, "verysecret") || strings.ContainsFunc(strings.ReplaceAll(got, "\n", ""), printable.Hidden) {
			t.Errorf("%s: %q, want %s", c.name, got, c.mistake)
		}
	}
	for _, name := range []string{"größer", "日本", "Web Server", "a\u00a0b", "👩‍💻", "नमस्\u200dते"} {
		if _, err := parse("x.yml", []byte("targets: [{name: '"+name+"', pipelines: [{name: b}]}]")); err != nil {
			t.Errorf("%q: %v", name, err)
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
