package check

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
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
