package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

const component = arnOf + "component/harden/1.2.0/1"

func TestWhereABuildFailed(t *testing.T) {
	for _, c := range []struct {
		name string
		f    *imagebuilder.Failure
		want string
	}{
		{
			"a component",
			&imagebuilder.Failure{Stage: "BUILDING", Step: "ApplyBuildComponents", Component: &imagebuilder.ComponentFailure{ARN: component, Phase: "build", Step: "InstallAgent"}},
			"step ApplyBuildComponents, component harden 1.2.0, phase build, step InstallAgent",
		},
		{"a component whose ARN is not one", &imagebuilder.Failure{Component: &imagebuilder.ComponentFailure{ARN: "harden"}}, "component harden"},
		{"a step", &imagebuilder.Failure{Stage: "BUILDING", Step: "LaunchBuildInstance"}, "step LaunchBuildInstance"},
		{"an integration", &imagebuilder.Failure{Stage: "INTEGRATING"}, "while it was INTEGRATING"},
		{"nothing but an execution", &imagebuilder.Failure{ExecutionID: "wf-1"}, ""},
	} {
		if got := newFailure(c.f).Where(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWhereAnImageDidNotArrive(t *testing.T) {
	for want, r := range map[string]failedRegion{
		"eu-central-1 for account 444455556666: TIMED_OUT at COPY_IMAGE: The copy did not end in time.": {"eu-central-1", "444455556666", "TIMED_OUT", "COPY_IMAGE", "The copy did not end in time."},
		"us-east-1: FAILED": {Region: "us-east-1", Status: "FAILED"},
	} {
		if got := r.Text(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// failedSnapshot has an image of every kind of failure, and some that are none.
func failedSnapshot() []lookup.Snapshot {
	image := func(pipeline string, n int, status imagebuilder.ImageStatus, f *imagebuilder.Failure) lookup.Image {
		return lookup.Image{Pipeline: pipeline, Failed: f, Image: &imagebuilder.Image{
			ARN: fmt.Sprintf("%simage/linux/1.0.0/%d", arnOf, n), Status: status, Reason: fmt.Sprintf("reason %d", n),
			Build: imagebuilder.ImageBuildVersion{Name: "linux", Version: fmt.Sprintf("1.0.0/%d", n)},
		}}
	}
	execution := executionOf(1, "FAILED")
	all := snapshot(execution)
	old := image("Base", 4, "FAILED", nil)
	old.Superseded = lookup.Fact{Known: true, True: true}
	var regions []imagebuilder.RegionFailure
	for n := range 30 {
		regions = append(regions, imagebuilder.RegionFailure{Region: fmt.Sprintf("region-%d", n), Status: "FAILED"})
	}
	all[0].Images = []lookup.Image{
		image("Linux", 0, "FAILED", nil), image("Linux", 1, "FAILED", &imagebuilder.Failure{
			ExecutionID: execution.ID, Step: "ApplyBuildComponents",
			Component: &imagebuilder.ComponentFailure{ARN: component, Phase: "build", Step: "InstallAgent", Message: "exit code 1"},
		}),
		image("", 2, "FAILED", &imagebuilder.Failure{Stage: "DISTRIBUTING", Distribution: &imagebuilder.DistributionFailure{Message: "30 Regions failed", Regions: regions}}),
		image("", 3, "FAILED", nil), old, image("Base", 5, "AVAILABLE", nil),
	}
	all[0].TagLabels = []string{"team"}
	all[0].Pipelines = []lookup.Pipeline{{Pipeline: &imagebuilder.Pipeline{
		ARN: arnOf + "image-pipeline/linux", Name: "Linux", ImageLogGroup: "my/group", Tags: map[string]string{"team": "web", "cost": "secret"},
	}}}
	return all
}

// TestWhatFailedStandsOnTop for a person who has never seen the page.
func TestWhatFailedStandsOnTop(t *testing.T) {
	body := get(t, failedSnapshot(), "/executions", "text/html").Body.String()
	_, notice, found := strings.Cut(body, `id="failed">`)
	notice, _, _ = strings.Cut(notice, "</section>")
	if !found {
		t.Fatalf("the page has no notice:\n%s", body)
	}
	for _, want := range []string{
		`<a href="executions/wf-00000000-0000-4000-8000-000000000001"><bdi>linux</bdi> 1.0.0/1</a>`,
		"step ApplyBuildComponents, component harden 1.2.0, phase build, step InstallAgent", "exit code 1", "team=web",
		"log-group/my$252Fgroup/log-events/1.0.0$252F1",
		"1 older build of the pipeline also failed", `<a href="executions?q=arn%3Aaws%3Aimagebuilder%3Aeu-west-1%3A111122223333%3Aimage%2Flinux%2F1.0.0%2F2&amp;region=eu-west-1&amp;target=golden"><bdi>linux</bdi> 1.0.0/2</a>`, "30 Regions failed", "region-19: FAILED", "and 10 more",
		"reason 3",
	} {
		if !strings.Contains(notice, want) {
			t.Errorf("the notice does not have %q:\n%s", want, notice)
		}
	}
	for _, bad := range []string{"1.0.0/0", "1.0.0/4", "1.0.0/5", "region-20", "secret"} {
		if strings.Contains(notice, bad) {
			t.Errorf("the notice has %q", bad)
		}
	}
	if calm := get(t, snapshot(executionOf(1, "COMPLETED")), "/executions", "text/html").Body.String(); strings.Contains(calm, `id="failed"`) {
		t.Error("a page without a failure has the notice")
	}
}

// TestManyFailuresAreBounded on the page, the newest first, and lead to their image.
func TestManyFailuresAreBounded(t *testing.T) {
	all := snapshot()
	for n := range 3 * pageSize {
		all[0].Images = append(all[0].Images, lookup.Image{Image: &imagebuilder.Image{ARN: fmt.Sprint(n), Status: "FAILED", Created: now.Add(-time.Duration(n) * time.Minute)}})
	}
	p := newPage(all, query{Page: 2, Sort: "started", Order: "desc"}, now)
	if len(p.Failed.First) != maxNotices || p.Failed.More() != 3*pageSize-maxNotices {
		t.Errorf("%d failures and %d more", len(p.Failed.First), p.Failed.More())
	}
	for n, f := range p.Failed.First {
		if want := fmt.Sprintf("executions?q=%d&region=eu-west-1&target=golden", n); f.Href != want {
			t.Errorf("failure %d leads to %s, want %s", n, f.Href, want)
		}
	}
}

// TestFailuresWithoutAnImage are on top, too: where only executions are looked up.
func TestFailuresWithoutAnImage(t *testing.T) {
	failed, retried, known := executionOf(1, "FAILED"), executionOf(2, "FAILED"), executionOf(3, "FAILED")
	failed.Value.Message, retried.Superseded = "no space left", lookup.Fact{Known: true, True: true}
	all := snapshot(failed, retried, known, executionOf(4, "COMPLETED"))
	all[0].Images = []lookup.Image{{Image: &imagebuilder.Image{ARN: known.Value.ImageBuildVersionARN, Status: "AVAILABLE"}}}
	p := newPage(all, query{Page: 1, Sort: "started", Order: "desc"}, now)
	if p.Failed.All != 1 || p.Failed.First[0].Href != executionHref(failed.ID) || p.Failed.First[0].Image.Reason != "no space left" {
		t.Errorf("got %+v", p.Failed)
	}
	if p := newPage(all, query{Page: 1, Sort: "started", Order: "desc", Text: "other"}, now); p.Failed.All != 0 {
		t.Error("the filter does not hold for it")
	}
}

func TestLogsInCloudWatch(t *testing.T) {
	build := imagebuilder.ImageBuildVersion{Name: "linux", Version: "1.0.0/1"}
	for _, c := range []struct{ arn, group, want string }{
		{arnOf + "image/linux/1.0.0/1", "", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Fimagebuilder$252Flinux/log-events/1.0.0$252F1"},
		{arnOf + "image/linux/1.0.0/1", "a b/ü", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/a$2Bb$252F$25C3$25BC/log-events/1.0.0$252F1"},
		{"arn:aws-us-gov:imagebuilder:us-gov-west-1:111122223333:image/linux/1.0.0/1", "g", "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#logsV2:log-groups/log-group/g/log-events/1.0.0$252F1"},
		{"arn:aws-iso:imagebuilder:us-iso-east-1:111122223333:image/linux/1.0.0/1", "g", ""},
		{"javascript:alert(1)", "g", ""},
	} {
		if got := imageLogs(c.arn, c.group, build); got != c.want {
			t.Errorf("%s, %s:\n%q, want\n%q", c.arn, c.group, got, c.want)
		}
	}
}
