package emulator

import (
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestThePackageListsItsOperations compares the package comment with what is answered, and the
// parameter that each operation needs.
func TestThePackageListsItsOperations(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile(`(?m)^  - (\w+\(\w*\))`).FindAllStringSubmatch(file.Doc.Text(), -1) {
		told = append(told, m[1])
	}
	var answered []string
	for path, o := range operations {
		_, path, _ = strings.Cut(path, " ")
		if name := operationName(path); name != "" {
			answered = append(answered, name+"("+o.parameter+")")
		}
	}
	for _, name := range slices.Collect(maps.Keys(stsOperations)) {
		parameter := map[string]string{"AssumeRole": "RoleArn"}[name]
		answered = append(answered, name+"("+parameter+")")
	}
	slices.Sort(told)
	slices.Sort(answered)
	if diff := cmp.Diff(answered, told); diff != "" {
		t.Errorf("the operations of the package comment (-want +got):\n%s", diff)
	}
}
