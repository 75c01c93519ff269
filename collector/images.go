package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// images says what the image builds are whose executions are followed, and how they
// stand. A failed distribution shows here only.
type images struct{}

var (
	imageNames = []string{"target", "region", "image_build_version_arn"}

	imageInfoDesc = newDesc("imagebuilder_image_info",
		"1: what the image build version is. A label that is not known is empty; status is the API's own text.", imageNames,
		"image_name", "image_version", "pipeline", "status", "platform", "image_type", "build_type")
	imageStatusDesc = newDesc("imagebuilder_image_status",
		"1 for the current state of the image, 0 for every other one. UNKNOWN stands for what is not in the API reference.",
		imageNames, "status")
	imageCreatedDesc = newDesc("imagebuilder_image_created_timestamp_seconds",
		"When the image build version was created.", imageNames)
	imageOutputDesc = newDesc("imagebuilder_image_output_info",
		"1: an AMI or container image that the build has made.", imageNames, "output_region", "output")
)

func (images) describe(ch chan<- *prometheus.Desc) {
	ch <- imageInfoDesc
	ch <- imageStatusDesc
	ch <- imageCreatedDesc
	ch <- imageOutputDesc
}

func (images) collect(ch chan<- prometheus.Metric, s *scrape) {
	all := labelAll(s, s.target.Images, "image_build_version_arn", func(i *lookup.Image) string { return i.ARN })
	for _, i := range all {
		ch <- &sample{imageInfoDesc, with(i.labels,
			pair("image_name", i.it.Build.Name),
			pair("image_version", i.it.Build.Version),
			pair("pipeline", i.it.Pipeline),
			pair("status", string(i.it.Status)),
			pair("platform", i.it.Platform),
			pair("image_type", i.it.Type),
			pair("build_type", i.it.BuildType),
		), 1}
	}
	for _, i := range all {
		imageStates(ch, imageStatusDesc, i.labels, i.it.Status)
	}
	for _, i := range all {
		if !i.it.Created.IsZero() {
			ch <- &sample{imageCreatedDesc, i.labels, seconds(i.it.Created)}
		}
	}
	for _, i := range all {
		for _, o := range i.it.Outputs {
			ch <- &sample{imageOutputDesc, with(i.labels, pair("output_region", o.Region), pair("output", o.ID)), 1}
		}
	}
}

// imageStates emits the state of an image as a state set.
func imageStates(ch chan<- prometheus.Metric, desc *prometheus.Desc, labels []*dto.LabelPair, current imagebuilder.ImageStatus) {
	if !current.Known() {
		current = unknown
	}
	for _, value := range append(imagebuilder.ImageStatuses(), unknown) {
		ch <- &sample{desc, with(labels, pair("status", string(value))), bit(current == value)}
	}
}
