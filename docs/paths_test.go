package docs_test

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestPathsExist holds that every file, folder and test of the repository that a document
// names is there. Other programs' files begin with a /, and a path with a … or <…> is none.
func TestPathsExist(t *testing.T) {
	tests := allTests(t)
	for _, file := range markdown(t) {
		text := blockOfCode.ReplaceAllString(read(t, file), "")
		for _, name := range namedPath.FindAllStringSubmatch(text, -1) {
			if !exists(path.Dir(file), name[1]) {
				t.Errorf("%s names %s, which is not there", file, name[1])
			}
		}
		for _, name := range namedTest.FindAllString(text, -1) {
			if !tests[name] {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
}

// exists reports whether a path or pattern is there: from the root, or from a folder.
func exists(folder, name string) bool {
	for _, from := range []string{name, path.Join(folder, name)} {
		if files, err := fs.Glob(repository, path.Clean(from)); err == nil && len(files) > 0 {
			return true
		}
	}
	return false
}

var (
	blockOfCode = regexp.MustCompile("(?s)```.*?```")
	// A name that ends as files do, or that has a folder of ours at its beginning.
	namedPath = regexp.MustCompile("`((?:[\\w.*-]+/)*[\\w.*-]+\\.(?:go|md|json|tmpl|txt|tf)|" +
		`(?:\.ci|\.github|alerts|collector|dashboards|deploy|docs|e2e|emulator|internal|testdata|tools)/[\w./*-]*)` + "`")
	namedTest = regexp.MustCompile(`\b(?:Test|Benchmark)[A-Z]\w+`)
)

// markdown returns all documents of the repository.
func markdown(t *testing.T) (files []string) {
	t.Helper()
	walk(t, func(file string) {
		if strings.HasSuffix(file, ".md") {
			files = append(files, file)
		}
	})
	return files
}

// allTests returns the names of all tests and benchmarks of the repository.
func allTests(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	walk(t, func(file string) {
		if strings.HasSuffix(file, "_test.go") {
			for _, f := range testFunction.FindAllStringSubmatch(read(t, file), -1) {
				tests[f[1]] = true
			}
		}
	})
	return tests
}

var testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark)\w+)\(`)

// walk visits the files of the repository, and none that is made by a build.
func walk(t *testing.T, visit func(file string)) {
	t.Helper()
	err := fs.WalkDir(repository, ".", func(file string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() && (file == ".git" || file == "bin" || file == "dist") {
			return fs.SkipDir
		}
		if err == nil && !entry.IsDir() {
			visit(file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
