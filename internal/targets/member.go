package targets

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// key is the identity of a target in a region: the labels of all its series.
type key struct{ name, region string }

// wanted is what the configuration says of a target in a region.
type wanted struct {
	key
	target config.Target
	lookup config.Lookup
}

func (w *wanted) role() imagebuilder.Role {
	return imagebuilder.Role{ARN: w.target.RoleARN, ExternalID: w.target.ExternalID, SessionName: w.target.SessionName}
}

// member is one target in one region, as it is looked up.
type member struct {
	wanted
	client *imagebuilder.Client

	rendering atomic.Int64 // of scrapes of only this one

	// The Set's mu guards these, and what changes of wanted. Its key never does.
	target  *lookup.Target
	scrapes int       // that use it
	usedAt  time.Time // when the last scrape ended; zero when target was not looked up
	gone    bool      // no longer in the configuration
}

// sameAccess reports whether w is asked at the same place with the same credentials.
func (m *member) sameAccess(w wanted) bool {
	return m.role() == w.role() && m.wanted.target.EndpointURL == w.target.EndpointURL
}

// newMember returns a member that has not been looked up. It fails when the SDK cannot
// use its own configuration.
func (s *Set) newMember(ctx context.Context, w wanted) (*member, error) {
	s.mu.Lock()
	s.open[w.key]++
	s.mu.Unlock()
	client, err := imagebuilder.NewClient(ctx, imagebuilder.ClientConfig{
		Target: w.name, Region: w.region, EndpointURL: w.target.EndpointURL, Static: s.o.Static,
		Role:           w.role(),
		STSEndpointURL: s.o.STSEndpointURL,
		Limits:         limits(w.lookup),
		Metrics:        s.o.Metrics,
		HTTPClient:     s.o.HTTPClient,
	})
	if err != nil {
		s.forget(w.key)
		return nil, fmt.Errorf("target %q: %w", w.name, err)
	}
	return &member{wanted: w, client: client, target: s.newTarget(w, client)}, nil
}

// newTarget returns what w says, with nothing looked up.
func (s *Set) newTarget(w wanted, client *imagebuilder.Client) *lookup.Target {
	return lookup.New(lookup.Config{
		Name: w.name, Region: w.region, Selection: selection(w, s.o.Collectors),
		Client: client, Panics: s.o.Panics, Logger: s.o.Logger,
	})
}

// leastUnused is longer than Prometheus ever waits between two scrapes of a series that is to stay:
// it looks back five minutes.
const leastUnused = 10 * time.Minute

// maxUnused returns after how long without a scrape a member is forgotten: what it knows would be
// stale, and nobody scrapes it any more.
func (m *member) maxUnused() time.Duration {
	l := m.lookup
	return max(l.MinInterval+l.MaxStaleness, l.DiscoveryInterval+l.MaxStaleness, leastUnused)
}

// change makes m look up what w says, with the same access.
func (s *Set) change(m *member, w wanted) {
	s.mu.Lock()
	defer s.mu.Unlock() // until target has it, which may be replaced by one that looks up m.wanted
	m.wanted.target, m.lookup = w.target, w.lookup
	m.client.SetLimits(limits(w.lookup))
	m.target.Select(selection(w, s.o.Collectors))
}

// log writes a line about m, without secrets.
func (m *member) log(logger log.Logger, msg string) {
	t := &m.wanted.target
	level.Info(logger).Log("msg", msg, "target", m.name, "region", m.region,
		"credentials", m.client.CredentialsSource(), "role_arn", t.RoleARN, "endpoint_url", t.EndpointURL,
		"workflow_executions", len(t.WorkflowExecutions), "pipeline_selectors", len(t.Pipelines), "images", len(t.ImagesIn(m.region)), "image_selectors", len(t.ImageSelectors()),
		"steps", t.Steps)
}

func limits(l config.Lookup) imagebuilder.Limits {
	return imagebuilder.Limits{Concurrency: l.Concurrency, RateLimit: l.RateLimit, Burst: l.Burst, Timeout: l.Timeout}
}

// selection returns what is looked up of a target in its region.
func selection(w wanted, o collector.Options) lookup.Selection {
	t, discovery := &w.target, limits(w.lookup).ForDiscovery()
	s := lookup.Selection{
		WorkflowExecutions: t.WorkflowExecutions, Images: t.ImagesIn(w.region),
		ImageSelectors: selectors(t.ImageSelectors()), Pipelines: selectors(t.Pipelines),
		Steps: lookup.Steps(t.Steps), MaxExecutions: t.MaxExecutions,
		TagLabels: t.TagLabels, MinInterval: w.lookup.MinInterval, DiscoveryInterval: w.lookup.DiscoveryInterval, MaxStaleness: w.lookup.MaxStaleness,
		DiscoveryRate: discovery.RateLimit, DiscoverySlots: discovery.Concurrency,
	}
	if !o.Steps {
		s.Steps = lookup.StepsNone
	}
	// A target with only ids needs no other permission, unless it asks for steps.
	s.Waiting = o.Waiting && (len(t.Pipelines) > 0 || len(t.Images) > 0 || t.Steps != config.StepsNone)
	return s
}

func selectors(all []config.Selector) []lookup.Selector {
	var selectors []lookup.Selector
	for _, s := range all {
		selectors = append(selectors, lookup.Selector{Name: s.Regexp(), Tags: s.Tags, Builds: s.Builds, Text: s.String()})
	}
	return selectors
}
