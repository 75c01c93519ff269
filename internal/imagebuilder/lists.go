package imagebuilder

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
)

// The methods of this file read a list to its last page, over empty pages, too. A
// page waits for its turn like every request, and has the client's time limit to
// itself; started, unless it is nil, is called when the first one has its turn. The rows
// are in the service's order, which is not documented. Rows that cannot be used are left
// out and counted; the same thing in two rows is returned once.

// ListWorkflowExecutions returns the executions of an image build version.
func (c *Client) ListWorkflowExecutions(ctx context.Context, build string, started func()) ([]Execution, error) {
	decode := func(row *types.WorkflowExecutionMetadata) (Execution, bool) {
		return decodeListedExecution(build, row, c.invalid)
	}
	return list(ctx, c, ListWorkflowExecutions, started, func(ctx context.Context, token *string) ([]Execution, *string, error) {
		out, err := c.sdk.ListWorkflowExecutions(ctx, &sdk.ListWorkflowExecutionsInput{ImageBuildVersionArn: &build, NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		err = c.checkPage(out.WorkflowExecutions == nil && out.RequestId == nil, out.ImageBuildVersionArn, build)
		return decodeAll(out.WorkflowExecutions, decode), out.NextToken, err
	})
}

// ListWorkflowStepExecutions returns the steps of the execution with this id.
func (c *Client) ListWorkflowStepExecutions(ctx context.Context, id string, started func()) ([]Step, error) {
	return list(ctx, c, ListWorkflowStepExecutions, started, func(ctx context.Context, token *string) ([]Step, *string, error) {
		out, err := c.sdk.ListWorkflowStepExecutions(ctx, &sdk.ListWorkflowStepExecutionsInput{WorkflowExecutionId: &id, NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		err = c.checkPage(out.Steps == nil && out.RequestId == nil, out.WorkflowExecutionId, id)
		return decodeAll(out.Steps, c.decodeStep), out.NextToken, err
	})
}

// ListWaitingWorkflowSteps returns the steps that wait for an approval, in the whole
// account and region.
func (c *Client) ListWaitingWorkflowSteps(ctx context.Context, started func()) ([]WaitingStep, error) {
	return list(ctx, c, ListWaitingWorkflowSteps, started, func(ctx context.Context, token *string) ([]WaitingStep, *string, error) {
		out, err := c.sdk.ListWaitingWorkflowSteps(ctx, &sdk.ListWaitingWorkflowStepsInput{NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		err = c.checkPage(out.Steps == nil, nil, "") // there is no requestId
		return decodeAll(out.Steps, c.decodeWaitingStep), out.NextToken, err
	})
}

// ListImagePipelines returns the pipelines of the account and region.
func (c *Client) ListImagePipelines(ctx context.Context, started func()) ([]Pipeline, error) {
	return list(ctx, c, ListImagePipelines, started, func(ctx context.Context, token *string) ([]Pipeline, *string, error) {
		out, err := c.sdk.ListImagePipelines(ctx, &sdk.ListImagePipelinesInput{NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		err = c.checkPage(out.ImagePipelineList == nil && out.RequestId == nil, nil, "")
		return decodeAll(out.ImagePipelineList, c.decodePipeline), out.NextToken, err
	})
}

// ListImagePipelineImages returns the image build versions that a pipeline has made.
func (c *Client) ListImagePipelineImages(ctx context.Context, pipeline string, started func()) ([]Image, error) {
	return list(ctx, c, ListImagePipelineImages, started, func(ctx context.Context, token *string) ([]Image, *string, error) {
		var body bodyReader
		out, err := c.sdk.ListImagePipelineImages(ctx, &sdk.ListImagePipelineImagesInput{ImagePipelineArn: &pipeline, NextToken: token}, body.option)
		if err != nil {
			return nil, nil, err
		}
		err = c.checkPage(out.ImageSummaryList == nil && out.RequestId == nil, nil, "")
		return withFailures(decodeAll(out.ImageSummaryList, c.decodeImageSummary), body.failures(c.invalid)), out.NextToken, err
	})
}

// ListImageBuildVersions returns the builds of an image version, in whose ARN parts of
// the version may be x.
func (c *Client) ListImageBuildVersions(ctx context.Context, version string, started func()) ([]Image, error) {
	anyVersion := version[:strings.LastIndex(version, "/")+1]
	decode := func(row *types.ImageSummary) (Image, bool) {
		image, ok := c.decodeImageSummary(row)
		if ok && !strings.HasPrefix(image.ARN, anyVersion) {
			c.invalid(reasonForeignID)
			return Image{}, false
		}
		return image, ok
	}
	return list(ctx, c, ListImageBuildVersions, started, func(ctx context.Context, token *string) ([]Image, *string, error) {
		var body bodyReader
		out, err := c.sdk.ListImageBuildVersions(ctx, &sdk.ListImageBuildVersionsInput{ImageVersionArn: &version, NextToken: token}, body.option)
		if err != nil {
			return nil, nil, err
		}
		err = c.checkPage(out.ImageSummaryList == nil && out.RequestId == nil, nil, "")
		return withFailures(decodeAll(out.ImageSummaryList, decode), body.failures(c.invalid)), out.NextToken, err
	})
}

// ListImages returns the versions of the images that the account owns, also of those that
// are deprecated.
func (c *Client) ListImages(ctx context.Context, started func()) ([]ImageVersion, error) {
	return list(ctx, c, ListImages, started, func(ctx context.Context, token *string) ([]ImageVersion, *string, error) {
		out, err := c.sdk.ListImages(ctx, &sdk.ListImagesInput{Owner: types.OwnershipSelf, IncludeDeprecated: aws.Bool(true), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		err = c.checkPage(out.ImageVersionList == nil && out.RequestId == nil, nil, "")
		return decodeAll(out.ImageVersionList, c.decodeImageVersion), out.NextToken, err
	})
}

// decodeAll returns the rows that can be used.
func decodeAll[R, T any](page []R, decode func(*R) (T, bool)) []T {
	var rows []T
	for i := range page {
		if row, ok := decode(&page[i]); ok {
			rows = append(rows, row)
		}
	}
	return rows
}

// checkPage returns an error when a page says nothing, or is about something else than
// what was asked for, where it says what it is about.
func (c *Client) checkPage(empty bool, about *string, want string) error {
	if empty {
		c.invalid(reasonEmpty)
		return invalidAnswer(errors.New("the answer has neither a requestId nor a list"))
	}
	if got := aws.ToString(about); got != "" && !sameID(got, want) {
		c.invalid(reasonForeignID)
		return invalidAnswer(fmt.Errorf("the answer is about something else: %.50q", got))
	}
	return nil
}

// sameID reports whether got and want are the same. Case does not matter in ids of
// executions.
func sameID(got, want string) bool {
	id, err := ParseExecutionID(got)
	return got == want || err == nil && id == want
}
