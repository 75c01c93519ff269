package imagebuilder

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ImageBuildVersion is what the ARN of an image build version says. The zero value
// stands for an ARN that is not of this kind.
type ImageBuildVersion struct {
	AccountID string // twelve digits, or aws, aws-marketplace, ... for an image that AWS owns
	Name      string // the recipe's name as in the ARN: lower case, with hyphens
	Version   string // semantic version and build number: 1.0.0/1
}

// ParseImageBuildVersionARN reads
// arn:PARTITION:imagebuilder:REGION:ACCOUNT:image/NAME/VERSION/BUILD, in every
// partition. What is not of this form gives the zero value, never a part of one.
func ParseImageBuildVersionARN(arn string) ImageBuildVersion {
	owner, parts := splitARN(arn, "image", 3)
	if parts == nil {
		return ImageBuildVersion{}
	}
	return ImageBuildVersion{AccountID: owner, Name: parts[0], Version: parts[1] + "/" + parts[2]}
}

// ImageVersion returns what all builds of one image version have in common, empty for the
// zero value: account, name and version without the build number.
func (v ImageBuildVersion) ImageVersion() string {
	version, _, _ := strings.Cut(v.Version, "/")
	if version == "" {
		return ""
	}
	return v.AccountID + "/" + v.Name + "/" + version
}

// Newer reports whether v is a later build than other, judged by the versions.
func (v ImageBuildVersion) Newer(other ImageBuildVersion) bool {
	return compareVersions(v.Version, other.Version) > 0
}

// workflowType returns BUILD, TEST or DISTRIBUTION as the ARN of a workflow build
// version says, arn:PARTITION:imagebuilder:REGION:ACCOUNT:workflow/TYPE/NAME/VERSION/BUILD,
// and the empty string for anything else.
func workflowType(arn string) string {
	if _, parts := splitARN(arn, "workflow", 4); parts != nil {
		switch t := strings.ToUpper(parts[0]); t {
		case "BUILD", "TEST", "DISTRIBUTION":
			return t
		}
	}
	return ""
}

// pipelineName returns the name in the ARN of a pipeline,
// arn:PARTITION:imagebuilder:REGION:ACCOUNT:image-pipeline/NAME, and the empty string for
// anything else. It is in lower case, with hyphens for spaces.
func pipelineName(arn string) string {
	_, parts := splitARN(arn, "image-pipeline", 1)
	return strings.Join(parts, "")
}

// account is the pattern of the API reference for the account in an ARN.
const account = `(?:[0-9]{12}|aws(?:-[a-z-]+)?)`

var wholeAccount = regexp.MustCompile(`^` + account + `$`)

// splitARN returns the account in the ARN of a resource of Image Builder, and the parts
// behind the kind of the resource. For anything but n parts of this kind they are nil.
func splitARN(arn, kind string, n int) (owner string, parts []string) {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) != 6 || fields[0] != "arn" || fields[2] != "imagebuilder" || slices.Contains(fields, "") || !wholeAccount.MatchString(fields[4]) {
		return "", nil
	}
	parts = strings.Split(fields[5], "/")
	if len(parts) != n+1 || parts[0] != kind || slices.Contains(parts, "") {
		return "", nil
	}
	return fields[4], parts[1:]
}

// ImageARN is the ARN of an image version or of an image build version, as a user
// selects it.
type ImageARN struct {
	Region string
	Build  bool // an image build version; else a version, in which parts may be x
}

// imageARN is the pattern of the API reference for imageBuildVersionArn and
// imageVersionArn (ListImageBuildVersions), in every partition.
var imageARN = regexp.MustCompile(`^arn:aws(?:-[a-z]+)*:imagebuilder:([a-z0-9-]+):` + account + `:image/[a-z0-9-_]+/(?:[0-9]+\.[0-9]+\.[0-9]+(/[0-9]+)?|(?:[0-9]+|x)\.(?:[0-9]+|x)\.(?:[0-9]+|x))$`)

// ParseImageARN returns what s selects, or an error that says how such an ARN looks.
func ParseImageARN(s string) (ImageARN, error) {
	parts := imageARN.FindStringSubmatch(s)
	if parts == nil || CheckRegion(parts[1]) != nil {
		return ImageARN{}, fmt.Errorf("%q is not an image ARN, such as arn:aws:imagebuilder:eu-west-1:111122223333:image/my-recipe/1.0.0 (its newest build and all running ones; parts of the version may be x) or …/1.0.0/3 (one build)", s)
	}
	return ImageARN{Region: parts[1], Build: parts[2] != ""}, nil
}

// compareVersions compares two image versions, 1.10.0/2, by their numbers.
func compareVersions(a, b string) int {
	split := func(version string) []string {
		return strings.FieldsFunc(version, func(r rune) bool { return r == '.' || r == '/' })
	}
	return slices.CompareFunc(split(a), split(b), func(x, y string) int {
		m, _ := strconv.Atoi(x) // what is no number counts as 0
		n, _ := strconv.Atoi(y)
		return cmp.Compare(m, n)
	})
}
