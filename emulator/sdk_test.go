package emulator

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

const endpoint = "http://emulator"

// newSDK returns the real client of api.
func newSDK(t *testing.T, api *API, region string) *imagebuilder.Client {
	t.Helper()
	return newSDKWith(pipe(t, api), region, credentials.NewStaticCredentialsProvider("AKID", "secret", ""))
}

func newSDKWith(client *http.Client, region string, with aws.CredentialsProvider) *imagebuilder.Client {
	return imagebuilder.New(imagebuilder.Options{
		Region: region, BaseEndpoint: aws.String(endpoint), HTTPClient: client, Credentials: with, Retryer: aws.NopRetryer{},
	})
}

// assumed returns a client that acts as a role.
func assumed(t *testing.T, api *API, region, role, externalID string) *imagebuilder.Client {
	t.Helper()
	client := pipe(t, api)
	service := sts.New(sts.Options{
		Region: region, BaseEndpoint: aws.String(endpoint), HTTPClient: client, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
	})
	return newSDKWith(client, region, aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(service, role, func(o *stscreds.AssumeRoleOptions) {
		if externalID != "" {
			o.ExternalID = &externalID
		}
	})))
}

func pipe(t *testing.T, api *API) *http.Client {
	t.Helper()
	client, end := Pipe(api)
	t.Cleanup(end)
	return client
}

// code returns the code of a service's error, "" for none.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

func parse(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func getImage(arn string) *imagebuilder.GetImageInput {
	return &imagebuilder.GetImageInput{ImageBuildVersionArn: &arn}
}

// allPipelines returns all pipelines by name.
func allPipelines(t *testing.T, c *imagebuilder.Client) map[string]types.ImagePipeline {
	t.Helper()
	all := map[string]types.ImagePipeline{}
	for p := imagebuilder.NewListImagePipelinesPaginator(c, &imagebuilder.ListImagePipelinesInput{}); p.HasMorePages(); {
		out, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range out.ImagePipelineList {
			if _, twice := all[*row.Name]; twice {
				t.Errorf("%s comes twice", *row.Name)
			}
			all[*row.Name] = row
		}
	}
	return all
}

func allPipelineImages(t *testing.T, c *imagebuilder.Client, pipeline string) (all []types.ImageSummary) {
	t.Helper()
	for p := imagebuilder.NewListImagePipelineImagesPaginator(c, &imagebuilder.ListImagePipelineImagesInput{ImagePipelineArn: &pipeline}); p.HasMorePages(); {
		out, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.ImageSummaryList...)
	}
	return all
}

func allBuilds(t *testing.T, c *imagebuilder.Client, version string) (all []types.ImageSummary) {
	t.Helper()
	for p := imagebuilder.NewListImageBuildVersionsPaginator(c, &imagebuilder.ListImageBuildVersionsInput{ImageVersionArn: &version}); p.HasMorePages(); {
		out, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.ImageSummaryList...)
	}
	return all
}

func allExecutions(t *testing.T, c *imagebuilder.Client, image string) (all []types.WorkflowExecutionMetadata) {
	t.Helper()
	for p := imagebuilder.NewListWorkflowExecutionsPaginator(c, &imagebuilder.ListWorkflowExecutionsInput{ImageBuildVersionArn: &image}); p.HasMorePages(); {
		out, err := p.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.WorkflowExecutions...)
	}
	return all
}

// sdkTypes are what cmp needs for the types of the SDK, which have an empty field that is
// not exported.
var sdkTypes = []cmp.Option{cmp.FilterPath(func(p cmp.Path) bool {
	return p.Last().String() == ".noSmithyDocumentSerde"
}, cmp.Ignore())}
