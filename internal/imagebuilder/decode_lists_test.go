package imagebuilder

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/google/go-cmp/cmp"
)

func TestConsecutiveFailures(t *testing.T) {
	for _, c := range []struct {
		name    string
		got     *int32
		want    *int
		reasons []string
	}{
		{"not given", nil, nil, nil},
		{"none", aws.Int32(0), aws.Int(0), nil},
		{"some", aws.Int32(2), aws.Int(2), nil},
		{"less than none", aws.Int32(-1), nil, []string{"consecutive_failures"}},
	} {
		var reasons []string
		client := &Client{invalid: func(reason string) { reasons = append(reasons, reason) }}
		p, ok := client.decodePipeline(&types.ImagePipeline{Arn: aws.String(testPipeline), ConsecutiveFailures: c.got})
		if diff := cmp.Diff(c.want, p.ConsecutiveFailures); !ok || diff != "" {
			t.Errorf("%s: %t (-want +got):\n%s", c.name, ok, diff)
		}
		if diff := cmp.Diff(c.reasons, reasons); diff != "" {
			t.Errorf("%s: what is counted (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestWhatAnImageSays(t *testing.T) {
	client := &Client{region: "eu-west-1", invalid: func(reason string) { t.Error(reason) }}
	got, ok := client.newImage(&types.Image{
		Arn: aws.String(testImage), State: &types.ImageState{Status: types.ImageStatusAvailable},
		SourcePipelineArn: aws.String(testPipeline), SourcePipelineName: aws.String("My Web"),
		OutputResources: &types.OutputResources{Amis: []types.Ami{
			{Image: aws.String("ami-without-a-region")},
			{Region: aws.String("eu-west-2")},
			{Region: aws.String("eu-west-1"), Image: aws.String("ami-1")},
		}},
	})
	want := Image{
		ARN: testImage, Build: ParseImageBuildVersionARN(testImage), Status: ImageAvailable,
		SourcePipelineARN: testPipeline, SourcePipelineName: "My Web", Outputs: []Output{{Region: "eu-west-1", ID: "ami-1"}},
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("%t (-want +got):\n%s", ok, diff)
	}
}
