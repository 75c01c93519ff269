package emulator

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

type imageState struct {
	Status         string   `json:"status"`
	Reason         string   `json:"reason,omitempty"`
	FailureContext *Failure `json:"failureContext,omitempty"`
}

type ami struct {
	Region    string     `json:"region"`
	Image     string     `json:"image"`
	Name      string     `json:"name"`
	AccountID string     `json:"accountId"`
	State     imageState `json:"state"`
}

type container struct {
	Region    string   `json:"region"`
	ImageURIs []string `json:"imageUris"`
}

type outputResources struct {
	AMIs       []ami       `json:"amis,omitempty"`
	Containers []container `json:"containers,omitempty"`
}

// image is a row of the lists of images, and what GetImage answers, which knows the pipeline
// and not the owner.
type image struct {
	ARN                string            `json:"arn"`
	Name               string            `json:"name"`
	Type               string            `json:"type"`
	Version            string            `json:"version"`
	Platform           string            `json:"platform"`
	OSVersion          string            `json:"osVersion,omitempty"`
	State              imageState        `json:"state"`
	Owner              string            `json:"owner,omitempty"`
	DateCreated        string            `json:"dateCreated,omitempty"`
	DeprecationTime    int64             `json:"deprecationTime,omitempty"` // in seconds since 1970
	OutputResources    *outputResources  `json:"outputResources,omitempty"`
	Logging            answer            `json:"loggingConfiguration,omitempty"`
	Tags               map[string]string `json:"tags"`
	BuildType          string            `json:"buildType"`
	ImageSource        string            `json:"imageSource"`
	SourcePipelineARN  string            `json:"sourcePipelineArn,omitempty"`
	SourcePipelineName string            `json:"sourcePipelineName,omitempty"`
}

func (q *request) listImagePipelineImages() (any, error) {
	arn := q.input.ImagePipelineARN
	if !q.sees(arn) || q.pipelineOf(arn) == nil {
		return nil, unknown("image pipeline", arn)
	}
	return q.imageList(q.scenario.ImageBuilds(arn, q.now))
}

func (q *request) listImageBuildVersions() (any, error) {
	arn := q.input.ImageVersionARN
	builds := strings.ReplaceAll(arnVersion(arn), "x", "*") + "/*"
	images := slices.DeleteFunc(slices.Clone(q.scenario.ImageBuilds(arnUnversioned(arn), q.now)), func(i Image) bool {
		matched, _ := path.Match(builds, arnVersion(i.ARN))
		return !matched
	})
	if len(images) == 0 || !q.sees(arn) {
		return nil, unknown("image version", arn)
	}
	return q.imageList(images)
}

// imageList answers with a page of those images that pass the filters.
func (q *request) imageList(images []Image) (any, error) {
	images, err := filtered(q, newestFirst(images), imageFields)
	if err != nil {
		return nil, err
	}
	return page(q, answer{"requestId": q.id}, "imageSummaryList", images, q.listedImage)
}

func (i Image) id() string { return i.ARN }

// imageFields are what the filters of the lists of images look at.
var imageFields = map[string]func(*Image) []string{
	"name":      func(i *Image) []string { return []string{i.name()} },
	"version":   func(i *Image) []string { return []string{arnVersion(i.ARN), path.Dir(arnVersion(i.ARN))} },
	"platform":  func(i *Image) []string { return []string{i.platform()} },
	"type":      func(i *Image) []string { return []string{i.kind()} },
	"osVersion": func(i *Image) []string { return []string{i.osVersion()} },
}

func (q *request) getImage() (any, error) {
	arn := q.input.ImageBuildVersionARN
	images := q.scenario.ImageBuilds(arn, q.now)
	if len(images) == 0 || !q.sees(arn) {
		return nil, unknown("image", arn)
	}
	i := q.image(&images[0])
	i.State.FailureContext = q.api.FailureContext.show(i.State.FailureContext, false)
	i.Owner, i.SourcePipelineARN, i.SourcePipelineName = "", images[0].PipelineARN, arnName(images[0].PipelineARN)
	if p := q.pipelineOf(i.SourcePipelineARN); p != nil {
		i.SourcePipelineName = p.name()
	}
	return answer{"requestId": q.id, "image": i}, nil
}

// listedImage returns the row of i in a list.
func (q *request) listedImage(i *Image) image {
	row := q.image(i)
	row.State.FailureContext = q.api.FailureContext.show(row.State.FailureContext, true)
	return row
}

// image returns what is known of i.
func (q *request) image(i *Image) image {
	row := image{
		ARN: i.ARN, Name: i.name(), Type: i.kind(), Version: arnVersion(i.ARN), Platform: i.platform(), OSVersion: i.osVersion(),
		State: i.stateAt(q.now), Owner: arnPart(i.ARN, 4), DateCreated: timestamp(i.Created), Tags: tags(i.Tags),
		BuildType: i.buildType(), ImageSource: "CUSTOM", Logging: given("logGroupName", i.LogGroup),
	}
	if !i.Deprecates.IsZero() {
		row.DeprecationTime = i.Deprecates.Unix()
	}
	wasGood := slices.Contains([]string{"AVAILABLE", "DEPRECATED", "DISABLED", "DELETED"}, row.State.Status)
	if wasGood && len(i.Outputs) > 0 {
		row.OutputResources = i.outputResources()
	}
	return row
}

func (i *Image) outputResources() *outputResources {
	var out outputResources
	for _, o := range i.Outputs {
		if o.AMI != "" {
			out.AMIs = append(out.AMIs, ami{
				Region: o.Region, Image: o.AMI, Name: i.name() + " " + i.Created.UTC().Format("2006-01-02T15-04-05.000Z"),
				AccountID: cmp.Or(o.AccountID, arnPart(i.ARN, 4)), State: imageState{Status: cmp.Or(o.State, "AVAILABLE"), Reason: o.Reason},
			})
		}
		if o.ContainerURI != "" {
			out.Containers = append(out.Containers, container{o.Region, []string{o.ContainerURI}})
		}
	}
	return &out
}

// newestFirst returns images by their creation.
func newestFirst(images []Image) []Image {
	return slices.SortedStableFunc(slices.Values(images), func(a, b Image) int { return b.Created.Compare(a.Created) })
}

func (i *Image) name() string      { return cmp.Or(i.Name, arnName(i.ARN)) }
func (i *Image) platform() string  { return cmp.Or(i.Platform, "Linux") }
func (i *Image) kind() string      { return cmp.Or(i.Type, "AMI") }
func (i *Image) buildType() string { return cmp.Or(i.BuildType, "SCHEDULED") }

// osVersion returns a version that goes with the platform.
func (i *Image) osVersion() string {
	if i.platform() == "Windows" {
		return "Microsoft Windows Server 2022"
	}
	return "Amazon Linux 2023"
}
