package status

import (
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// oneFailed is an execution that failed in its second step, followed by two targets of which the
// second knows more, with another execution of the same build.
func oneFailed() (all []lookup.Snapshot, id string) {
	e, test, other := executionOf(1, "FAILED"), executionOf(2, "SKIPPED"), executionOf(3, "COMPLETED")
	test.Value.ImageBuildVersionARN, test.Value.WorkflowType = e.Value.ImageBuildVersionARN, "TEST"
	e.Value.Start, e.Value.End, e.Value.Message = now.Add(-time.Hour), now.Add(-20*time.Minute), "Step 'Harden' failed"
	e.Steps = []imagebuilder.Step{
		{ID: "step-2", Name: "Harden", Action: "ExecuteComponents", Status: "FAILED", Message: "exit code 1", Start: now.Add(-50 * time.Minute), End: now.Add(-20 * time.Minute)},
		{ID: "step-1", Name: "Launch", Status: "COMPLETED", Start: now.Add(-time.Hour), End: now.Add(-50 * time.Minute)},
		{ID: "step-3", Name: "Snapshot", Status: "PENDING"},
	}
	s := snapshot(e, test, other)[0]
	s.Images = []lookup.Image{{
		Pipeline: "Linux", Failed: &imagebuilder.Failure{ExecutionID: e.ID, Step: "Harden", Component: &imagebuilder.ComponentFailure{ARN: component, Phase: "build", Message: "no agent"}},
		Image: &imagebuilder.Image{ARN: e.Value.ImageBuildVersionARN, Status: "FAILED", Build: e.Value.Image, Reason: "the build failed"},
	}}
	first := snapshot(lookup.Execution{ID: e.ID})[0]
	first.Name = "other"
	return []lookup.Snapshot{first, s}, e.ID
}

func TestThePageOfAnExecution(t *testing.T) {
	all, id := oneFailed()
	body := get(t, all, "/executions/"+strings.ToUpper(id[3:4])+id[4:], "").Body.String()
	if !strings.Contains(body, "is not a workflow execution id") {
		t.Errorf("half an id answers\n%s", body)
	}
	w := get(t, all, "/executions/wf-"+strings.ToUpper(id[3:]), "text/html")
	body = w.Body.String()
	for _, want := range []string{
		"<title>BUILD of linux 1.0.0/1 – imagebuilder_exporter</title>", `<link rel="stylesheet" href="../executions/style.css">`,
		`<a href="../executions">All executions</a>`, `<a href="../executions?pipeline=Linux&amp;region=eu-west-1&amp;target=golden">`,
		"Why it failed", "step Harden, component harden 1.2.0, phase build", "no agent", "Step &#39;Harden&#39; failed", "the build failed", "exit code 1",
		`<dt>took</dt><dd>40m</dd>`, `<td class="number">30m</td>`, `<rect x="0.0" width="25.0"`, `<rect x="25.0" width="75.0"`, "not started",
		"https://eu-west-1.console.aws.amazon.com/imagebuilder/", "/log-events/1.0.0$252F1", `<a href="../executions/wf-00000000-0000-4000-8000-000000000002">TEST`,
		"The same execution in <bdi>other</bdi>", "not looked up yet", "The steps of this execution are not known",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q:\n%s", want, body)
		}
	}
	if w.Code != http.StatusOK || strings.Contains(body, "000000000003") || strings.Contains(body, "style=") || strings.Contains(body, "<script") {
		t.Errorf("%d, or the page shows another build, or has scripts or styles", w.Code)
	}
	checkWellFormed(t, body)
}

func TestAnExecutionAsJSON(t *testing.T) {
	all, id := oneFailed()
	var got struct {
		Found []struct {
			Target string
			ID     string `json:"workflow_execution_id"`
			Status string
			Steps  []step `json:"step_executions"`
			Image  *image
		} `json:"workflow_executions"`
	}
	if err := json.Unmarshal(get(t, all, "/executions/"+id, "application/json").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, s := range got.Found[0].Steps {
		steps = append(steps, s.Name)
	}
	if diff := cmp.Diff([]string{"Launch", "Harden", "Snapshot"}, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	f := got.Found[0]
	if len(got.Found) != 2 || f.Target != "golden" || f.ID != id || f.Status != "FAILED" || f.Image == nil || f.Image.Failure.ComponentPhase != "build" || got.Found[1].Target != "other" {
		t.Errorf("got %+v", got)
	}
}

func TestPagesThatAreNotThere(t *testing.T) {
	all, _ := oneFailed()
	for path, want := range map[string]string{
		"/executions/wf-00000000-0000-4000-8000-000000000099": "no target follows the workflow execution wf-00000000-0000-4000-8000-000000000099",
		"/executions/<script>":                                `"<script>" is not a workflow execution id; it must be wf- followed by a UUID, such as wf-165b1cb6-3a62-4618-a021-94ddcbe32908`,
	} {
		for _, accept := range []string{"*/*", "application/json"} {
			w := get(t, all, path, accept)
			if got := strings.TrimSpace(w.Body.String()); w.Code != http.StatusNotFound || got != want || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
				t.Errorf("%s as %s: %d %q, want 404 %q", path, accept, w.Code, got, want)
			}
		}
		w := get(t, all, path, "text/html,*/*;q=0.8")
		if body := w.Body.String(); w.Code != http.StatusNotFound || !strings.Contains(body, "<p>"+template.HTMLEscapeString(want)+".</p>") || !strings.Contains(body, `<a href="../executions">`) {
			t.Errorf("%s in a browser: %d %s", path, w.Code, body)
		}
	}
}

// TestAnExecutionOfABuildThatFailed in its distribution says so, and shows the others in the order
// of their start.
func TestAnExecutionOfABuildThatFailed(t *testing.T) {
	all, _ := oneFailed()
	s := &all[1]
	for i, x := range s.Executions {
		x.Value.Status, x.Value.ImageBuildVersionARN = "COMPLETED", s.Images[0].ARN
		if i == 1 {
			x.Value.Status, x.Value.Start = "PENDING", time.Time{}
		}
	}
	s.Images[0].Failed = &imagebuilder.Failure{Stage: "DISTRIBUTING", Distribution: &imagebuilder.DistributionFailure{Message: "2 Regions failed."}}
	body := get(t, all, "/executions/"+s.Executions[0].ID, "text/html").Body.String()
	for _, want := range []string{"The image build failed, not this execution", "2 Regions failed.", `<dt>image build</dt><dd><span class="status failed">`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q:\n%s", want, body)
		}
	}
	_, others, _ := strings.Cut(body, "Executions of this build")
	if last := others[strings.LastIndex(others, "<li>"):]; !strings.Contains(last, "PENDING") {
		t.Errorf("what has not begun is not the last one:\n%s", others)
	}
	failed := newPage(all, query{Page: 1, Sort: "started"}, now).Failed.First
	if len(failed) != 1 || !strings.HasPrefix(failed[0].Href, "executions/wf-") {
		t.Errorf("the failure leads to %+v, want an execution of the build", failed)
	}
}

// TestAnExecutionThatWaits says so, since when, and until when.
func TestAnExecutionThatWaits(t *testing.T) {
	e := executionOf(1, "RUNNING")
	e.Value.Message = "in progress"
	s := snapshot(e, executionOf(2, "RUNNING"))
	s[0].Waiting = []lookup.WaitingStep{
		{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: e.ID, ID: "step-1", Name: "Approve", Since: now.Add(-time.Hour)}, Timeout: now.Add(time.Hour)},
		{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: executionOf(2, "").ID, ID: "step-1", Name: "Elsewhere", Since: now}},
	}
	body := get(t, s, "/executions/"+e.ID, "text/html").Body.String()
	for _, want := range []string{"<bdi>Approve</bdi> has been waiting for an approval since", "times out", "in progress", "running for"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "Elsewhere") || strings.Contains(body, "Why it failed") {
		t.Errorf("the page has the step of another execution, or says why a running one failed:\n%s", body)
	}
}

// TestThePageOfAPipeline is that of all executions, filtered: with all that is known of it.
func TestThePageOfAPipeline(t *testing.T) {
	all := twoPipelines()
	all[0].Pipelines[0].Schedule = &imagebuilder.Schedule{Expression: "rate(1 day)", Timezone: "UTC", AutoDisableFailures: 5}
	all[0].Pipelines[0].ConsecutiveFailures = pointer(2)
	body := pageOf(t, all, strings.TrimPrefix(pipelineHref("golden", "eu-west-1", "Linux"), "executions?"))
	for _, want := range []string{
		"<h1>Pipeline <bdi>Linux</bdi></h1>", "<title>Linux – imagebuilder_exporter</title>", "rate(1 day)", "AWS disables it at 5", `<a href="executions">All executions</a>`,
		"#/pipelines/" + arnOf + "image-pipeline/linux", "pipeline$252Flinux", `aria-label="last builds, the newest last: FAILED"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not have %q:\n%s", want, body)
		}
	}
	for _, more := range []string{"&status=COMPLETED", "&q=nothing", "&page=2"} { // what its own links lead to
		if body := pageOf(t, all, "target=golden&region=eu-west-1&pipeline=Linux"+more); !strings.Contains(body, "<h1>Pipeline <bdi>Linux</bdi></h1>") {
			t.Errorf("with %s it is no longer the page of the pipeline", more)
		}
	}
	for _, query := range []string{"", "pipeline=Linux", "pipeline=Other&region=eu-west-1"} {
		if body := pageOf(t, all, query); !strings.Contains(body, "<h1>Workflow executions</h1>") {
			t.Errorf("%s: several pipelines, or none, have the page of one", query)
		}
	}
}
