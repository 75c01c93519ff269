module github.com/imagebuilder-exporter/imagebuilder_exporter/e2e

go 1.26.0

require github.com/imagebuilder-exporter/imagebuilder_exporter v0.0.0

replace github.com/imagebuilder-exporter/imagebuilder_exporter => ../
