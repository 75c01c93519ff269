// Package kubernetes proves the Helm chart in deploy/helm: with Helm itself, with
// Kubernetes' own schemas and Pod Security checks, and with the exporter that the chart
// runs. It is a module of its own, for these need far more than the exporter does.
package kubernetes
