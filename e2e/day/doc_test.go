// Package day replays a day of an account with 200 pipelines, in the time of testing/synctest:
// the exporter's collector, the scrape, rule and notification managers of Prometheus, and
// Alertmanager with its API, inhibition, routes and integrations. Each is the real code, with
// the intervals that users have, and reaches the next one over HTTP in memory. It is a module of
// its own, for Prometheus and Alertmanager need far more than the exporter does.
package day
