package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/lookup"
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
	s.images(func(i *lookup.Image, labels []*dto.LabelPair) {
		ch <- &sample{imageInfoDesc, with(labels,
			pair("image_name", i.Build.Name),
			pair("image_version", i.Build.Version),
			pair("pipeline", i.Pipeline),
			pair("status", string(i.Status)),
			pair("platform", i.Platform),
			pair("image_type", i.Type),
			pair("build_type", i.BuildType),
		), 1}
	})
	s.images(func(i *lookup.Image, labels []*dto.LabelPair) { imageStates(ch, imageStatusDesc, labels, i.Status) })
	s.images(func(i *lookup.Image, labels []*dto.LabelPair) {
		if !i.Created.IsZero() {
			ch <- &sample{imageCreatedDesc, labels, seconds(i.Created)}
		}
	})
	s.images(func(i *lookup.Image, labels []*dto.LabelPair) {
		for _, o := range i.Outputs {
			ch <- &sample{imageOutputDesc, with(labels, pair("output_region", o.Region), pair("output", o.ID)), 1}
		}
	})
}

// images calls f for every image.
func (s *scrape) images(f func(i *lookup.Image, labels []*dto.LabelPair)) {
	for t := range s.targets {
		labels := targetLabels(&s.targets[t])
		for i := range s.targets[t].Images {
			image := &s.targets[t].Images[i]
			f(image, with(labels, pair("image_build_version_arn", image.ARN)))
		}
	}
}

// imageStates emits the state of an image as a state set.
func imageStates(ch chan<- prometheus.Metric, desc *prometheus.Desc, labels []*dto.LabelPair, current imagebuilder.ImageStatus) {
	const unknown imagebuilder.ImageStatus = "UNKNOWN"
	known := imagebuilder.ImageStatuses()
	if !slices.Contains(known, current) {
		current = unknown
	}
	for _, value := range append(known, unknown) {
		ch <- &sample{desc, with(labels, pair("status", string(value))), bit(current == value)}
	}
}
