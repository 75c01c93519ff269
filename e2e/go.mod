module github.com/imagebuilder-exporter/imagebuilder_exporter/e2e

go 1.26.0

replace github.com/imagebuilder-exporter/imagebuilder_exporter => ../

require github.com/imagebuilder-exporter/imagebuilder_exporter v0.0.0-00010101000000-000000000000

require golang.org/x/time v0.16.0 // indirect
