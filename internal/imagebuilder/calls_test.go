package imagebuilder

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryCallIsAnOperation holds Operations against the calls of the SDK in this
// package, so that the policies, which are held against Operations, miss none.
func TestEveryCallIsAnOperation(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var called []Operation
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, call := range sdkCall.FindAllStringSubmatch(string(text), -1) {
			called = append(called, Operation(call[1]))
		}
	}
	slices.Sort(called)
	if diff := cmp.Diff(slices.Sorted(slices.Values(Operations())), called); diff != "" {
		t.Errorf("operations (-table +calls):\n%s", diff)
	}
}

var sdkCall = regexp.MustCompile(`\.sdk\.(\w+)\(ctx`)
