package imagebuilder

import (
	"errors"
	"regexp"
	"testing"
	"testing/synctest"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
)

// TestAClassHidesNothing holds that the error of a classified attempt reads like the SDK's,
// and is one.
func TestAClassHidesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, always(emulator.Error(404, "ResourceNotFoundException", "no such execution")))
		_, err := client.GetWorkflowExecution(t.Context(), testID, nil)
		text := regexp.MustCompile(`RequestID: [0-9a-f-]+`).ReplaceAllString(err.Error(), "RequestID: X")
		want := "GetWorkflowExecution (not_found): https response error StatusCode: 404, RequestID: X, api error ResourceNotFoundException: no such execution"
		if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("the error reads (-want +got):\n%s", diff)
		}
		var operation *smithy.OperationError
		var api smithy.APIError
		if !errors.As(err, &operation) || !errors.As(err, &api) || api.ErrorCode() != "ResourceNotFoundException" {
			t.Errorf("%#v is no error of the SDK", err)
		}
	})
}
