package imagebuilder

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ImageBuildVersion is what the ARN of an image build version says. The zero value
// stands for an ARN that is not of this kind.
type ImageBuildVersion struct {
	AccountID string // "aws" for an image that AWS owns
	Name      string // the recipe's name as it stands in the ARN: lower case, with hyphens
	Version   string // semantic version and build number: 1.0.0/1
}

// ParseImageBuildVersionARN reads
// arn:PARTITION:imagebuilder:REGION:ACCOUNT:image/NAME/VERSION/BUILD, in every
// partition. What is not of this form gives the zero value, never a part of one.
func ParseImageBuildVersionARN(arn string) ImageBuildVersion {
	account, resource, ok := splitARN(arn)
	if !ok {
		return ImageBuildVersion{}
	}
	parts := strings.Split(resource, "/")
	if len(parts) != 4 || parts[0] != "image" || anyEmpty(parts) {
		return ImageBuildVersion{}
	}
	return ImageBuildVersion{AccountID: account, Name: parts[1], Version: parts[2] + "/" + parts[3]}
}

// workflowType returns BUILD, TEST or DISTRIBUTION as the ARN of a workflow build
// version says, arn:PARTITION:imagebuilder:REGION:ACCOUNT:workflow/TYPE/NAME/VERSION/BUILD,
// and the empty string for anything else.
func workflowType(arn string) string {
	_, resource, ok := splitARN(arn)
	if !ok {
		return ""
	}
	parts := strings.Split(resource, "/")
	if len(parts) != 5 || parts[0] != "workflow" || anyEmpty(parts) {
		return ""
	}
	switch t := strings.ToUpper(parts[1]); t {
	case "BUILD", "TEST", "DISTRIBUTION":
		return t
	}
	return ""
}

// pipelineName returns the name in the ARN of a pipeline,
// arn:PARTITION:imagebuilder:REGION:ACCOUNT:image-pipeline/NAME, and the empty string for
// anything else. It is in lower case, with hyphens for spaces.
func pipelineName(arn string) string {
	_, resource, ok := splitARN(arn)
	name, isPipeline := strings.CutPrefix(resource, "image-pipeline/")
	if !ok || !isPipeline || strings.Contains(name, "/") {
		return ""
	}
	return name
}

// ImageARN is the ARN of an image version or of an image build version, as a user
// selects it.
type ImageARN struct {
	Region string
	Build  bool // an image build version; else a version, in which parts may be x
}

// imageARN is the pattern of the API reference for imageBuildVersionArn and
// imageVersionArn (ListImageBuildVersions), in every partition.
var imageARN = regexp.MustCompile(`^arn:aws(?:-[a-z]+)*:imagebuilder:([a-z0-9-]+):(?:[0-9]{12}|aws|aws-marketplace):image/[a-z0-9-_]+/(?:[0-9]+\.[0-9]+\.[0-9]+(/[0-9]+)?|(?:[0-9]+|x)\.(?:[0-9]+|x)\.(?:[0-9]+|x))$`)

// ParseImageARN returns what s selects, or an error that says how such an ARN looks.
func ParseImageARN(s string) (ImageARN, error) {
	parts := imageARN.FindStringSubmatch(s)
	if parts == nil || CheckRegion(parts[1]) != nil {
		return ImageARN{}, fmt.Errorf("%q is not the ARN of an image; one looks like arn:aws:imagebuilder:eu-west-1:111122223333:image/my-recipe/1.0.0 (its newest build and those that run; parts of the version may be x) or …/1.0.0/3 (one build)", s)
	}
	return ImageARN{Region: parts[1], Build: parts[2] != ""}, nil
}

// compareVersions compares two image versions, 1.10.0/2, by their numbers.
func compareVersions(a, b string) int {
	split := func(r rune) bool { return r == '.' || r == '/' }
	x, y := strings.FieldsFunc(a, split), strings.FieldsFunc(b, split)
	for i := range min(len(x), len(y)) {
		m, _ := strconv.Atoi(x[i]) // what is no number counts as 0
		n, _ := strconv.Atoi(y[i])
		if order := cmp.Compare(m, n); order != 0 {
			return order
		}
	}
	return cmp.Compare(len(x), len(y))
}

// splitARN returns the account and the resource of an ARN of Image Builder.
func splitARN(arn string) (account, resource string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "imagebuilder" || anyEmpty(parts) {
		return "", "", false
	}
	return parts[4], parts[5], true
}

func anyEmpty(parts []string) bool {
	for _, p := range parts {
		if p == "" {
			return true
		}
	}
	return false
}
