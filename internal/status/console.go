package status

import (
	"regexp"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
)

var arn = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):imagebuilder:([a-z0-9-]+):[0-9a-z]+:(image|image-pipeline)/[A-Za-z0-9._/-]+$`)

// consoles are the hosts of the AWS console, by partition. Other partitions have no public one.
var consoles = map[string]string{
	"aws":        "console.aws.amazon.com",
	"aws-cn":     "console.amazonaws.cn",
	"aws-us-gov": "console.amazonaws-us-gov.com",
}

// consoleURL returns where the AWS console shows an image or a pipeline, empty for an ARN
// of another form, or of a partition without a public console. The partition and the
// region are the ARN's.
func consoleURL(s string) string {
	parts := arn.FindStringSubmatch(s)
	if parts == nil || imagebuilder.CheckRegion(parts[2]) != nil {
		return ""
	}
	page := map[string]string{"image": "images", "image-pipeline": "pipelines"}[parts[3]]
	return "https://" + parts[2] + "." + consoles[parts[1]] + "/imagebuilder/home?region=" + parts[2] + "#/" + page + "/" + s
}
