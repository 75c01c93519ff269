package status

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// twoPipelines has Linux, with an image that failed and an execution that runs, and Web, with an
// image that is good and an execution that waits, in two regions.
func twoPipelines() []lookup.Snapshot {
	var all []lookup.Snapshot
	for _, region := range []string{"eu-west-1", "us-east-1"} {
		linux, web := executionOf(1, "RUNNING"), executionOf(2, "RUNNING")
		web.Pipeline, web.Value.Message = "Web", "asks somebody"
		s := snapshot(linux, web)[0]
		s.Region, s.TagLabels = region, []string{"team"}
		s.Images = []lookup.Image{
			{Pipeline: "Linux", Failed: &imagebuilder.Failure{Step: "Harden"}, Image: &imagebuilder.Image{
				ARN: arnOf + "image/linux/1.0.0/7", Status: "FAILED", Created: now, Build: imagebuilder.ImageBuildVersion{Name: "linux", Version: "1.0.0/7"},
			}},
			{Pipeline: "Web", Image: &imagebuilder.Image{
				ARN: arnOf + "image/web/1.0.0/1", Status: "AVAILABLE", Created: now, Build: imagebuilder.ImageBuildVersion{Name: "web", Version: "1.0.0/1"},
				Outputs: []imagebuilder.Output{{Region: region, ID: "ami-77"}},
			}},
		}
		s.Pipelines = []lookup.Pipeline{
			{Pipeline: &imagebuilder.Pipeline{ARN: arnOf + "image-pipeline/linux", Name: "Linux", LastRunStatus: "FAILED"}},
			{Pipeline: &imagebuilder.Pipeline{
				ARN: arnOf + "image-pipeline/web", Name: "Web", LastRunStatus: "AVAILABLE", Tags: map[string]string{"team": "shop", "cost": "hidden"},
			}},
		}
		s.Waiting = []lookup.WaitingStep{{WaitingStep: &imagebuilder.WaitingStep{ExecutionID: web.ID, ID: "step-1", Name: "Approve", Since: now}}}
		all = append(all, s)
	}
	return all
}

// TestFiltersHoldForEveryTable reads the first region, or the one that the filter has.
func TestFiltersHoldForEveryTable(t *testing.T) {
	for query, want := range map[string][]string{ // executions, images, pipelines, waiting steps
		"":                           {"Linux Web", "linux web", "Linux Web", "Approve"},
		"region=us-east-1":           {"Linux Web", "linux web", "Linux Web", "Approve"},
		"pipeline=Linux":             {"Linux", "linux", "Linux", ""},
		"pipeline=Web":               {"Web", "web", "Web", "Approve"},
		"pipeline=Other":             {"", "", "", ""},
		"status=FAILED":              {"", "linux", "Linux", ""},
		"status=AVAILABLE":           {"", "web", "Web", ""},
		"status=RUNNING":             {"Linux Web", "", "", "Approve"},
		"status=WAITING":             {"", "", "Web", "Approve"},
		"status=WAITING&q=other":     {"", "", "", ""},
		"q=HARDEN":                   {"", "linux", "Linux", ""},
		"q=ami-77":                   {"", "web", "", ""},
		"q=shop":                     {"", "", "Web", ""},
		"q=hidden":                   {"", "", "", ""},
		"q=approve":                  {"", "", "", "Approve"},
		"q=asks":                     {"Web", "", "", "Approve"},
		"q=web":                      {"Web", "web", "Web", "Approve"},
		"q=image-pipeline/linux":     {"", "", "Linux", ""},
		"q=linux/1.0.0/7":            {"", "linux", "", ""},
		"pipeline=Web&q=image/linux": {"Web", "", "", ""},
	} {
		var p page
		body := get(t, twoPipelines(), "/executions?"+query, "application/json").Body
		if err := json.Unmarshal(body.Bytes(), &p); err != nil {
			t.Fatalf("%s: %v: %s", query, err, body)
		}
		values, _ := url.ParseQuery(query)
		if region := values.Get("region"); region != "" && (len(p.Targets) != 1 || p.Targets[0].Region != region) || region == "" && len(p.Targets) != 2 {
			t.Fatalf("%s: %d targets", query, len(p.Targets))
		}
		s := p.Targets[0]
		got := []string{
			names(s.Executions, func(e *execution) string { return e.Pipeline }), names(s.Images, func(i image) string { return i.Name }),
			names(s.Pipelines, func(p *pipeline) string { return p.Name }), names(s.Waiting, func(w waiting) string { return w.Step }),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
		if s.Matching != len(s.Executions) || s.AllImages != len(s.Images) || s.AllPipelines != len(s.Pipelines) {
			t.Errorf("%s: %d executions, %d images and %d pipelines match", query, s.Matching, s.AllImages, s.AllPipelines)
		}
	}
}

func names[T any](rows []T, name func(T) string) string {
	var all []string
	for _, row := range rows {
		all = append(all, name(row))
	}
	return strings.Join(all, " ")
}

// TestThePageShowsWhatTheFilterSelects also on top and in the timeline.
func TestThePageShowsWhatTheFilterSelects(t *testing.T) {
	for query, failed := range map[string]bool{"pipeline=Linux": true, "pipeline=Web": false, "q=harden": true, "status=RUNNING": false} {
		if got := strings.Contains(pageOf(t, twoPipelines(), query), `id="failed"`); got != failed {
			t.Errorf("%s: a failure on top is %t, want %t", query, got, failed)
		}
	}
	body := pageOf(t, twoPipelines(), "pipeline=Linux&region=eu-west-1")
	if strings.Contains(body, "1.0.0/2") || strings.Contains(body, "region=us-east-1") || !strings.Contains(body, "Timeline") {
		t.Errorf("the page of Linux in eu-west-1 shows something else, or no timeline:\n%s", body)
	}
	for _, status := range []string{"RUNNING", "FAILED", "AVAILABLE"} {
		if !strings.Contains(body, `<option value="`+status+`">`) {
			t.Errorf("%s cannot be chosen", status)
		}
	}
}
