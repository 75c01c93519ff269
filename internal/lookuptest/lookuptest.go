// Package lookuptest creates lookup.Targets that ask an emulator over connections in memory, and has the
// emulated accounts that the tests of several packages share. Only tests may import it.
package lookuptest

import (
	"cmp"
	"fmt"
	"net/http"
	"testing"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// Region is that of targets whose Config has none.
const Region = "eu-west-1"

// Config is the configuration of a Target. Name and API are required.
type Config struct {
	Name      string
	Region    string                // "" for Region
	API       http.Handler          // usually an emulator.API
	Role      imagebuilder.Role     // the zero value for none
	Limits    imagebuilder.Limits   // the zero value for those of Limits
	Selection lookup.Selection      // limits and intervals that are 0 are the exporter's defaults
	Metrics   *imagebuilder.Metrics // nil for metrics that nobody reads
	Panics    interface{ Inc() }    // nil for not
	Logger    log.Logger            // nil for none
}

// New returns a Target that lives as long as the test. It belongs to the test's bubble.
func New(t *testing.T, c Config) *lookup.Target {
	t.Helper()
	c.Region, c.Limits = cmp.Or(c.Region, Region), cmp.Or(c.Limits, Limits())
	httpClient, end := emulator.Pipe(c.API)
	t.Cleanup(end)
	if c.Metrics == nil {
		c.Metrics = imagebuilder.NewMetrics(prometheus.NewRegistry())
	}
	client, err := imagebuilder.NewClient(t.Context(), imagebuilder.ClientConfig{
		Target: c.Name, Region: c.Region, EndpointURL: "http://emulator", STSEndpointURL: "http://sts", HTTPClient: httpClient,
		Static:  &imagebuilder.StaticCredentials{AccessKeyID: "AKID", SecretAccessKey: "secret"},
		Role:    c.Role,
		Limits:  c.Limits,
		Metrics: c.Metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Logger == nil {
		c.Logger = log.NewNopLogger()
	}
	discovery := c.Limits.ForDiscovery()
	c.Selection.DiscoveryRate, c.Selection.DiscoverySlots = discovery.RateLimit, discovery.Concurrency
	target := lookup.New(lookup.Config{
		Name: c.Name, Region: c.Region, Selection: withDefaults(c.Selection), Client: client, Panics: c.Panics, Logger: c.Logger,
	})
	t.Cleanup(target.Close)
	return target
}

// Limits returns the limits that the exporter has by default.
func Limits() imagebuilder.Limits {
	l := config.Default().Lookup
	return imagebuilder.Limits{Concurrency: l.Concurrency, RateLimit: l.RateLimit, Burst: l.Burst, Timeout: l.Timeout}
}

// withDefaults returns s with the exporter's defaults in place of zeros.
func withDefaults(s lookup.Selection) lookup.Selection {
	l := config.Default().Lookup
	s.MinInterval = cmp.Or(s.MinInterval, l.MinInterval)
	s.DiscoveryInterval = cmp.Or(s.DiscoveryInterval, l.DiscoveryInterval)
	s.MaxStaleness = cmp.Or(s.MaxStaleness, l.MaxStaleness)
	s.MaxExecutions = cmp.Or(s.MaxExecutions, 1000)
	return s
}

// ID returns the nth of the ids of executions that tests use.
func ID(n int) string { return fmt.Sprintf("wf-%08x-3a62-4618-a021-94ddcbe32908", n) }
