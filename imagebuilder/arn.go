package imagebuilder

import "strings"

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
