package imagebuilder

import (
	"cmp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
)

// The functions of this file turn a row of the SDK into a plain value. They report
// false for a row that cannot be used; a part that is wrong is left out. Both are
// counted by their reason.

func (c *Client) decodeStep(row *types.WorkflowStepMetadata) (Step, bool) {
	id, ok := id(row.StepExecutionId, c.invalid)
	if !ok {
		return Step{}, false
	}
	s := Step{
		ID:             id,
		Name:           text(aws.ToString(row.Name), c.invalid),
		Action:         text(aws.ToString(row.Action), c.invalid),
		Status:         text(row.Status, c.invalid),
		RollbackStatus: text(row.RollbackStatus, c.invalid),
		Message:        message(row.Message, c.invalid),
	}
	s.Start, s.End = decodeTimes(row.StartTime, row.EndTime, c.invalid)
	return s, true
}

func (c *Client) decodeWaitingStep(row *types.WorkflowStepExecution) (WaitingStep, bool) {
	execution, err := ParseExecutionID(aws.ToString(row.WorkflowExecutionId))
	if err != nil || row.StartTime == nil {
		c.invalid(reasonEmpty)
		return WaitingStep{}, false
	}
	id, ok := id(row.StepExecutionId, c.invalid)
	if !ok {
		return WaitingStep{}, false
	}
	s := WaitingStep{
		ExecutionID: execution,
		ID:          id,
		Name:        text(aws.ToString(row.Name), c.invalid),
		Action:      text(aws.ToString(row.Action), c.invalid),
		Since:       decodeTime(row.StartTime, c.invalid),
	}
	return s, !s.Since.IsZero()
}

// decodeStepTimeout returns when a step gives up, the zero time for not known.
func (c *Client) decodeStepTimeout(out *sdk.GetWorkflowStepExecutionOutput) time.Time {
	start := decodeTime(out.StartTime, c.invalid)
	switch seconds := out.TimeoutSeconds; {
	case seconds == nil || start.IsZero():
		return time.Time{}
	case *seconds < 1:
		c.invalid(reasonStepTimeout)
		return time.Time{}
	default:
		return start.Add(time.Duration(*seconds) * time.Second)
	}
}

// decodeImageVersion leaves out what is no image version of this region.
func (c *Client) decodeImageVersion(row *types.ImageVersion) (ImageVersion, bool) {
	id, ok := id(row.Arn, c.invalid)
	if !ok {
		return ImageVersion{}, false
	}
	arn, err := ParseImageARN(id)
	switch {
	case err != nil, arn.Build:
		c.invalid(reasonEmpty)
		return ImageVersion{}, false
	case arn.Region != c.region:
		c.invalid(reasonForeignID)
		return ImageVersion{}, false
	}
	_, parts := splitARN(id, "image", 2)
	return ImageVersion{
		ARN: id, Name: cmp.Or(text(aws.ToString(row.Name), c.invalid), parts[0]), Created: decodeTime(row.DateCreated, c.invalid),
	}, true
}

func (c *Client) decodePipeline(row *types.ImagePipeline) (Pipeline, bool) {
	arn, ok := id(row.Arn, c.invalid)
	if !ok {
		return Pipeline{}, false
	}
	p := Pipeline{
		ARN:           arn,
		Name:          cmp.Or(text(aws.ToString(row.Name), c.invalid), pipelineName(arn)),
		Platform:      text(row.Platform, c.invalid),
		Status:        text(row.Status, c.invalid),
		Tags:          tagsOf(row.Tags, c.invalid),
		LastRunStatus: ImageStatus(text(row.LastRunStatus, c.invalid)),
		LastRun:       decodeTime(row.DateLastRun, c.invalid),
		NextRun:       decodeTime(row.DateNextRun, c.invalid),
	}
	if p.Name == "" {
		c.invalid(reasonEmpty)
		return Pipeline{}, false
	}
	if l := row.LoggingConfiguration; l != nil {
		p.ImageLogGroup, p.LogGroup = optionalID(l.ImageLogGroupName, c.invalid), optionalID(l.PipelineLogGroupName, c.invalid)
	}
	p.Schedule = c.decodeSchedule(row.Schedule)
	switch failures := row.ConsecutiveFailures; {
	case failures == nil:
	case *failures < 0:
		c.invalid(reasonFailures)
	default:
		p.ConsecutiveFailures = aws.Int(int(*failures))
	}
	return p, true
}

// decodeSchedule returns nil for none.
func (c *Client) decodeSchedule(row *types.Schedule) *Schedule {
	if row == nil || aws.ToString(row.ScheduleExpression) == "" {
		return nil
	}
	s := &Schedule{
		Expression:     text(*row.ScheduleExpression, c.invalid),
		Timezone:       text(aws.ToString(row.Timezone), c.invalid),
		StartCondition: text(row.PipelineExecutionStartCondition, c.invalid),
	}
	if p := row.AutoDisablePolicy; p != nil && p.FailureCount != nil {
		if *p.FailureCount < 1 {
			c.invalid(reasonAutoDisable)
		}
		s.AutoDisableFailures = max(0, int(*p.FailureCount))
	}
	return s
}

func (c *Client) decodeImageSummary(row *types.ImageSummary) (Image, bool) {
	return c.newImage(&types.Image{
		Arn: row.Arn, State: row.State, Platform: row.Platform, Type: row.Type, BuildType: row.BuildType,
		DateCreated: row.DateCreated, OutputResources: row.OutputResources, DeprecationTime: row.DeprecationTime,
		LoggingConfiguration: row.LoggingConfiguration, Tags: row.Tags,
	})
}

// newImage returns what the SDK says about an image build version.
func (c *Client) newImage(row *types.Image) (Image, bool) {
	id, ok := id(row.Arn, c.invalid)
	if !ok {
		return Image{}, false
	}
	arn, err := ParseImageARN(id)
	switch {
	case err != nil, !arn.Build, row.State == nil, row.State.Status == "":
		c.invalid(reasonEmpty)
		return Image{}, false
	case arn.Region != c.region:
		c.invalid(reasonForeignID)
		return Image{}, false
	}
	pipeline := optionalID(row.SourcePipelineArn, c.invalid)
	var deprecation time.Time
	if row.DeprecationTime != nil {
		deprecation = checkTime(*row.DeprecationTime, c.invalid)
	}
	logGroup := ""
	if l := row.LoggingConfiguration; l != nil {
		logGroup = optionalID(l.LogGroupName, c.invalid)
	}
	return Image{
		ARN:                id,
		Build:              ParseImageBuildVersionARN(id),
		Status:             ImageStatus(text(row.State.Status, c.invalid)),
		Reason:             message(row.State.Reason, c.invalid),
		Platform:           text(row.Platform, c.invalid),
		Type:               text(row.Type, c.invalid),
		BuildType:          text(row.BuildType, c.invalid),
		Created:            decodeTime(row.DateCreated, c.invalid),
		Outputs:            c.outputsOf(row.OutputResources),
		Deprecates:         deprecation,
		LogGroup:           logGroup,
		Tags:               tagsOf(row.Tags, c.invalid),
		SourcePipelineARN:  pipeline,
		SourcePipelineName: cmp.Or(text(aws.ToString(row.SourcePipelineName), c.invalid), pipelineName(pipeline)),
	}, true
}

// maxOutputs bounds what a build has made. It can be an AMI for each of many accounts.
const maxOutputs = 1000

// outputsOf returns what a build has made. One that has no region or no id yet is
// left out.
func (c *Client) outputsOf(r *types.OutputResources) []Output {
	if r == nil {
		return nil
	}
	var all []Output
	known := map[Output]bool{} // with nothing but region and id
	add := func(region, id *string, ami types.Ami) {
		o := Output{Region: optionalID(region, c.invalid), ID: optionalID(id, c.invalid)}
		switch {
		case o.Region == "" || o.ID == "" || known[o]:
		case len(all) == maxOutputs:
			c.invalid(reasonOutputs)
		default:
			known[o] = true
			o.AccountID = text(aws.ToString(ami.AccountId), c.invalid)
			if ami.State != nil {
				o.State, o.Reason = text(ami.State.Status, c.invalid), message(ami.State.Reason, c.invalid)
			}
			all = append(all, o)
		}
	}
	for _, ami := range r.Amis {
		add(ami.Region, ami.Image, ami)
	}
	for _, container := range r.Containers {
		for _, uri := range container.ImageUris {
			add(container.Region, &uri, types.Ami{})
		}
	}
	return all
}
