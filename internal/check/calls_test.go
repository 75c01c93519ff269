package check

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

func TestEveryOperationIsTried(t *testing.T) {
	var tried []imagebuilder.Operation
	for _, c := range calls {
		tried = append(tried, c.operation)
		if asksAboutOne := c.operation.Subject() != ""; asksAboutOne != (c.subject != nil) {
			t.Errorf("%s: the table of operations says that it has a subject: %t", c.operation, asksAboutOne)
		}
	}
	want := imagebuilder.Operations()
	slices.Sort(want)
	slices.Sort(tried)
	if diff := cmp.Diff(want, tried); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
}

// TestWhatIsAskedAbout has, for each selection, what the operations ask about.
func TestWhatIsAskedAbout(t *testing.T) {
	const another, gone = "wf-00000000-0000-0000-0000-000000000000", account + "image/web/1.0.0/9"
	web1 := account + "image/web/1.0.0/1"
	for _, c := range []struct {
		name      string
		selection lookup.Selection
		want      map[string]string
	}{
		{
			"an execution that is not there is not asked for steps",
			lookup.Selection{WorkflowExecutions: []string{another}, Pipelines: everything().Pipelines, Steps: lookup.StepsAll},
			map[string]string{"GetWorkflowExecution": another, "ListWorkflowExecutions": web1, "ListWorkflowStepExecutions": id},
		},
		{
			"a build that is not there is not asked for executions",
			lookup.Selection{Images: []string{account + "image/web/1.0.0", gone}},
			map[string]string{"GetImage": gone, "ListWorkflowExecutions": web1},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			api, role := behindRole(web())
			asked := map[string]string{}
			api.Fault = func(operation, id string) http.Handler {
				if _, ok := c.want[operation]; ok {
					asked[operation] = id
				}
				return nil
			}
			run(t, target(t, api, c.selection, role))
			if diff := cmp.Diff(c.want, asked); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		})
	}
}

// TestTheConfiguredExecutionIsAskedForSteps holds that one of a list does not replace it.
func TestTheConfiguredExecutionIsAskedForSteps(t *testing.T) {
	const configured = "wf-00000000-0000-0000-0000-000000000000"
	synctest.Test(t, func(t *testing.T) {
		a := web()
		older := a.Images[0]
		older.ARN, older.Created = account+"image/web/0.9.0/1", older.Created.Add(-time.Hour)
		older.Attempts = []emulator.Attempt{{Runs: []emulator.Run{{ID: configured, Start: older.Created}}}}
		a.Images = append(a.Images, older)
		api, role := behindRole(a)
		asked := map[string]string{}
		api.Fault = func(operation, id string) http.Handler {
			asked[operation] = id
			return nil
		}
		s := lookup.Selection{WorkflowExecutions: []string{configured}, Pipelines: everything().Pipelines, Steps: lookup.StepsAll}
		if got, ok := run(t, target(t, api, s, role)); !ok {
			t.Errorf("it is printed:\n%s", got)
		}
		if got := asked["ListWorkflowStepExecutions"]; got != configured {
			t.Errorf("steps are asked for of %q, want %q", got, configured)
		}
		if got, want := asked["ListWorkflowExecutions"], account+"image/web/1.0.0/1"; got != want {
			t.Errorf("executions are asked for of %q, want %q", got, want)
		}
	})
}

func TestAtMostFivePipelinesAreTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &emulator.Account{}
		for n := range 7 {
			a.Pipelines = append(a.Pipelines, emulator.Pipeline{ARN: fmt.Sprint(account, "image-pipeline/new", n)})
		}
		api, role := behindRole(a)
		run(t, target(t, api, lookup.Selection{Pipelines: everything().Pipelines}, role))
		if n := api.Requests("ListImagePipelineImages"); n != 5 {
			t.Errorf("%d pipelines without images are tried, want 5", n)
		}
	})
}
