package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// pipelineTags publishes tags of pipelines. The labels of its metric are those that the
// configuration of the target chooses.
type pipelineTags struct{}

const (
	tagsName = "imagebuilder_pipeline_tags"
	tagsHelp = "1: the tags of the pipeline that are listed in tag_labels, one label per tag. The label of a missing tag is empty."
)

// tagsDesc represents the descs of all targets: a registry identifies a desc by its name.
var tagsDesc = prometheus.NewDesc(tagsName, tagsHelp, selectedPipelines.labels, nil)

func (pipelineTags) describe(ch chan<- *prometheus.Desc) { ch <- tagsDesc }

func (pipelineTags) collect(ch chan<- prometheus.Metric, s *scrape) {
	if len(s.target.TagLabels) == 0 {
		return
	}
	var labels []label[*lookup.Pipeline]
	for _, key := range s.target.TagLabels {
		labels = append(labels, label[*lookup.Pipeline]{
			imagebuilder.TagLabel(key), func(p *lookup.Pipeline) string { return p.Tags[key] },
		})
	}
	tableOf(selectedPipelines, info(tagsName, tagsHelp, labels...)).collect(ch, s)
}
