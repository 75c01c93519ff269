// Package kubernetes tests the Helm chart in deploy/helm with Helm itself, with Kubernetes' own schemas
// and Pod Security checks, and with the exporter that the chart runs. It is a separate module because
// it needs far more dependencies than the exporter.
package kubernetes
