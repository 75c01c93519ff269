package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

// TestMistakesInAccountsFiles point at the line of the account, in the accounts file.
func TestMistakesInAccountsFiles(t *testing.T) {
	const wrong = `this is not an AWS account id; each line must have one id of 12 digits, such as 111122223333 or 012345678901`
	mistakes := map[string]string{
		"good": "", "windows": "",
		"empty":         ":1:1: the file has no account; at least one AWS account id is required, such as 111122223333\n",
		"only_comments": ":1:1: the file has no account; at least one AWS account id is required, such as 111122223333\n***",
		"short":         ":3:3: " + wrong + "\n  1234567890 ***",
		"one_line":      ":1:1: " + wrong + "\n111122223333\\t444455556666",
		"csv":           ":1:1: " + wrong + "\n***",
		"json":          ":1:1: " + wrong + "\n[",
		"twice":         ":3:1: account 111122223333 is listed twice in this file\n111122223333 ***",
		"secret":        ":1:1: " + wrong + "\n[***",
		"not_utf8":      ":1:1: " + wrong + "\n111122223333***",
		"control":       ":1:1: " + wrong + "\n1111***",
		"wide_digits":   ":1:1: " + wrong + "\n***",
		"long":          ":1:1: " + wrong + "\n" + strings.Repeat("1 ", 30) + "***",
	}
	for name, want := range mistakes {
		path := "testdata/accounts/" + name + ".txt"
		_, err := parse("testdata/accounts/config.yml", fmt.Appendf(nil, organization, "accounts_file: "+name+".txt"))
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		if diff := cmp.Diff(path+want, fmt.Sprint(err)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if strings.ContainsFunc(strings.ReplaceAll(fmt.Sprint(err), "\n", ""), printable.Hidden) {
			t.Errorf("%s: the error hides something: %q", path, err)
		}
	}
	files, err := filepath.Glob("testdata/accounts/*.txt")
	if err != nil || len(files) != len(mistakes) {
		t.Errorf("testdata/accounts has %d files, of which %d are expected here: %v", len(files), len(mistakes), err)
	}
}

// TestASecondNameFromAnAccountsFile points at the account that makes it, and hides what the
// configuration hides.
func TestASecondNameFromAnAccountsFile(t *testing.T) {
	template := "- {name: '%s{account}', pipelines: [{name: a}], role_arn: 'arn:aws:iam::{account}:role/a', external_id: %s, accounts_file: good.txt}\n"
	for name, c := range map[string]struct{ text, want string }{
		"a plain target has it": {
			"- {name: golden-012345678901, pipelines: [{name: a}]}\n" + fmt.Sprintf(template, "golden-", "verysecret"),
			":4:2: another target has the name \"golden-012345678901\"; target names must be unique\n\\t012345678901  ***",
		},
		"two targets with accounts have it": {
			fmt.Sprintf(template, "golden-", "verysecret") + fmt.Sprintf(template, "golden-", "verysecret"),
			":2:1: another target has the name \"golden-111122223333\"; target names must be unique\n111122223333",
		},
		"it is an external id": {
			fmt.Sprintf(template, "very-", "very-111122223333") + fmt.Sprintf(template, "very-", "verysecret"),
			":2:1: another target has the name \"***\"; target names must be unique\n111122223333",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("testdata/accounts/config.yml", []byte("targets:\n"+c.text))
			if diff := cmp.Diff("testdata/accounts/good.txt"+c.want, fmt.Sprint(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAccountsFilesThatCannotBeRead holds that errors point at the key that names them, and have a
// cause: another try may read them.
func TestAccountsFilesThatCannotBeRead(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "conf", "config.yml", fmt.Sprintf(organization, "accounts_file: accounts.txt"))
	_, err := Load("conf/config.yml")
	const want = `conf/config.yml:7:18: the accounts file "conf/accounts.txt" cannot be read: no such file or directory` + "\n  accounts_file: accounts.txt"
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there (-want +got):\n%s", diff)
	}
	for size, large := range map[int]bool{maxAccountsBytes: false, maxAccountsBytes + 1: true} {
		writeFile(t, "conf", "accounts.txt", "111122223333\n#"+strings.Repeat("x", size-14))
		_, err := Load("conf/config.yml")
		if got := strings.Contains(fmt.Sprint(err), `accounts.txt" is larger than 1 MiB`); got != large || !large && err != nil {
			t.Errorf("of %d bytes: %.300v", size, err)
		}
	}
}

// TestTheChecksumIsThatOfAllFiles finds a change of the configuration and of the accounts files
// that it names, and fails when one of them cannot be read.
func TestTheChecksumIsThatOfAllFiles(t *testing.T) {
	for name, key := range map[string]string{"a plain key": "accounts_file", "an escaped key": `"accounts\u005ffile"`} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			config := writeFile(t, folder, "config.yml", fmt.Sprintf(organization, key+": accounts.txt"))
			if _, err := Checksum(config); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("without the accounts file: %v", err)
			}
			seen := map[string]bool{}
			next := func(what string, another bool) {
				t.Helper()
				sum, err := Checksum(config)
				if err != nil || seen[sum] == another {
					t.Errorf("%s: %s, %v, among %v", what, sum, err, seen)
				}
				seen[sum] = true
			}
			writeFile(t, folder, "accounts.txt", "111122223333\n")
			next("at first", true)
			next("nothing changed", false)
			writeFile(t, folder, "other.txt", "111122223333\n")
			next("a file that is not named", false)
			writeFile(t, folder, "accounts.txt", "111122223333\n444455556666\n")
			next("another account", true)
			writeFile(t, folder, "config.yml", fmt.Sprintf(organization, key+": accounts.txt")+"lookup: {burst: 1}\n")
			next("another configuration", true)
			writeFile(t, folder, "config.yml", "not: [yaml\n# accounts_file: none.txt\n")
			next("no YAML", true)
		})
	}
}

// TestTheChecksumReadsEachFileOnce, and no more files than a load, however often the configuration
// names them.
func TestTheChecksumReadsEachFileOnce(t *testing.T) {
	text := "targets:\n"
	var want []string
	for i := range maxAccountsFiles + 1 {
		text += fmt.Sprintf("- &%d {accounts_file: %d.txt}\n- *%d\n- {accounts_file: ../conf/%d.txt}\n", i, i, i, i)
		if i < maxAccountsFiles {
			want = append(want, fmt.Sprintf("conf/%d.txt", i))
		}
	}
	if diff := cmp.Diff(want, accountsFiles("conf/config.yml", []byte(text))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestALoadReadsEachFileOnce so that all targets that name it have the same accounts, also when it
// changes meanwhile.
func TestALoadReadsEachFileOnce(t *testing.T) {
	folder := t.TempDir()
	d, err := parseDocument(filepath.Join(folder, "config.yml"), []byte("targets: []"))
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"111122223333\n", "444455556666\n", "nonsense\n"} {
		writeFile(t, folder, "accounts.txt", content)
		all, err := d.accountsFile(d.root, "accounts.txt")
		if err != nil || len(all) != 1 || all[0].id != "111122223333" {
			t.Errorf("with %q: %v, %v", content, all, err)
		}
	}
}
