package imagebuilder

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
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

func TestAListWithoutAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pages atomic.Int64
		client, reg := newTestClient(t, &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler {
			return answer(`{"requestId":"x","imagePipelineList":[],"nextToken":"%d"}`, pages.Add(1))
		}})
		_, err := client.ListImagePipelines(t.Context(), nil)
		if !errors.Is(err, Invalid) || pages.Load() != maxPages || invalid(t, reg, "pages") != 1 {
			t.Errorf("%v after %d pages", err, pages.Load())
		}
	})
}

// lists are the operations that have pages, with the keys of their rows.
var lists = map[string]string{
	"ListWorkflowExecutions": "workflowExecutions", "ListWorkflowStepExecutions": "steps", "ListWaitingWorkflowSteps": "steps",
	"ListImagePipelines": "imagePipelineList", "ListImagePipelineImages": "imageSummaryList", "ListImageBuildVersions": "imageSummaryList",
	"ListImages": "imageVersionList",
}

// TestTokensThatComeAgain names the pages of a list by these tokens, over and over.
func TestTokensThatComeAgain(t *testing.T) {
	for tokens, pages := range map[string]int64{"A": 2, "AB": 3, "ABC": 4, "AAB": 2, "ABB": 3, "ABCDEFGHIJ": 11} {
		for operation, key := range lists {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				client, reg := newTestClient(t, &emulator.API{Scenario: emulator.Runs(), Fault: func(string, string) http.Handler {
					return answer(`{"requestId":"x",%q:[],"nextToken":"%c"}`, key, tokens[int(asked.Add(1)-1)%len(tokens)])
				}})
				_, err := calls[operation](client, t.Context())
				if !errors.Is(err, Invalid) || asked.Load() != pages || invalid(t, reg, "pages") != 1 {
					t.Errorf("%s, tokens %s: %v after %d pages, want %d; %g are counted", operation, tokens, err, asked.Load(), pages, invalid(t, reg, "pages"))
				}
			})
		}
	}
}

// TestTheStepsOfAnExecutionAreBounded lists so many steps of one execution.
func TestTheStepsOfAnExecutionAreBounded(t *testing.T) {
	for _, c := range []struct{ steps, pageSize, rows, pages int }{
		{625, 25, 625, 25},
		{626, 25, 0, 25},
		{40_000, 25, 0, 25},
		{25, 1, 25, 25},
		{26, 1, 0, 25},
	} {
		synctest.Test(t, func(t *testing.T) {
			run := emulator.Run{ID: testID, Start: time.Now(), Steps: make([]emulator.Step, c.steps)}
			api := &emulator.API{Scenario: emulator.Runs(run), PageSize: c.pageSize}
			client, reg := newTestClient(t, api)
			steps, err := client.ListWorkflowStepExecutions(t.Context(), testID, nil)
			if len(steps) != c.rows || api.Requests("ListWorkflowStepExecutions") != c.pages {
				t.Errorf("of %d steps %d are read, in %d requests: %v", c.steps, len(steps), api.Requests("ListWorkflowStepExecutions"), err)
			}
			bad := 0.
			if c.rows == 0 {
				bad = 1
			}
			if errors.Is(err, Invalid) != (bad == 1) || invalid(t, reg, "pages") != bad {
				t.Errorf("of %d steps: %v, %g are counted", c.steps, err, invalid(t, reg, "pages"))
			}
		})
	}
}

// TestPagesWithTooManyRows has the rows of a whole list in one page, and one more.
func TestPagesWithTooManyRows(t *testing.T) {
	for operation, c := range map[string]struct {
		row  string
		most int
	}{
		"ListWorkflowStepExecutions": {`{"stepExecutionId":"step-%d"}`, 625},
		"ListImagePipelines":         {`{"arn":"arn:%d","name":"a"}`, 50_000},
	} {
		for _, tooMany := range []int{0, 1} {
			rows := make([]string, c.most+tooMany)
			for n := range rows {
				rows[n] = fmt.Sprintf(c.row, n)
			}
			synctest.Test(t, func(t *testing.T) {
				client, reg := newTestClient(t, always(answer(`{"requestId":"x",%q:[%s]}`, lists[operation], strings.Join(rows, ","))))
				n, err := calls[operation](client, t.Context())
				if tooMany == 0 && (n != c.most || err != nil) || tooMany == 1 && (n != 0 || !errors.Is(err, Invalid)) || invalid(t, reg, "pages") != float64(tooMany) {
					t.Errorf("%s: of %d rows %d are read, %v; %g are counted", operation, len(rows), n, err, invalid(t, reg, "pages"))
				}
			})
		}
	}
}

// TestAListHasATimeLimit reads a list each of whose pages comes late, and names another one.
func TestAListHasATimeLimit(t *testing.T) {
	for _, c := range []struct {
		name    string
		limits  Limits
		late    time.Duration // each page
		pages   int64         // of an endless list
		took    time.Duration
		problem error
	}{
		{"slow pages", Limits{Concurrency: 1, Burst: 1, Timeout: 10 * time.Second}, 9 * time.Second, 67, 603 * time.Second, errListTime},
		{"a short time limit of a page", Limits{Concurrency: 1, Burst: 1, Timeout: time.Second}, 900 * time.Millisecond, 667, 600300 * time.Millisecond, errListTime},
		{"a long time limit of a page", Limits{Concurrency: 1, Burst: 1, Timeout: time.Minute}, 50 * time.Second, 73, 3650 * time.Second, errListTime},
		{"pages that wait for their turn", Limits{Concurrency: 1, RateLimit: 0.4, Burst: 4, Timeout: 10 * time.Second}, 0, maxPages, 19990 * time.Second, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int64
			client, reg := newClientWith(t, &emulator.API{Scenario: emulator.Runs(), Latency: c.late, Fault: func(string, string) http.Handler {
				return answer(`{"requestId":"x","imagePipelineList":[],"nextToken":"%d"}`, asked.Add(1))
			}}, ClientConfig{Limits: c.limits})
			begin := time.Now()
			_, err := client.ListImagePipelines(t.Context(), nil)
			if took := time.Since(begin).Round(time.Millisecond); took != c.took || asked.Load() != c.pages {
				t.Errorf("%s: %d pages in %s, want %d in %s", c.name, asked.Load(), took, c.pages, c.took)
			}
			if errors.Is(err, errListTime) != (c.problem != nil) || errors.Is(err, Unavailable) != (c.problem != nil) || (invalid(t, reg, "pages") == 0) != (c.problem != nil) {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
}

// TestTheTimeLimitOfAListIsThatOfEachPageToo has a list whose second page hangs.
func TestTheTimeLimitOfAListIsThatOfEachPageToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := newTestClient(t, queued(answer(`{"requestId":"x","imagePipelineList":[],"nextToken":"2"}`), emulator.Hang()))
		begin := time.Now()
		_, err := client.ListImagePipelines(context.Background(), nil)
		if took := time.Since(begin); took != 10*time.Second || !errors.Is(err, errTimeLimit) {
			t.Errorf("after %s: %v", took, err)
		}
	})
}
