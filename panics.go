package main

import (
	"fmt"
	"sync"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
)

// panics counts the panics that were contained, and logs those of scrapes. Its methods may
// be called concurrently.
type panics struct {
	prometheus.Counter
	logger log.Logger
	logged sync.Map // the parts of a scrape that have panicked
}

// newPanics returns panics whose counter is registered with reg.
func newPanics(reg prometheus.Registerer, logger log.Logger) *panics {
	p := &panics{logger: logger, Counter: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "imagebuilder_exporter_panics_total",
		Help: "Panics that cost a lookup or a part of a scrape, and nothing else: each is a bug of the exporter.",
	})}
	reg.MustRegister(p.Counter)
	return p
}

// inScrape implements collector.Panicked. Each part of a scrape is logged once.
func (p *panics) inScrape(part string, value any, stack []byte) {
	p.Inc()
	if _, again := p.logged.LoadOrStore(part, true); !again {
		level.Error(p.logger).Log("msg", "a part of the scrapes is missing", "part", part, "err", fmt.Sprintf("panic: %v", value), "stack", string(stack))
	}
}
