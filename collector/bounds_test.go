package collector_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookuptest"
)

// What the exporter may take of one answer, what buffers on the way hold included.
const (
	mostOfABody    = 4<<20 + 256<<10
	mostOfAHeader  = 10<<20 + 256<<10 // with the transport of emulator.Pipe
	floodBytes     = 100 << 20
	aRole          = "arn:aws:iam::111122223333:role/exporter"
	unboundedImage = "arn:aws:imagebuilder:eu-west-1:111122223333:image/web/1.0.0/1"
)

// flood answers with begin and then endlessly with x, and adds to sent what was taken.
func flood(status int, begin string, sent *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, err := io.WriteString(w, begin)
		pour(w, bytes.Repeat([]byte("x"), 32<<10), err, sent)
	})
}

// pour writes what fills w until that fails, but at most floodBytes.
func pour(w io.Writer, what []byte, err error, sent *atomic.Int64) {
	for total := 0; err == nil && total < floodBytes; total += len(what) {
		var n int
		n, err = w.Write(what)
		sent.Add(int64(n))
	}
}

// floodOfHeaders begins an answer whose header does not end.
func floodOfHeaders(sent *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, err = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		pour(conn, []byte("X-Flood: "+strings.Repeat("x", 32<<10)+"\r\n"), err, sent)
	})
}

// TestAnswersWithoutAnEnd has one target whose API sends without an end, fast or slow.
// That costs it no more than a bounded number of bytes and the time limit, and another
// target nothing.
func TestAnswersWithoutAnEnd(t *testing.T) {
	const whole = `{"workflowExecutionId":"wf-00000001-3a62-4618-a021-94ddcbe32908","status":"RUNNING"}`
	for _, c := range []struct {
		name      string
		operation string
		fault     func(sent *atomic.Int64) http.Handler
		want      string // class, or success, and whether the target is up
		attempts  int    // in each scrape
		bytes     int64  // that are taken in each attempt at most
	}{
		{"100 MB", "GetWorkflowExecution", func(sent *atomic.Int64) http.Handler { return flood(200, `{"message":"`, sent) }, "invalid, up 1", 1, mostOfABody},
		{"100 MB behind the answer", "GetWorkflowExecution", func(sent *atomic.Int64) http.Handler { return flood(200, whole, sent) }, "success, up 1", 1, mostOfABody},
		{"100 MB of a failure", "GetWorkflowExecution", func(sent *atomic.Int64) http.Handler { return flood(500, `{"message":"`, sent) }, "unavailable, up 0", 3, mostOfABody},
		{"100 MB of a refusal", "GetWorkflowExecution", func(sent *atomic.Int64) http.Handler { return flood(400, `{"message":"`, sent) }, "unavailable, up 0", 1, mostOfABody},
		{"100 MB of HTML", "GetWorkflowExecution", func(sent *atomic.Int64) http.Handler { return flood(502, `<html>`, sent) }, "unavailable, up 0", 3, mostOfABody},
		{"100 MB of headers", "GetWorkflowExecution", floodOfHeaders, "unavailable, up 0", 3, mostOfAHeader},
		{"100 MB of STS", "AssumeRole", func(sent *atomic.Int64) http.Handler { return flood(200, `<AssumeRoleResponse>`, sent) }, "denied, up 0", 1, mostOfABody},
		{"100 MB of a failure of STS", "AssumeRole", func(sent *atomic.Int64) http.Handler {
			return flood(500, `<ErrorResponse><Error><Message>`, sent)
		}, "unavailable, up 0", 3, mostOfABody},
		{"100 MB of headers of STS", "AssumeRole", floodOfHeaders, "unavailable, up 0", 3, mostOfAHeader},
		{"a drip", "GetWorkflowExecution", func(*atomic.Int64) http.Handler { return emulator.Drip(200, `{"message":`) }, "unavailable, up 0", 1, 0},
		{"a drip behind the answer", "GetWorkflowExecution", func(*atomic.Int64) http.Handler { return emulator.Drip(200, whole) }, "success, up 1", 1, 0},
		{"a drip of a failure", "GetWorkflowExecution", func(*atomic.Int64) http.Handler { return emulator.Drip(500, `{"message":`) }, "unavailable, up 0", 1, 0},
		{"a drip of STS", "AssumeRole", func(*atomic.Int64) http.Handler { return emulator.Drip(200, `<AssumeRoleResponse>`) }, "unavailable, up 0", 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := emulator.Runs(emulator.Run{ID: lookuptest.ID(1), Start: time.Now(), Steps: []emulator.Step{{Takes: time.Hour}}})
				var sent atomic.Int64
				bad := &emulator.API{
					Scenario: good, Roles: []emulator.Role{{ARN: aRole, Scenario: good}},
					Fault: func(operation, _ string) http.Handler {
						if operation == c.operation {
							return c.fault(&sent)
						}
						return nil
					},
				}
				s := newScraped()
				s.addIDs(t, lookuptest.Config{API: &emulator.API{Scenario: good}}, lookuptest.ID(1))
				config := lookuptest.Config{Name: "bad", API: bad, Selection: lookup.Selection{WorkflowExecutions: []string{lookuptest.ID(1)}}}
				if c.operation == "AssumeRole" {
					config.Role.ARN = aRole
				}
				s.add(t, config)
				begin := time.Now()
				const scrapes = 3
				for n := range scrapes {
					<-time.After(time.Until(begin.Add(time.Duration(n) * 15 * time.Second)))
					told := toldInTime(t, s)
					if told["golden-images"] != "success, up 1" {
						t.Errorf("scrape %d: the other target is told to be %s", n, told["golden-images"])
					}
					if n == scrapes-1 && told["bad"] != c.want {
						t.Errorf("scrape %d is told %s, want %s", n, told["bad"], c.want)
					}
				}
				attempts := bad.Requests(c.operation)
				if attempts > scrapes*c.attempts || attempts < 2 || sent.Load() > int64(attempts)*c.bytes || sent.Load() < int64(attempts)*c.bytes/2 {
					t.Errorf("%d bytes were taken in %d attempts", sent.Load(), attempts)
				}
			})
		})
	}
}

// toldInTime returns what a scrape tells of each target, and holds that it is in time.
func toldInTime(t *testing.T, s *scraped) map[string]string {
	t.Helper()
	w := s.scrape(t)
	told := map[string]string{}
	for target, up := range w.samples("imagebuilder_up", "target") {
		told[target] = fmt.Sprintf("not looked up, up %g", up)
	}
	for target, success := range w.samples("imagebuilder_workflow_execution_lookup_success", "target") {
		if success == 1 {
			told[target] = strings.Replace(told[target], "not looked up", "success", 1)
		}
	}
	for key := range w.samples("imagebuilder_workflow_execution_lookup_error", "target", "class") {
		labels := strings.Fields(key) // in the order of what samples was asked for
		told[labels[0]] = strings.Replace(told[labels[0]], "not looked up", labels[1], 1)
	}
	return told
}

// TestAListOfThousandsOfPages lists pipelines, and executions of an image, to which one
// page is too many.
func TestAListOfThousandsOfPages(t *testing.T) {
	const pages = 2001
	for operation, page := range map[string]string{
		"ListImagePipelines":     `{"requestId":"x","imagePipelineList":[],"nextToken":%q}`,
		"ListWorkflowExecutions": `{"requestId":"x","workflowExecutions":[],"nextToken":%q}`,
	} {
		t.Run(operation, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run := emulator.Run{ID: lookuptest.ID(1), Start: time.Now(), Steps: []emulator.Step{{Takes: 1000 * time.Hour}}}
				account := emulator.Account{
					Runs:   []emulator.Run{run},
					Images: []emulator.Image{{ARN: unboundedImage, Created: time.Now(), Attempts: []emulator.Attempt{{Runs: []emulator.Run{run}}}}},
				}
				var served atomic.Int64
				endless := &emulator.API{Scenario: &account, Fault: func(o, _ string) http.Handler {
					if o != operation {
						return nil
					}
					token := fmt.Sprint(served.Add(1))
					if served.Load()%pages == 0 {
						token = ""
					}
					return emulator.Body(200, "application/json", fmt.Sprintf(page, token))
				}}
				s := newScraped()
				s.addIDs(t, lookuptest.Config{API: &emulator.API{Scenario: &account}}, lookuptest.ID(1))
				s.add(t, lookuptest.Config{Name: "bad", API: endless, Selection: lookup.Selection{
					WorkflowExecutions: []string{lookuptest.ID(1)}, Images: []string{unboundedImage},
					Pipelines: []lookup.Selector{{Name: regexp.MustCompile(`.`), Builds: 1}},
				}})
				begin := time.Now()
				tooLong := func() float64 {
					return gather(t, s.own).samples("imagebuilder_exporter_invalid_responses_total", "target", "reason")["bad pages"]
				}
				for at := time.Duration(0); tooLong() == 0 && at < time.Hour; at += 15 * time.Second {
					<-time.After(time.Until(begin.Add(at)))
					want := map[string]string{"golden-images": "success, up 1", "bad": "success, up 1"}
					if diff := cmp.Diff(want, toldInTime(t, s)); diff != "" {
						t.Fatalf("after %s (-want +got):\n%s", at, diff)
					}
				}
				// Within 15 s the list may have begun anew.
				if n := served.Load(); tooLong() != 1 || n < pages-1 || n > pages-1+15*20 {
					t.Errorf("%d pages were read, %g lists were too long", n, tooLong())
				}
			})
		})
	}
}
