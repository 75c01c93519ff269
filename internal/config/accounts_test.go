package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// organization has a target with accounts, of which %s says the rest.
const organization = `targets:
- name: golden-{account}
  regions: [eu-west-1, us-east-1]
  pipelines: [{name: golden, builds: 2}]
  role_arn: arn:aws:iam::{account}:role/{account}/reader
  external_id: verysecret
  %s
`

// writeFile writes a file that a test needs, and returns its path.
func writeFile(t *testing.T, folder, name, content string) string {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAccountsMakeOneTargetEach has the same accounts in all ways to write them.
func TestAccountsMakeOneTargetEach(t *testing.T) {
	var want []Target
	for _, id := range []string{"111122223333", "012345678901"} {
		want = append(want, Target{
			Name: "golden-" + id, Regions: []string{"eu-west-1", "us-east-1"}, Pipelines: []Selector{{Name: "golden", Builds: 2}},
			Steps: StepsActive, MaxExecutions: 1000, RoleARN: "arn:aws:iam::" + id + ":role/" + id + "/reader", ExternalID: "verysecret",
		})
	}
	absolute, err := filepath.Abs("testdata/accounts/good.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, accounts := range map[string]string{
		"a list of numbers":                        "accounts: [111122223333, 012345678901]",
		"a list of texts":                          `accounts: ["111122223333", '012345678901']`,
		"a list in lines":                          "accounts:\n  - 111122223333 # prod\n  - 012345678901",
		"a file beside the configuration":          "accounts_file: good.txt",
		"a file in another folder":                 "accounts_file: ../accounts/good.txt",
		"a file with an absolute path":             "accounts_file: " + absolute,
		"a file of Windows, with a byte mark":      "accounts_file: windows.txt",
		"a file whose key is written with escapes": `"accounts\u005ffile": good.txt`,
	} {
		c, err := parse("testdata/accounts/config.yml", fmt.Appendf(nil, organization, accounts))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, c.Targets); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got, want := c.Summary(), "2 targets: 2 pipeline selectors"; got != want {
			t.Errorf("%s: Summary() = %q, want %q", name, got, want)
		}
	}
}

// TestTargetsWithAndWithoutAccounts stand in the order of the file, and targets share a file.
func TestTargetsWithAndWithoutAccounts(t *testing.T) {
	text := fmt.Sprintf(organization, "accounts_file: good.txt") +
		"- {name: containers, pipelines: [{name: a}]}\n" +
		"- {name: 'windows-{account}', images: [{name: a}], role_arn: 'arn:aws:iam::{account}:role/a', accounts_file: ./good.txt}\n"
	c, err := parse("testdata/accounts/config.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, target := range c.Targets {
		got = append(got, target.Name)
	}
	want := []string{"golden-111122223333", "golden-012345678901", "containers", "windows-111122223333", "windows-012345678901"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBoundsOfAccounts has as much as may be, and one more: what accounts make counts as if it
// were written down.
func TestBoundsOfAccounts(t *testing.T) {
	list := func(n int) string {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("%012d", i)
		}
		return "accounts: [" + strings.Join(ids, ", ") + "]"
	}
	target := func(name, rest string) string {
		return "- {name: '" + name + "{account}', role_arn: 'arn:aws:iam::{account}:role/a', " + rest + "}\n"
	}
	long := strings.Repeat("x", maxText-12)
	large, err := checkRegexp("a{1000}")
	if err != nil {
		t.Fatal(err)
	}
	files := func(t *testing.T, n int) (text string) {
		folder := t.TempDir()
		for i := range n {
			file := writeFile(t, folder, fmt.Sprintf("%d.txt", i), "111122223333\n")
			text += target(fmt.Sprint(i, "-"), "pipelines: [{name: b}], accounts_file: "+file)
		}
		return text
	}
	for _, c := range []struct {
		name    string
		most    int
		text    func(t *testing.T, n int) string
		mistake string
	}{
		{"targets", maxTargets, func(_ *testing.T, n int) string {
			return target("", "pipelines: [{name: b}], "+list(n))
		}, ":2:100: with one target per account and region, the file has more than 10000 targets"},
		{"targets in their regions, with others", maxTargets/2 - 1, func(_ *testing.T, n int) string {
			return "- {name: a, pipelines: [{name: b}]}\n- {name: b, pipelines: [{name: b}]}\n" + target("", "regions: [eu-west-1, us-east-1], pipelines: [{name: b}], "+list(n))
		}, "with one target per account and region, the file has more than 10000 targets"},
		{"selectors", maxSelectors / 5, func(_ *testing.T, n int) string {
			return target("", "pipelines: [{name: b}, {name: c}], images: [{name: d}, {name: e}, {name: f}], "+list(n))
		}, "with those of each account, the file has more than 10000 selectors of images and pipelines; one regular expression can match many"},
		{"regular expressions", maxInstructions / large, func(_ *testing.T, n int) string {
			return target("", "pipelines: [{name: 'a{1000}'}], "+list(n))
		}, "with those of each account, the regular expressions are too large in total"},
		{"names and roles", maxFileBytes / (maxText - 12 + len("{account}arn:aws:iam::{account}:role/a")), func(_ *testing.T, n int) string {
			return target(long, "pipelines: [{name: b}], "+list(n))
		}, "with those of each account, the names and roles are larger than 16 MiB in total"},
		{"a name", maxText - 12, func(_ *testing.T, n int) string {
			return target(strings.Repeat("x", n), "pipelines: [{name: b}], "+list(1))
		}, ":2:10: name with its account must not be longer than 8192 bytes"},
		{"a role", maxText - len("arn:aws:iam::111122223333:role//a"), func(_ *testing.T, n int) string {
			return strings.Replace(target("", "pipelines: [{name: b}], "+list(1)), "role/a", "role/"+strings.Repeat("x", n)+"/a", 1)
		}, ":2:33: role_arn with its account must not be longer than 8192 bytes"},
		{"files", maxAccountsFiles, files, "a configuration can refer to at most 100 accounts files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for more := range 2 {
				_, err := parse("x.yml", []byte("targets:\n"+c.text(t, c.most+more)))
				if got := fmt.Sprint(err); strings.Contains(got, c.mistake) != (more == 1) || more == 0 && err != nil {
					t.Errorf("%d of them: %.300s", c.most+more, got)
				}
			}
		})
	}
}
