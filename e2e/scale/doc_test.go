// Package scale runs several replicas of the exporter over many accounts, with two Prometheus
// servers and an Alertmanager, as `make scale-test` says. Without flags it is small.
package scale
