// Package e2e runs the exporter with the real programs that its users have: a
// Prometheus, an Alertmanager, a browser. It is a module of its own, for they need far
// more than the exporter does.
package e2e
