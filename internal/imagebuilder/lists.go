package imagebuilder

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/imagebuilder"
)

// The methods of this file read a list to its last page, over empty pages, too. A
// page waits for its turn like every request, and has the client's time limit to
// itself; started, unless it is nil, is called when the first one has its turn. The rows
// are in the service's order, which is not documented. Rows that cannot be used are left
// out and counted; the same thing in two rows is returned once.

// ListWorkflowExecutions returns the executions of an image build version.
func (c *Client) ListWorkflowExecutions(ctx context.Context, imageBuildVersionARN string, started func()) ([]Execution, error) {
	rows := newRows(func(e *Execution) string { return e.ID })
	return list(ctx, c, ListWorkflowExecutions, started, rows, func(ctx context.Context, token *string) (*string, error) {
		out, err := c.sdk.ListWorkflowExecutions(ctx, &sdk.ListWorkflowExecutionsInput{ImageBuildVersionArn: &imageBuildVersionARN, NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.WorkflowExecutions {
			rows.add(decodeListedExecution(imageBuildVersionARN, &out.WorkflowExecutions[i], c.invalid))
		}
		return out.NextToken, c.checkPage(out.WorkflowExecutions == nil && out.RequestId == nil, out.ImageBuildVersionArn, imageBuildVersionARN)
	})
}

// ListWorkflowStepExecutions returns the steps of the execution with this id.
func (c *Client) ListWorkflowStepExecutions(ctx context.Context, id string, started func()) ([]Step, error) {
	rows := newRows(func(s *Step) string { return s.ID })
	return list(ctx, c, ListWorkflowStepExecutions, started, rows, func(ctx context.Context, token *string) (*string, error) {
		out, err := c.sdk.ListWorkflowStepExecutions(ctx, &sdk.ListWorkflowStepExecutionsInput{WorkflowExecutionId: &id, NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.Steps {
			rows.add(decodeStep(&out.Steps[i], c.invalid))
		}
		return out.NextToken, c.checkPage(out.Steps == nil && out.RequestId == nil, out.WorkflowExecutionId, id)
	})
}

// ListWaitingWorkflowSteps returns the steps that wait for an approval, in the whole
// account and region.
func (c *Client) ListWaitingWorkflowSteps(ctx context.Context, started func()) ([]WaitingStep, error) {
	rows := newRows(func(s *WaitingStep) string { return s.ExecutionID + " " + s.ID })
	return list(ctx, c, ListWaitingWorkflowSteps, started, rows, func(ctx context.Context, token *string) (*string, error) {
		out, err := c.sdk.ListWaitingWorkflowSteps(ctx, &sdk.ListWaitingWorkflowStepsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.Steps {
			rows.add(decodeWaitingStep(&out.Steps[i], c.invalid))
		}
		return out.NextToken, c.checkPage(out.Steps == nil, nil, "") // there is no requestId
	})
}

// ListImagePipelines returns the pipelines of the account and region.
func (c *Client) ListImagePipelines(ctx context.Context, started func()) ([]Pipeline, error) {
	rows := newRows(func(p *Pipeline) string { return p.ARN })
	return list(ctx, c, ListImagePipelines, started, rows, func(ctx context.Context, token *string) (*string, error) {
		out, err := c.sdk.ListImagePipelines(ctx, &sdk.ListImagePipelinesInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.ImagePipelineList {
			rows.add(decodePipeline(&out.ImagePipelineList[i], c.invalid))
		}
		return out.NextToken, c.checkPage(out.ImagePipelineList == nil && out.RequestId == nil, nil, "")
	})
}

// ListImagePipelineImages returns the image build versions that a pipeline has made.
func (c *Client) ListImagePipelineImages(ctx context.Context, pipelineARN string, started func()) ([]Image, error) {
	rows := newRows(func(i *Image) string { return i.ARN })
	return list(ctx, c, ListImagePipelineImages, started, rows, func(ctx context.Context, token *string) (*string, error) {
		out, err := c.sdk.ListImagePipelineImages(ctx, &sdk.ListImagePipelineImagesInput{ImagePipelineArn: &pipelineARN, NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.ImageSummaryList {
			rows.add(c.decodeImageSummary(&out.ImageSummaryList[i]))
		}
		return out.NextToken, c.checkPage(out.ImageSummaryList == nil && out.RequestId == nil, nil, "")
	})
}

// ListImageBuildVersions returns the builds of an image version, in whose ARN parts of
// the version may be x.
func (c *Client) ListImageBuildVersions(ctx context.Context, imageVersionARN string, started func()) ([]Image, error) {
	rows := newRows(func(i *Image) string { return i.ARN })
	return list(ctx, c, ListImageBuildVersions, started, rows, func(ctx context.Context, token *string) (*string, error) {
		out, err := c.sdk.ListImageBuildVersions(ctx, &sdk.ListImageBuildVersionsInput{ImageVersionArn: &imageVersionARN, NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.ImageSummaryList {
			image, ok := c.decodeImageSummary(&out.ImageSummaryList[i])
			if ok && !isVersionOf(image.ARN, imageVersionARN) {
				c.invalid(reasonForeignID)
				continue
			}
			rows.add(image, ok)
		}
		return out.NextToken, c.checkPage(out.ImageSummaryList == nil && out.RequestId == nil, nil, "")
	})
}

// isVersionOf reports whether the ARN of a build is of the same image as that of a
// version, which ends in /VERSION.
func isVersionOf(build, version string) bool {
	return strings.HasPrefix(build, version[:strings.LastIndex(version, "/")+1])
}

// maxPages bounds a list: 50,000 rows of 25 a page.
const maxPages = 2000

// pageFunc asks for the page with a token, adds its rows, and returns the next token.
type pageFunc func(ctx context.Context, token *string) (*string, error)

// list asks for one page after the other, each with the token that the one before has
// returned, until there is none, and returns the rows that these have added.
func list[T any](ctx context.Context, c *Client, operation Operation, started func(), rows *rows[T], page pageFunc) ([]T, error) {
	var token *string
	for range maxPages {
		var next *string
		err := c.ask(ctx, operation, started, func(ctx context.Context) (err error) {
			next, err = page(ctx, token)
			return err
		})
		if err != nil {
			return nil, err
		}
		if c.firstPages || aws.ToString(next) == "" {
			return rows.list, nil
		}
		if token != nil && *token == *next {
			c.invalid(reasonPages)
			return nil, &Error{Operation: operation, Class: Invalid, Err: errors.New("a page names itself as the next one")}
		}
		token, started = next, nil
	}
	c.invalid(reasonPages)
	return nil, &Error{Operation: operation, Class: Invalid, Err: fmt.Errorf("the list has more than %d pages", maxPages)}
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

// rows collects what has several pages. A list can change between two pages and have
// a row in both: the later one counts.
type rows[T any] struct {
	list  []T
	key   func(*T) string
	known map[string]int // index in list, by key
}

func newRows[T any](key func(*T) string) *rows[T] {
	return &rows[T]{key: key, known: map[string]int{}}
}

// add adds a row, unless ok is false.
func (r *rows[T]) add(row T, ok bool) {
	if !ok {
		return
	}
	key := r.key(&row)
	if i, twice := r.known[key]; twice {
		r.list[i] = row
		return
	}
	r.known[key] = len(r.list)
	r.list = append(r.list, row)
}
