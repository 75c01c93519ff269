package collector

import (
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

var imageARN = label[*lookup.Image]{"image_build_version_arn", func(i *lookup.Image) string { return i.ARN }}

var followedImages = newKind(func(s *lookup.Snapshot) []*lookup.Image { return pointers(s.Images) }, imageARN)

// images says what the followed image builds are, and their state. A failed distribution
// shows here only.
var images = newFamily("images",
	tableOf(followedImages,
		info("imagebuilder_image_info",
			"1: properties of the image build version. Unknown labels are empty; status is the API's own text.",
			[]label[*lookup.Image]{
				{"image_name", func(i *lookup.Image) string { return i.Build.Name }},
				{"image_version", func(i *lookup.Image) string { return i.Build.Version }},
				{"pipeline", func(i *lookup.Image) string { return i.Pipeline }},
				{"status", func(i *lookup.Image) string { return string(i.Status) }},
				{"platform", func(i *lookup.Image) string { return i.Platform }},
				{"image_type", func(i *lookup.Image) string { return i.Type }},
				{"build_type", func(i *lookup.Image) string { return i.BuildType }},
			}...),
		stateSet("imagebuilder_image_status",
			"1 for the current state of the image, 0 for all others. UNKNOWN means a state that is not in the API reference.",
			imagebuilder.ImageStatuses(),
			func(i *lookup.Image) imagebuilder.ImageStatus { return i.Status }),
		timestamp("imagebuilder_image_created_timestamp_seconds",
			"When the image build version was created.",
			func(i *lookup.Image) time.Time { return i.Created }),
		fact("imagebuilder_image_superseded",
			"Whether a newer build of the same pipeline is a good image; if the pipelines are unknown, of the same image version. Absent while that is unknown.",
			func(i *lookup.Image) lookup.Fact { return i.Superseded }),
		timestamp("imagebuilder_image_deprecation_timestamp_seconds",
			"When the image will become, or became, DEPRECATED. Absent if no such time is set.",
			func(i *lookup.Image) time.Time { return i.Deprecates }),
	),
	imageFailures, distributionFailures,
	tableOf(imageOutputs,
		info[imageOutput]("imagebuilder_image_output_info", "1: an AMI or container image that the build produced, with its account and, for an AMI, the state in the API's own text."),
	),
)

// imageOutput is one thing that the build of an image has made.
type imageOutput struct {
	image *lookup.Image
	*imagebuilder.Output
}

var imageOutputs = newKind(outputsOf, []label[imageOutput]{
	{"image_build_version_arn", func(o imageOutput) string { return o.image.ARN }},
	{"output_region", func(o imageOutput) string { return o.Region }},
	{"output", func(o imageOutput) string { return o.ID }},
	{"account_id", func(o imageOutput) string { return o.AccountID }},
	{"state", func(o imageOutput) string { return o.State }},
}...)

func outputsOf(s *lookup.Snapshot) []imageOutput {
	var all []imageOutput
	for _, i := range pointers(s.Images) {
		for _, o := range pointers(i.Outputs) {
			all = append(all, imageOutput{i, o})
		}
	}
	return all
}
