// Package benchrules measures what one evaluation of the alert rules costs a Prometheus. The
// rules run in Prometheus' own rule manager and engine, over a database that holds what an exporter
// of many executions publishes.
package benchrules
