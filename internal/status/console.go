package status

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"

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
	host, region, kind := consoleOf(s)
	if host == "" {
		return ""
	}
	page := map[string]string{"image": "images", "image-pipeline": "pipelines"}[kind]
	return host + "/imagebuilder/home?region=" + region + "#/" + page + "/" + s
}

// consoleOf returns the address of the AWS console for an image or a pipeline, and the region
// and kind in its ARN. They are empty as consoleURL says.
func consoleOf(s string) (host, region, kind string) {
	parts := arn.FindStringSubmatch(s)
	if parts == nil || imagebuilder.CheckRegion(parts[2]) != nil {
		return "", "", ""
	}
	return "https://" + parts[2] + "." + consoles[parts[1]], parts[2], parts[3]
}

// imageLogs returns where the AWS console shows the logs of a build in CloudWatch. The group is
// that of its logging configuration, empty for the usual one, /aws/imagebuilder/NAME; the stream
// is VERSION/BUILD (https://docs.aws.amazon.com/imagebuilder/latest/userguide/monitor-cwlogs.html).
func imageLogs(arn, group string, build imagebuilder.ImageBuildVersion) string {
	return logs(arn, cmp.Or(group, "/aws/imagebuilder/"+build.Name), "/log-events/"+escapeTwice(build.Version))
}

// pipelineLogs returns where the AWS console shows the logs of a pipeline, with why a scheduled
// run was skipped. The group is that of its logging configuration, empty for the usual one.
func pipelineLogs(arn, group string) string {
	return logs(arn, cmp.Or(group, "/aws/imagebuilder/pipeline/"+arn[strings.LastIndex(arn, "/")+1:]), "")
}

func logs(arn, group, rest string) string {
	host, region, _ := consoleOf(arn)
	if host == "" {
		return ""
	}
	return host + "/cloudwatch/home?region=" + region + "#logsV2:log-groups/log-group/" + escapeTwice(group) + rest
}

// escapeTwice escapes a part of an address of CloudWatch's console, which wants that twice,
// with $ for %.
func escapeTwice(s string) string {
	return strings.ReplaceAll(url.QueryEscape(url.QueryEscape(s)), "%", "$")
}
