package emulator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// schedule is that of a pipeline.
type schedule struct {
	ScheduleExpression              string `json:"scheduleExpression"`
	PipelineExecutionStartCondition string `json:"pipelineExecutionStartCondition"`
	Timezone                        string `json:"timezone"`
	AutoDisablePolicy               answer `json:"autoDisablePolicy,omitempty"`
}

// listedPipeline is a row of ListImagePipelines. The service never fills dateLastRun.
type listedPipeline struct {
	ARN                            string            `json:"arn"`
	Name                           string            `json:"name"`
	Description                    string            `json:"description,omitempty"`
	Platform                       string            `json:"platform"`
	EnhancedImageMetadataEnabled   bool              `json:"enhancedImageMetadataEnabled"`
	ImageRecipeARN                 string            `json:"imageRecipeArn"`
	InfrastructureConfigurationARN string            `json:"infrastructureConfigurationArn"`
	Schedule                       *schedule         `json:"schedule,omitempty"`
	Status                         string            `json:"status"`
	DateCreated                    string            `json:"dateCreated,omitempty"`
	DateUpdated                    string            `json:"dateUpdated,omitempty"`
	DateNextRun                    string            `json:"dateNextRun,omitempty"`
	Tags                           map[string]string `json:"tags"`
	LoggingConfiguration           answer            `json:"loggingConfiguration,omitempty"`
	LastRunStatus                  string            `json:"lastRunStatus,omitempty"`
	ConsecutiveFailures            int               `json:"consecutiveFailures"`
}

func (q *request) listImagePipelines() (any, error) {
	pipelines := slices.Clone(q.scenario.ImagePipelines(q.now))
	pipelines = slices.DeleteFunc(pipelines, func(p Pipeline) bool { return !q.sees(p.ARN) })
	pipelines, err := filtered(q, pipelines, pipelineFields)
	if err != nil {
		return nil, err
	}
	return page(q, answer{"requestId": q.id}, "imagePipelineList", pipelines, q.pipeline)
}

func (p Pipeline) id() string { return p.ARN }

// pipelineFields are what the filters of ListImagePipelines look at.
var pipelineFields = map[string]func(*Pipeline) []string{
	"name":           func(p *Pipeline) []string { return []string{p.name()} },
	"status":         func(p *Pipeline) []string { return []string{p.status()} },
	"imageRecipeArn": func(p *Pipeline) []string { return []string{p.arnOf("image-recipe")} },
	"infrastructureConfigurationArn": func(p *Pipeline) []string {
		return []string{p.arnOf("infrastructure-configuration")}
	},
	"description":                  func(*Pipeline) []string { return nil },
	"distributionConfigurationArn": func(*Pipeline) []string { return nil },
}

// pipeline returns the row of p.
func (q *request) pipeline(p *Pipeline) listedPipeline {
	row := listedPipeline{
		ARN: p.ARN, Name: p.name(), Platform: p.platform(), Status: p.status(), Tags: tags(p.Tags),
		EnhancedImageMetadataEnabled: true, ImageRecipeARN: p.arnOf("image-recipe"),
		InfrastructureConfigurationARN: p.arnOf("infrastructure-configuration"),
		DateCreated:                    timestamp(p.Created), DateUpdated: timestamp(p.Created), DateNextRun: timestamp(p.nextRun(q.now)),
	}
	row.Schedule = p.schedule()
	row.LoggingConfiguration = given("pipelineLogGroupName", p.LogGroup, "imageLogGroupName", p.ImageLogGroup)
	images := newestFirst(q.scenario.ImageBuilds(p.ARN, q.now))
	if len(images) > 0 {
		row.LastRunStatus = images[0].Status(q.now)
	}
	for _, i := range images {
		status := i.Status(q.now)
		if status == "AVAILABLE" || status == "DEPRECATED" {
			break
		}
		if status == "FAILED" && i.buildType() == "SCHEDULED" {
			row.ConsecutiveFailures++
		}
	}
	return row
}

// schedule returns that of p, nil for none.
func (p *Pipeline) schedule() *schedule {
	expression := p.expression()
	if expression == "" {
		return nil
	}
	s := &schedule{expression, cmp.Or(p.StartCondition, "EXPRESSION_MATCH_ONLY"), cmp.Or(p.Timezone, "UTC"), nil}
	if p.AutoDisableFailures > 0 {
		s.AutoDisablePolicy = answer{"failureCount": p.AutoDisableFailures}
	}
	return s
}

// given returns an object of names and values, without those that are "".
func given(pairs ...string) answer {
	object := answer{}
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			object[pair[0]] = pair[1]
		}
	}
	return object
}

// rateOf returns a schedule expression. AWS takes the unit in the singular only for 1: rate(1 day).
func rateOf(n time.Duration, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("rate(%d %s)", n, unit)
}

// expression returns that of the schedule, "" for none.
func (p *Pipeline) expression() string {
	const day = 24 * time.Hour
	switch {
	case p.Expression != "":
		return p.Expression
	case p.Every > 0 && p.Every%day == 0:
		return rateOf(p.Every/day, "day")
	case p.Every > 0:
		return rateOf(p.Every/time.Minute, "minute")
	case !p.NextRun.IsZero():
		return "cron(0 6 ? * sun *)"
	}
	return ""
}

func (p *Pipeline) platform() string { return cmp.Or(p.Platform, "Linux") }

func (p *Pipeline) status() string {
	if p.Disabled {
		return "DISABLED"
	}
	return "ENABLED"
}

// arnOf returns the ARN of another kind of thing with the name of p.
func (p *Pipeline) arnOf(kind string) string {
	arn := strings.Replace(p.ARN, ":image-pipeline/", ":"+kind+"/", 1)
	if strings.HasSuffix(kind, "-recipe") {
		arn += "/1.0.0"
	}
	return arn
}

// tags returns t, which is an empty object in the service's answers if it is nil.
func tags(t map[string]string) map[string]string {
	if t == nil {
		return map[string]string{}
	}
	return t
}
