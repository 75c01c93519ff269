package collector

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// TestWhyAnImageFailed has no text for people in a label.
func TestWhyAnImageFailed(t *testing.T) {
	const secret = "the text of an error"
	component := &imagebuilder.ComponentFailure{ARN: "component/harden/1.2.0/1", Phase: "build", Step: "InstallAgent", Action: "ExecuteBash", Message: secret}
	for _, c := range []struct {
		name   string
		failed *imagebuilder.Failure
		want   []string
	}{
		{"not known", nil, nil},
		{"a component", &imagebuilder.Failure{Stage: "BUILDING", ExecutionID: id, Step: "ApplyBuildComponents", Component: component}, []string{
			`imagebuilder_image_failure_info{component_arn="component/harden/1.2.0/1",component_phase="build",component_step="InstallAgent",image_build_version_arn="arn/1",stage="BUILDING",step="ApplyBuildComponents",workflow_execution_id="` + id + `"} 1`,
		}},
		{"nothing but a stage", &imagebuilder.Failure{Stage: "INTEGRATING"}, []string{
			`imagebuilder_image_failure_info{component_arn="",component_phase="",component_step="",image_build_version_arn="arn/1",stage="INTEGRATING",step="",workflow_execution_id=""} 1`,
		}},
		{"two regions", &imagebuilder.Failure{Stage: "DISTRIBUTING", Distribution: &imagebuilder.DistributionFailure{
			Message: secret, Regions: []imagebuilder.RegionFailure{
				{Region: "eu-central-1", AccountID: "444455556666", Status: "TIMED_OUT", ConfigurationStep: "COPY_IMAGE", Message: secret},
				{Region: "us-east-1", Status: "FAILED"},
			},
		}}, []string{
			`imagebuilder_image_distribution_failure_info{account_id="",configuration_step="",image_build_version_arn="arn/1",output_region="us-east-1",status="FAILED"} 1`,
			`imagebuilder_image_distribution_failure_info{account_id="444455556666",configuration_step="COPY_IMAGE",image_build_version_arn="arn/1",output_region="eu-central-1",status="TIMED_OUT"} 1`,
			`imagebuilder_image_failure_info{component_arn="",component_phase="",component_step="",image_build_version_arn="arn/1",stage="DISTRIBUTING",step="",workflow_execution_id=""} 1`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := lookup.Snapshot{Images: []lookup.Image{
				{Image: &imagebuilder.Image{ARN: "arn/1", Status: "FAILED", Reason: secret}, Failed: c.failed},
				{Image: &imagebuilder.Image{ARN: "arn/2", Status: "AVAILABLE"}},
			}}
			got := append(series(t, s, Options{Images: true}, "imagebuilder_image_distribution_f"), series(t, s, Options{Images: true}, "imagebuilder_image_failure")...)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestTagsOfPipelines has targets with labels of their own on one registry.
func TestTagsOfPipelines(t *testing.T) {
	web := lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{Name: "web", Tags: map[string]string{"team": "a \"b\"\n", "aws:stack": "s", "secret": "x"}}}
	bare := lookup.Pipeline{Pipeline: &imagebuilder.Pipeline{Name: "bare"}}
	for _, c := range []struct {
		name string
		keys []string
		want []string
	}{
		{"none", nil, nil},
		{"one", []string{"team"}, []string{
			`imagebuilder_pipeline_tags{pipeline="bare",tag_team=""} 1`,
			`imagebuilder_pipeline_tags{pipeline="web",tag_team="a \"b\"\n"} 1`,
		}},
		{"one that cannot be the name of a label, and one that no pipeline has", []string{"env", "aws:stack"}, []string{
			`imagebuilder_pipeline_tags{pipeline="bare",tag_aws_stack="",tag_env=""} 1`,
			`imagebuilder_pipeline_tags{pipeline="web",tag_aws_stack="s",tag_env=""} 1`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := lookup.Snapshot{Pipelines: []lookup.Pipeline{web, bare}, TagLabels: c.keys}
			if diff := cmp.Diff(c.want, series(t, s, Options{Pipelines: true}, "imagebuilder_pipeline_tags")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestTargetsWithOtherTags share one scrape.
func TestTargetsWithOtherTags(t *testing.T) {
	web := []lookup.Pipeline{{Pipeline: &imagebuilder.Pipeline{Name: "web", Tags: map[string]string{"team": "a", "env": "b"}}}}
	got := allSeries(t, Options{Pipelines: true}, "imagebuilder_pipeline_tags",
		lookup.Snapshot{Name: "a", Region: "eu-west-1", Pipelines: web, TagLabels: []string{"team"}},
		lookup.Snapshot{Name: "b", Region: "eu-west-1", Pipelines: web, TagLabels: []string{"env"}},
		lookup.Snapshot{Name: "c", Region: "eu-west-1", Pipelines: web})
	want := []string{
		`imagebuilder_pipeline_tags{pipeline="web",region="eu-west-1",tag_team="a",target="a"} 1`,
		`imagebuilder_pipeline_tags{pipeline="web",region="eu-west-1",tag_env="b",target="b"} 1`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
