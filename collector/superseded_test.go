package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

func TestSupersededExecutions(t *testing.T) {
	failed := &imagebuilder.Execution{Status: "FAILED"}
	for _, c := range []struct {
		name string
		e    lookup.Execution
		want []string
	}{
		{"it is not known", lookup.Execution{Value: failed}, nil},
		{"it is not", lookup.Execution{Value: failed, Superseded: lookup.Fact{Known: true}}, []string{`imagebuilder_workflow_execution_superseded{workflow_execution_id="wf-1"} 0`}},
		{"it is", lookup.Execution{Value: failed, Superseded: lookup.Fact{Known: true, True: true}}, []string{`imagebuilder_workflow_execution_superseded{workflow_execution_id="wf-1"} 1`}},
		{"the execution is not published", lookup.Execution{Superseded: lookup.Fact{Known: true, True: true}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.e.ID = "wf-1"
			got := series(t, lookup.Snapshot{Executions: []lookup.Execution{c.e}}, Options{}, "imagebuilder_workflow_execution_superseded")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
