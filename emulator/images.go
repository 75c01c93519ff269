package emulator

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// The patterns of the API reference; an x in a version stands for any number.
var (
	imageBuildVersionARN = regexp.MustCompile(`^arn:aws[^:]*:imagebuilder:[^:]+:(?:[0-9]{12}|aws):image/[a-z0-9-_]+/[0-9]+\.[0-9]+\.[0-9]+/[0-9]+$`)
	imageVersionARN      = regexp.MustCompile(`^arn:aws[^:]*:imagebuilder:[^:]+:(?:[0-9]{12}|aws):image/[a-z0-9-_]+/(?:[0-9]+|x)\.(?:[0-9]+|x)\.(?:[0-9]+|x)$`)
)

type imageState struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
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

// imageSummary is a row of the lists of images.
type imageSummary struct {
	ARN             string            `json:"arn"`
	Name            string            `json:"name"`
	Type            string            `json:"type"`
	Version         string            `json:"version"`
	Platform        string            `json:"platform"`
	OSVersion       string            `json:"osVersion,omitempty"`
	State           imageState        `json:"state"`
	Owner           string            `json:"owner,omitempty"`
	DateCreated     string            `json:"dateCreated,omitempty"`
	OutputResources *outputResources  `json:"outputResources,omitempty"`
	Tags            map[string]string `json:"tags"`
	BuildType       string            `json:"buildType"`
	ImageSource     string            `json:"imageSource"`
}

// image is what GetImage answers.
type image struct {
	imageSummary
	Owner              string `json:"owner,omitempty"` // not in this answer
	SourcePipelineARN  string `json:"sourcePipelineArn,omitempty"`
	SourcePipelineName string `json:"sourcePipelineName,omitempty"`
}

func (q *request) listImagePipelineImages() (any, error) {
	arn := q.input.ImagePipelineARN
	if !imagePipelineARN.MatchString(arn) {
		return nil, invalid("imagePipelineArn")
	}
	if !q.sees(arn) || q.pipelineOf(arn) == nil {
		return nil, unknown("image pipeline", arn)
	}
	return q.imageList(q.scenario.ImageBuilds(arn, q.now))
}

func (q *request) listImageBuildVersions() (any, error) {
	arn := q.input.ImageVersionARN
	if !imageVersionARN.MatchString(arn) {
		return nil, invalid("imageVersionArn")
	}
	var images []Image
	if q.sees(arn) {
		images = slices.DeleteFunc(q.scenario.ImageBuilds(arnUnversioned(arn), q.now), func(i Image) bool {
			return !versionMatches(arnVersion(arn), arnVersion(i.ARN))
		})
	}
	if len(images) == 0 {
		return nil, unknown("image version", arn)
	}
	return q.imageList(images)
}

// versionMatches reports whether a version with its build, 1.4.0/12, is one of
// pattern, 1.4.0 or 1.4.x.
func versionMatches(pattern, version string) bool {
	version, _, _ = strings.Cut(version, "/")
	have := strings.Split(version, ".")
	for n, part := range strings.Split(pattern, ".") {
		if part != "x" && (n >= len(have) || part != have[n]) {
			return false
		}
	}
	return true
}

// imageList answers with a page of those images that pass the filters.
func (q *request) imageList(images []Image) (any, error) {
	images, err := filtered(q, images, imageField)
	if err != nil {
		return nil, err
	}
	images, next, err := page(q, newestFirst(images), func(i Image) string { return i.ARN })
	rows := []imageSummary{}
	for i := range images {
		rows = append(rows, q.summary(&images[i]))
	}
	return struct {
		RequestID        string         `json:"requestId"`
		ImageSummaryList []imageSummary `json:"imageSummaryList"`
		NextToken        string         `json:"nextToken,omitempty"`
	}{q.id, rows, next}, err
}

// imageField is what the filters of the lists of images look at.
func imageField(i Image, name string) (values []string, ok bool) {
	switch name {
	case "name":
		return []string{i.name()}, true
	case "version":
		version, _, _ := strings.Cut(arnVersion(i.ARN), "/")
		return []string{version, arnVersion(i.ARN)}, true
	case "platform":
		return []string{i.platform()}, true
	case "type":
		return []string{i.kind()}, true
	case "osVersion":
		return []string{i.osVersion()}, true
	}
	return nil, false
}

func (q *request) getImage() (any, error) {
	arn := q.input.ImageBuildVersionARN
	if !imageBuildVersionARN.MatchString(arn) {
		return nil, invalid("imageBuildVersionArn")
	}
	images := q.scenario.ImageBuilds(arn, q.now)
	if len(images) == 0 || !q.sees(arn) {
		return nil, unknown("image", arn)
	}
	answer := image{imageSummary: q.summary(&images[0]), SourcePipelineARN: images[0].PipelineARN}
	answer.SourcePipelineName = arnName(answer.SourcePipelineARN)
	if p := q.pipelineOf(answer.SourcePipelineARN); p != nil {
		answer.SourcePipelineName = p.name()
	}
	return struct {
		RequestID string `json:"requestId"`
		Image     image  `json:"image"`
	}{q.id, answer}, nil
}

// summary returns the row of i.
func (q *request) summary(i *Image) imageSummary {
	status, reason := i.stateAt(q.now)
	row := imageSummary{
		ARN: i.ARN, Name: i.name(), Type: i.kind(), Version: arnVersion(i.ARN), Platform: i.platform(), OSVersion: i.osVersion(),
		State: imageState{status, reason}, Owner: arnPart(i.ARN, 4), DateCreated: timestamp(i.Created), Tags: tags(i.Tags),
		BuildType: i.buildType(), ImageSource: "CUSTOM",
	}
	if status != "AVAILABLE" && status != "DEPRECATED" || len(i.Outputs) == 0 {
		return row
	}
	var out outputResources
	for _, o := range i.Outputs {
		if o.AMI != "" {
			name := i.name() + " " + i.Created.UTC().Format("2006-01-02T15-04-05.000Z")
			out.AMIs = append(out.AMIs, ami{o.Region, o.AMI, name, arnPart(i.ARN, 4), imageState{"AVAILABLE", ""}})
		}
		if o.ContainerURI != "" {
			out.Containers = append(out.Containers, container{o.Region, []string{o.ContainerURI}})
		}
	}
	row.OutputResources = &out
	return row
}

// newestFirst sorts images by their creation.
func newestFirst(images []Image) []Image {
	slices.SortStableFunc(images, func(a, b Image) int { return b.Created.Compare(a.Created) })
	return images
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
