// Package day replays a day of an account with 200 pipelines, in the time of testing/synctest:
// the exporter's collector, what scrapes, evaluates and notifies in Prometheus, and Alertmanager
// with its API, inhibition, routes and integrations. Each is the real code as a library, none of
// its intervals is shortened, and it reaches the next one over HTTP in memory. It is a module of
// its own, for Prometheus and Alertmanager need far more than the exporter does.
package day
