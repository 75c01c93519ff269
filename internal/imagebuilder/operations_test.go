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

// TestTheTableOfOperations compares it with the calls of the SDK in this package.
func TestTheTableOfOperations(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`\bc\.sdk\.(\w+)\(`)
	var called []Operation
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range call.FindAllStringSubmatch(string(source), -1) {
			called = append(called, Operation(match[1]))
		}
	}
	table := Operations()
	slices.Sort(table)
	slices.Sort(called)
	if diff := cmp.Diff(table, called); diff != "" {
		t.Errorf("operations in the table and in the code (-table +code):\n%s", diff)
	}
}

func TestFactsOfOperations(t *testing.T) {
	type facts struct {
		Subject, Resource   string
		Discovery, Optional bool
	}
	for operation, want := range map[Operation]facts{
		GetWorkflowExecution:       {"workflow_execution_id", "workflow-execution/*", false, false},
		ListWorkflowStepExecutions: {"workflow_execution_id", "workflow-execution/*", false, true},
		ListImagePipelineImages:    {"image_pipeline_arn", "image-pipeline/*", true, false},
		ListWaitingWorkflowSteps:   {"", "*", false, true},
		GetWorkflowStepExecution:   {"step_execution_id", "workflow-step-execution/*", false, true},
		ListImages:                 {"", "*", true, false},
		"AssumeRole":               {},
	} {
		got := facts{operation.Subject(), operation.Resource(), operation.Discovery(), operation.Optional()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", operation, diff)
		}
	}
}
