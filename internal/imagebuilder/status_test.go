package imagebuilder

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/google/go-cmp/cmp"
)

// TestTheStatusesOfTheSDK fails when the SDK learns a status that the tables do not have.
func TestTheStatusesOfTheSDK(t *testing.T) {
	if diff := cmp.Diff(sorted(types.WorkflowExecutionStatus("").Values()), texts(Statuses())); diff != "" {
		t.Errorf("statuses of executions (-SDK +table):\n%s", diff)
	}
	steps := append(types.WorkflowStepExecutionStatus("").Values(), "WAITING")
	if diff := cmp.Diff(sorted(steps), texts(StepStatuses())); diff != "" {
		t.Errorf("statuses of steps (-SDK +table):\n%s", diff)
	}
	if diff := cmp.Diff(sorted(types.ImageStatus("").Values()), texts(ImageStatuses())); diff != "" {
		t.Errorf("states of images (-SDK +table):\n%s", diff)
	}
}

func sorted[S ~string](all []S) []string { return slices.Sorted(slices.Values(texts(all))) }

func texts[S ~string](all []S) []string {
	list := make([]string, len(all))
	for i, s := range all {
		list[i] = string(s)
	}
	return list
}

func TestFactsOfStatuses(t *testing.T) {
	for _, c := range []struct {
		fact string
		of   func(Status) bool
		want string
	}{
		{"final", Status.Final, "CANCELLED COMPLETED FAILED ROLLBACK_COMPLETED SKIPPED"},
		{"failed", Status.Failed, "FAILED ROLLBACK_COMPLETED ROLLBACK_IN_PROGRESS"},
		{"active", Status.Active, "ROLLBACK_IN_PROGRESS RUNNING"},
		{"good", Status.Good, "COMPLETED"},
	} {
		if diff := cmp.Diff(c.want, those(append(Statuses(), "PAUSED"), c.of)); diff != "" {
			t.Errorf("statuses that are %s (-want +got):\n%s", c.fact, diff)
		}
	}
	for _, c := range []struct {
		fact string
		of   func(ImageStatus) bool
		want string
	}{
		{"ended", ImageStatus.Ended, "AVAILABLE CANCELLED DELETED DEPRECATED DISABLED FAILED"},
		{"failed", ImageStatus.Failed, "FAILED"},
		{"active", ImageStatus.Active, "BUILDING CREATING DISTRIBUTING INTEGRATING TESTING"},
		{"good", ImageStatus.Good, "AVAILABLE DEPRECATED DISABLED"},
	} {
		if diff := cmp.Diff(c.want, those(append(ImageStatuses(), "PAUSED"), c.of)); diff != "" {
			t.Errorf("states that are %s (-want +got):\n%s", c.fact, diff)
		}
	}
}

// those returns the statuses of which something holds, with spaces between them.
func those[S ~string](all []S, holds func(S) bool) string {
	return strings.Join(texts(slices.DeleteFunc(all, func(s S) bool { return !holds(s) })), " ")
}

func TestAStatusOfTheFutureIsNotKnown(t *testing.T) {
	if Status("PAUSED").Known() || Status("").Known() || ImageStatus("PAUSED").Known() || ImageStatus("").Known() {
		t.Error("a status that the API reference does not have is known")
	}
}
