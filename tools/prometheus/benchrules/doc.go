// Package benchrules measures what one evaluation of the alert rules costs a Prometheus. Prometheus' own
// rule manager and engine evaluate the rules over a database with the series of an exporter that has
// many executions. The package also counts the samples that the dashboards' queries read.
package benchrules
