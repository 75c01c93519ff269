package config

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	// maxAccountsBytes bounds an accounts file: room for 10,000 ids with a comment each.
	maxAccountsBytes = 1 << 20
	// maxAccountsFiles bounds how many of them a configuration names.
	maxAccountsFiles = 100
)

// accountsFile returns the accounts of the file that n, a value of accounts_file, names. Each file
// is read once: all targets that name it have the same accounts.
func (d *document) accountsFile(n *yaml.Node, file string) ([]account, error) {
	path := d.pathOf(file)
	if all, ok := d.accountsFiles[path]; ok {
		return all, nil
	}
	if len(d.accountsFiles) == maxAccountsFiles {
		return nil, d.errorf(n, "a configuration can refer to at most %d accounts files", maxAccountsFiles)
	}
	data, err := readFile(path, maxAccountsBytes)
	if err != nil {
		return nil, d.unreadable(n, path, err)
	}
	all, err := d.parseAccounts(path, data)
	if err != nil {
		return nil, err
	}
	if d.accountsFiles == nil {
		d.accountsFiles = map[string][]account{}
	}
	d.accountsFiles[path] = all
	return all, nil
}

// pathOf returns the path of a file that d names: relative to the folder of d.
func (d *document) pathOf(file string) string {
	if filepath.IsAbs(file) {
		return filepath.Clean(file)
	}
	return filepath.Join(filepath.Dir(d.name), file)
}

// unreadable returns an Error at n, which names a file that could not be read. The content of d
// does not explain it, so it has a cause.
func (d *document) unreadable(n *yaml.Node, path string, cause error) error {
	err := d.errorf(n, "the accounts file %q %s", path, reason(cause))
	if mistake, ok := errors.AsType[*Error](err); ok {
		mistake.Cause = cause
	}
	return err
}

// parseAccounts returns the ids in data, the content of an accounts file: one a line, with blank
// lines, and comments from # on. There must be at least one, and each may stand once.
func (d *document) parseAccounts(path string, data []byte) ([]account, error) {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(string(data), "\ufeff"))
	file := &document{name: path, lines: strings.Split(text, "\n")}
	errorAt := func(line, column int, format string, args ...any) error {
		sentence := viewOf(d, 1).sentence(fmt.Sprintf(format, args...)) // it may cite the configuration
		return file.mistake(line, column, sentence, onlyIDs(file.line(line)))
	}
	var all []account
	seen := map[string]bool{}
	for i, line := range file.lines {
		id, _, _ := strings.Cut(line, "#")
		trimmed := strings.TrimLeft(id, " \t")
		column := utf8.RuneCountInString(id) - utf8.RuneCountInString(trimmed) + 1
		if id = strings.TrimRight(trimmed, " \t"); id == "" {
			continue
		}
		errorf := func(format string, args ...any) error { return errorAt(i+1, column, format, args...) }
		switch {
		case !accountID.MatchString(id):
			return nil, errorf("this is not an AWS account id; each line must have one id of 12 digits, such as %s or 012345678901", exampleAccount)
		case seen[id]:
			return nil, errorf("account %s is listed twice in this file", id)
		}
		seen[id] = true
		all = append(all, account{id, errorf})
	}
	if len(all) == 0 {
		return nil, errorAt(1, 1, "the file has no account; at least one AWS account id is required, such as %s", exampleAccount)
	}
	return all, nil
}

// ids finds the beginning of a line that can hold no secret: digits, and what people put between
// account ids.
var ids = regexp.MustCompile(`^[\d \t,;"'\[\]-]{0,60}`)

// onlyIDs returns what may be shown of a line of an accounts file, which may be any file when the
// path is wrong.
func onlyIDs(line string) string {
	shown := ids.FindString(line)
	if len(shown) < len(line) {
		shown += mask
	}
	return shown
}

// accountsFiles returns the paths of the accounts files that a configuration names, each once, as
// far as it can be read.
func accountsFiles(name string, data []byte) []string {
	if !bytes.Contains(data, []byte("accounts_file")) && !bytes.ContainsRune(data, '\\') { // which may escape it
		return nil
	}
	d, err := parseDocument(name, data)
	if err != nil {
		return nil
	}
	var paths []string
	seen := map[string]bool{}
	targets := resolve(d.at("targets"))
	for i := range targets.Content {
		n := child(targets, i)
		if n == nil {
			break
		}
		if n = child(n, "accounts_file"); n == nil || resolve(n).Kind != yaml.ScalarNode {
			continue
		}
		if path := d.pathOf(resolve(n).Value); !seen[path] && len(paths) < maxAccountsFiles {
			seen[path], paths = true, append(paths, path)
		}
	}
	return paths
}
