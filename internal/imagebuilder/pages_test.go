package imagebuilder

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// TestPages lists two pages that have a pipeline in common.
func TestPages(t *testing.T) {
	for _, c := range []struct {
		name  string
		of    func(*Client) *Client
		names []string
	}{
		{"the row of the later page counts", func(c *Client) *Client { return c }, []string{"New", "Other"}},
		{"only the first page is asked for", (*Client).FirstPages, []string{"Old"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, _ := newTestClient(t, queued(
				answer(`{"requestId":"x","nextToken":"2","imagePipelineList":[{"arn":%q,"name":"Old"}]}`, testPipeline),
				answer(`{"requestId":"x","imagePipelineList":[{"arn":%q,"name":"New"},{"arn":%q,"name":"Other"}]}`, testPipeline, testPipeline+"2"),
			))
			started := 0
			pipelines, err := c.of(client).ListImagePipelines(t.Context(), func() { started++ })
			var names []string
			for _, p := range pipelines {
				names = append(names, p.Name)
			}
			if diff := cmp.Diff(c.names, names); err != nil || diff != "" {
				t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
			}
			if started != 1 {
				t.Errorf("%s: started is called %d times, want once", c.name, started)
			}
		})
	}
}

func TestSameIDs(t *testing.T) {
	for _, c := range []struct {
		got, want string
		same      bool
	}{
		{testID, testID, true},
		{"wf-" + strings.ToUpper(testID[3:]), testID, true},
		{testImage, testImage, true},
		{strings.ToUpper(testImage), testImage, false},
		{"wf-00000000-0000-0000-0000-000000000000", testID, false},
	} {
		if same := sameID(c.got, c.want); same != c.same {
			t.Errorf("%s and %s are the same: %t", c.got, c.want, same)
		}
	}
}
