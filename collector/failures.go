package collector

import (
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// failedImages are those of which it is known why they failed.
var failedImages = newKind(func(s *lookup.Snapshot) []*lookup.Image {
	var all []*lookup.Image
	for _, i := range pointers(s.Images) {
		if i.Failed != nil {
			all = append(all, i)
		}
	}
	return all
}, imageARN)

// imageFailures says why images failed.
var imageFailures = tableOf(failedImages, info("imagebuilder_image_failure_info",
	"1: what failed in the image build, as reported by Image Builder. Labels that it does not report are empty.",
	[]label[*lookup.Image]{
		{"stage", func(i *lookup.Image) string { return string(i.Failed.Stage) }},
		{"workflow_execution_id", func(i *lookup.Image) string { return i.Failed.ExecutionID }},
		{"step", func(i *lookup.Image) string { return i.Failed.Step }},
		{"component_arn", ofComponent(func(c *imagebuilder.ComponentFailure) string { return c.ARN })},
		{"component_phase", ofComponent(func(c *imagebuilder.ComponentFailure) string { return c.Phase })},
		{"component_step", ofComponent(func(c *imagebuilder.ComponentFailure) string { return c.Step })},
	}...))

// ofComponent returns a label's value for the component that failed, empty when none did.
func ofComponent(value func(*imagebuilder.ComponentFailure) string) func(*lookup.Image) string {
	return func(i *lookup.Image) string {
		if i.Failed.Component == nil {
			return ""
		}
		return value(i.Failed.Component)
	}
}

// failedRegion is one region and account in which an image did not arrive.
type failedRegion struct {
	image *lookup.Image
	*imagebuilder.RegionFailure
}

var failedRegions = newKind(func(s *lookup.Snapshot) []failedRegion {
	var all []failedRegion
	for _, i := range pointers(s.Images) {
		if i.Failed == nil || i.Failed.Distribution == nil {
			continue
		}
		for _, r := range pointers(i.Failed.Distribution.Regions) {
			all = append(all, failedRegion{i, r})
		}
	}
	return all
}, []label[failedRegion]{
	{"image_build_version_arn", func(r failedRegion) string { return r.image.ARN }},
	{"output_region", func(r failedRegion) string { return r.Region }},
	{"account_id", func(r failedRegion) string { return r.AccountID }},
	{"status", func(r failedRegion) string { return r.Status }},
	{"configuration_step", func(r failedRegion) string { return r.ConfigurationStep }},
}...)

// distributionFailures says where images did not arrive.
var distributionFailures = tableOf(failedRegions, info[failedRegion]("imagebuilder_image_distribution_failure_info",
	"1: a region and account in which the distribution of the image failed. Labels that Image Builder does not report are empty."))
