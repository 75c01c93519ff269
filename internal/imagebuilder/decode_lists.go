package imagebuilder

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
)

// The functions of this file turn a row of the SDK into a plain value. They report
// false for a row that cannot be used; a part that is wrong is left out. Both are
// counted by their reason.

func (c *Client) decodeStep(row *types.WorkflowStepMetadata) (Step, bool) {
	s := Step{
		ID:             aws.ToString(row.StepExecutionId),
		Name:           aws.ToString(row.Name),
		Action:         aws.ToString(row.Action),
		Status:         string(row.Status),
		RollbackStatus: string(row.RollbackStatus),
	}
	if s.ID == "" {
		c.invalid(reasonEmpty)
		return Step{}, false
	}
	s.Start, s.End = decodeTimes(row.StartTime, row.EndTime, c.invalid)
	return s, true
}

func (c *Client) decodeWaitingStep(row *types.WorkflowStepExecution) (WaitingStep, bool) {
	id, err := ParseExecutionID(aws.ToString(row.WorkflowExecutionId))
	s := WaitingStep{
		ExecutionID: id,
		ID:          aws.ToString(row.StepExecutionId),
		Name:        aws.ToString(row.Name),
		Action:      aws.ToString(row.Action),
		Since:       decodeTime(row.StartTime, c.invalid),
	}
	if err != nil || s.ID == "" || row.StartTime == nil {
		c.invalid(reasonEmpty)
		return WaitingStep{}, false
	}
	return s, !s.Since.IsZero()
}

func (c *Client) decodePipeline(row *types.ImagePipeline) (Pipeline, bool) {
	p := Pipeline{
		ARN:           aws.ToString(row.Arn),
		Name:          cmp.Or(aws.ToString(row.Name), pipelineName(aws.ToString(row.Arn))),
		Platform:      string(row.Platform),
		Status:        string(row.Status),
		Tags:          row.Tags,
		LastRunStatus: ImageStatus(row.LastRunStatus),
		NextRun:       decodeTime(row.DateNextRun, c.invalid),
	}
	if p.ARN == "" || p.Name == "" {
		c.invalid(reasonEmpty)
		return Pipeline{}, false
	}
	if row.ConsecutiveFailures != nil && *row.ConsecutiveFailures >= 0 {
		p.ConsecutiveFailures = aws.Int(int(*row.ConsecutiveFailures))
	}
	return p, true
}

func (c *Client) decodeImageSummary(row *types.ImageSummary) (Image, bool) {
	return c.newImage(&types.Image{
		Arn: row.Arn, State: row.State, Platform: row.Platform, Type: row.Type, BuildType: row.BuildType,
		DateCreated: row.DateCreated, OutputResources: row.OutputResources,
	})
}

// newImage returns what the SDK says about an image build version.
func (c *Client) newImage(row *types.Image) (Image, bool) {
	i := Image{
		ARN:                aws.ToString(row.Arn),
		Build:              ParseImageBuildVersionARN(aws.ToString(row.Arn)),
		Platform:           string(row.Platform),
		Type:               string(row.Type),
		BuildType:          string(row.BuildType),
		Created:            decodeTime(row.DateCreated, c.invalid),
		Outputs:            outputsOf(row.OutputResources),
		SourcePipelineARN:  aws.ToString(row.SourcePipelineArn),
		SourcePipelineName: cmp.Or(aws.ToString(row.SourcePipelineName), pipelineName(aws.ToString(row.SourcePipelineArn))),
	}
	if row.State != nil {
		i.Status, i.Reason = ImageStatus(row.State.Status), aws.ToString(row.State.Reason)
	}
	arn, err := ParseImageARN(i.ARN)
	switch {
	case err != nil, !arn.Build, i.Status == "":
		c.invalid(reasonEmpty)
		return Image{}, false
	case arn.Region != c.region:
		c.invalid(reasonForeignID)
		return Image{}, false
	}
	return i, true
}

// outputsOf returns what a build has made. One that has no region or no id yet is
// left out.
func outputsOf(r *types.OutputResources) []Output {
	if r == nil {
		return nil
	}
	var all []Output
	add := func(region, id *string) {
		o := Output{Region: aws.ToString(region), ID: aws.ToString(id)}
		if o.Region != "" && o.ID != "" && !slices.Contains(all, o) {
			all = append(all, o)
		}
	}
	for _, ami := range r.Amis {
		add(ami.Region, ami.Image)
	}
	for _, container := range r.Containers {
		for _, uri := range container.ImageUris {
			add(container.Region, &uri)
		}
	}
	return all
}
