package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRoute holds who gets which messages, with a real Alertmanager.
func TestRoute(t *testing.T) {
	r := startRouter(t)
	for name, test := range map[string]func(*testing.T, router, string){
		"pipelines that fail together are few messages, and none is lost":              failTogether,
		"executions without a pipeline are a message each":                             withoutPipeline,
		"info reaches nobody who is paged":                                             infoPagesNobody,
		"a pipeline that fails again and again mutes that it is, or will be, disabled": disabledIsMuted,
		"other people's alerts of the same names go their way and mute none":           othersAlerts,
		"an image that was muted while others were sent is in their last message":      mutedAmongOthers,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, r, strings.ReplaceAll(name, " ", "-"))
		})
	}
}

// failures returns the alerts on pipelines whose builds failed: each on an execution and on
// its image.
func failures(target string, from, to int) (executions, images []posted) {
	for n := from; n < to; n++ {
		image, pipeline := fmt.Sprintf("image_build_version_arn=%simage/linux/1.0.0/%d", account, n), fmt.Sprintf("pipeline=p%d", n)
		executions = append(executions, ours("WorkflowFailed", "critical", target, image, pipeline))
		images = append(images, ours("ImageFailed", "critical", target, image, pipeline))
	}
	return executions, images
}

// failTogether follows 200 pipelines that fail for one cause, one that fails later, and the
// end of all of it.
func failTogether(t *testing.T, r router, target string) {
	executions, images := failures(target, 0, 200)
	r.post(t, slices.Concat(executions, images)...)
	r.until(t, "there is a message", func() bool { return len(r.of("image-builds", target)) > 0 })
	r.settle(t)
	sent := r.of("image-builds", target)
	if len(sent) > 3 {
		t.Errorf("%d messages", len(sent))
	}
	if diff := cmp.Diff(about("firing", executions), sent[len(sent)-1]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	later, laterImages := failures(target, 200, 201)
	executions, images = append(executions, later...), append(images, laterImages...)
	r.post(t, later[0], laterImages[0])
	r.until(t, "one that fails later is told", func() bool { return len(r.of("image-builds", target)) > len(sent) })
	r.resolve(t, slices.Concat(executions, images)...)
	r.settle(t)
	got := r.of("image-builds", target)
	if diff := cmp.Diff([]message{about("firing", executions), about("resolved", executions)}, got[len(sent):]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// about returns the message that lists alerts, all of one status.
func about(status string, alerts []posted) (m message) {
	for _, a := range alerts {
		m = append(m, status+" "+a.Labels["alertname"]+" "+a.Labels["pipeline"]+a.Labels["workflow_execution_id"])
	}
	slices.Sort(m)
	return m
}

func withoutPipeline(t *testing.T, r router, target string) {
	r.post(
		t,
		ours("WorkflowFailed", "critical", target, "workflow_execution_id=wf-1"),
		ours("WorkflowFailed", "critical", target, "workflow_execution_id=wf-2"),
	)
	r.settle(t)
	r.wants(t, "image-builds", target, message{"firing WorkflowFailed wf-1"}, message{"firing WorkflowFailed wf-2"})
}

func infoPagesNobody(t *testing.T, r router, target string) {
	r.post(t, ours("LookupsFailing", "info", target, "lookup=executions"))
	r.settle(t)
	r.wants(t, "image-builds-info", target, message{"firing LookupsFailing "})
	r.wants(t, "image-builds", target)
	r.wants(t, "default", target)
}

func disabledIsMuted(t *testing.T, r router, target string) {
	r.post(
		t,
		ours("PipelineDisabled", "warning", target, "pipeline=a"),
		ours("PipelineAboutToBeDisabled", "warning", target, "pipeline=a"),
		ours("PipelineFailingRepeatedly", "critical", target, "pipeline=a"),
	)
	r.settle(t)
	r.wants(t, "image-builds", target, message{"firing PipelineFailingRepeatedly a"})
}

func othersAlerts(t *testing.T, r router, target string) {
	theirs := ours("TargetDown", "critical", target)
	delete(theirs.Labels, "service")
	r.post(t, theirs, ours("ApiThrottled", "warning", target))
	r.settle(t)
	r.wants(t, "image-builds", target, message{"firing ApiThrottled "})
	r.wants(t, "default", target, message{"firing TargetDown "})
}

// mutedAmongOthers shows what docs/alerts.md says of messages on what has ended: Alertmanager
// does not know which alerts of a group it has sent.
func mutedAmongOthers(t *testing.T, r router, target string) {
	executions, images := failures(target, 0, 2)
	r.post(t, executions[0], images[0], images[1])
	r.settle(t)
	r.resolve(t, executions[0], images[0], images[1])
	r.settle(t)
	r.wants(
		t, "image-builds", target,
		message{"firing ImageFailed p1"}, message{"firing WorkflowFailed p0"},
		message{"resolved ImageFailed p0", "resolved ImageFailed p1"}, message{"resolved WorkflowFailed p0"},
	)
}
