// Package benchrules measures what one evaluation of the alert rules costs a Prometheus. Its own
// rule manager and engine evaluate them, over a database of what an exporter of many executions
// publishes. It also counts what the queries of the dashboards read.
package benchrules
