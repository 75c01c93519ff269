// Package targets turns a configuration into lookup.Targets, and replaces them when the configuration
// changes. A target that does not change keeps what it knows. The package looks nothing up itself.
// Start reading with Set.Apply; reload.go decides when to load.
package targets

import (
	"context"
	"io"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/check"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// Options are the settings that do not come from the configuration file. They do not change.
type Options struct {
	Collectors collector.Options // what is off is not asked for either

	Static         *imagebuilder.StaticCredentials // nil for the SDK's default chain
	STSEndpointURL string                          // empty for the SDK's choice

	Metrics *imagebuilder.Metrics
	Panics  interface{ Inc() } // counts panics that were contained
	Logger  log.Logger

	// HTTPClient replaces the SDK's when it is not nil. For tests.
	HTTPClient *http.Client
}

// Set has every target in each of its regions. Its methods may be called concurrently.
type Set struct {
	o Options

	applying  sync.Mutex // held by Apply
	sdkRegion string     // empty until it is found; then it stays, so that no target moves

	mu      sync.Mutex
	members []*member      // in the order of the configuration; the slice is replaced, never changed
	open    map[key]int    // members that are not closed, replaced ones too
	closed  bool           // by Close
	closing sync.WaitGroup // targets of members that have left the configuration, or that were unused

	rendering atomic.Int64 // of scrapes of all members
}

// New returns a Set without targets.
func New(o Options) *Set { return &Set{o: o, open: map[key]int{}} }

// Apply replaces the targets with those of c. A target that stays keeps its credentials, its
// counters and what is known of it. Scrapes in flight keep the targets that they have. If it fails,
// nothing changes, and the error is a sentence for the user.
func (s *Set) Apply(ctx context.Context, c *config.Config) error {
	s.applying.Lock()
	defer s.applying.Unlock()
	wanted, err := s.wanted(ctx, c)
	if err != nil {
		return err
	}
	before := map[key]*member{}
	for _, m := range s.current() {
		before[m.key] = m
	}
	var members, added []*member
	for _, w := range wanted {
		m := before[w.key]
		if m == nil || !m.sameAccess(w) {
			if m, err = s.newMember(ctx, w); err != nil {
				for _, a := range added {
					s.forget(a.key)
				}
				return err
			}
			added = append(added, m)
		}
		members = append(members, m)
	}
	for i, m := range members {
		if w := wanted[i]; !reflect.DeepEqual(m.wanted, w) {
			s.change(m, w)
			m.log(s.o.Logger, "target changed")
		}
	}
	s.replace(members)
	for _, m := range added {
		m.log(s.o.Logger, "target")
	}
	return nil
}

func (s *Set) current() []*member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.members
}

// Check tries the AWS calls that the targets need, prints the results to w, and reports whether all
// succeeded.
func (s *Set) Check(ctx context.Context, w io.Writer) bool {
	var all []check.Request
	for _, m := range s.current() {
		all = append(all, check.Request{
			Name: m.name, Region: m.region, Selection: selection(m.wanted, s.o.Collectors), Client: m.client, Role: m.role(),
		})
	}
	return check.Run(ctx, all, w)
}

// replace makes these the members, and closes those that are no longer among them as
// soon as no scrape uses them.
func (s *Set) replace(members []*member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return // the program ends
	}
	next := make(map[key]*member, len(members))
	for _, m := range members {
		next[m.key] = m
	}
	for _, m := range s.members {
		if next[m.key] == m {
			continue
		}
		if next[m.key] == nil {
			level.Info(s.o.Logger).Log("msg", "target removed", "target", m.name, "region", m.region)
		}
		m.gone = true
		if m.scrapes == 0 {
			s.close(m)
		}
	}
	s.members = members
}

// Scrape is what one scrape looks up. Call Release when it is no longer needed.
type Scrape struct {
	Sources []collector.Source
	// Rendering is kept for the caller from one scrape of the same targets to the next: about how
	// long it takes to render one, as a time.Duration.
	Rendering *atomic.Int64
	Release   func()
}

// Acquire returns the current targets for a scrape.
func (s *Set) Acquire() *Scrape {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acquire(s.members, &s.rendering)
}

// AcquireOne is Acquire for one target in one region. It reports false if there is none. A target
// that no scrape has used for long forgets what it knew, because another replica may have served it
// meanwhile.
func (s *Set) AcquireOne(name, region string) (*Scrape, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetUnused(time.Now())
	i := slices.IndexFunc(s.members, func(m *member) bool { return m.key == key{name, region} })
	if i < 0 {
		return nil, false
	}
	return s.acquire(s.members[i:i+1], &s.members[i].rendering), true
}

// acquire counts a scrape of members in. The caller holds s.mu.
func (s *Set) acquire(members []*member, rendering *atomic.Int64) *Scrape {
	scrape := &Scrape{Rendering: rendering}
	for _, m := range members {
		m.scrapes++
		scrape.Sources = append(scrape.Sources, m.target)
	}
	scrape.Release = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, m := range members {
			m.usedAt = time.Now()
			if m.scrapes--; m.scrapes == 0 && m.gone {
				s.close(m)
			}
		}
	}
	return scrape
}

// forgetUnused forgets what is known of the members that no scrape has used for so long that
// what they know would be stale. The caller holds s.mu.
func (s *Set) forgetUnused(now time.Time) {
	for _, m := range s.members {
		if m.scrapes > 0 || m.usedAt.IsZero() || now.Sub(m.usedAt) <= m.maxUnused() {
			continue
		}
		s.closing.Go(m.target.Close)
		m.target, m.usedAt = s.newTarget(m.wanted, m.client), time.Time{}
	}
}

// Known returns what all targets know now. Nothing is looked up.
func (s *Set) Known() []lookup.Snapshot {
	s.mu.Lock()
	known := make([]*lookup.Target, len(s.members))
	for i, m := range s.members {
		known[i] = m.target
	}
	s.mu.Unlock()
	all := make([]lookup.Snapshot, len(known))
	for i, t := range known {
		all[i] = t.Known()
	}
	return all
}

// Names returns the name and region of every current target.
func (s *Set) Names() iter.Seq2[string, string] {
	members := s.current()
	return func(yield func(target, region string) bool) {
		for _, m := range members {
			if !yield(m.name, m.region) {
				return
			}
		}
	}
}

// close ends the lookups of m, beside what else goes on. The caller holds s.mu.
func (s *Set) close(m *member) {
	if s.closed {
		go m.target.Close() // the program ends
		return
	}
	s.closing.Go(func() {
		m.target.Close()
		m.client.CloseIdleConnections()
		s.forget(m.key)
	})
}

// forget takes in that a member is no more. When nothing of its name and region is left,
// its counters go, too.
func (s *Set) forget(k key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[k]--; s.open[k] == 0 {
		delete(s.open, k)
		s.o.Metrics.Forget(k.name, k.region)
	}
}

// Close ends all lookups and removes all targets.
func (s *Set) Close() {
	s.mu.Lock()
	s.closed = true
	for _, m := range s.members {
		s.closing.Go(m.target.Close)
	}
	s.members = nil
	s.mu.Unlock()
	s.closing.Wait()
}
