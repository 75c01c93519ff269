package targets

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

// Reloader makes the content of a configuration file what a Set looks up. Its methods
// may be called concurrently; one reload waits for the other.
type Reloader struct {
	set    *Set
	file   string // empty for none
	load   func() (*config.Config, error)
	logger log.Logger

	successful  prometheus.Gauge
	lastSuccess prometheus.Gauge

	mu     sync.Mutex
	tried  string // the checksum of the content that was loaded last, empty when it could not be read
	failed error  // what came of that
}

// NewReloader returns a Reloader of a file, from which load makes a configuration, that
// has not loaded anything. Without a file there is nothing to watch. Its metrics are
// registered with reg.
func NewReloader(set *Set, file string, load func() (*config.Config, error), reg prometheus.Registerer) *Reloader {
	return &Reloader{
		set: set, file: file, load: load, logger: set.o.Logger,
		successful: promauto.With(reg).NewGauge(prometheus.GaugeOpts{
			Name: "imagebuilder_exporter_config_last_reload_successful",
			Help: "Whether the configuration was loaded the last time it was tried: 1 for yes, 0 for no.",
		}),
		lastSuccess: promauto.With(reg).NewGauge(prometheus.GaugeOpts{
			Name: "imagebuilder_exporter_config_last_reload_success_timestamp_seconds",
			Help: "When the configuration was last loaded.",
		}),
	}
}

// Load loads the configuration. When it fails, the error is a sentence for the user, and
// what is looked up stays as it was.
func (r *Reloader) Load(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tryAgain(ctx)
}

// Reload is Load, and logs what came of it.
func (r *Reloader) Reload(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.tryAgain(ctx)
	r.log()
	return err
}

// tryAgain loads, and remembers what came of it.
func (r *Reloader) tryAgain(ctx context.Context) error {
	if r.file != "" {
		// Before it is loaded: a change in between is seen the next time.
		r.tried, _ = config.Checksum(r.file) // load fails as well
	}
	if r.failed = r.apply(ctx); r.failed != nil {
		r.successful.Set(0)
		return r.failed
	}
	r.successful.Set(1)
	r.lastSuccess.SetToCurrentTime()
	return nil
}

func (r *Reloader) log() {
	if r.failed != nil {
		level.Error(r.logger).Log("msg", "the configuration cannot be loaded; what was loaded before stays", "err", r.failed)
		return
	}
	level.Info(r.logger).Log("msg", "configuration loaded")
}

// apply loads the configuration and applies it. A panic is an error: what is looked up
// must not end with it.
func (r *Reloader) apply(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.set.o.Panics.Inc()
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	c, err := r.load()
	if err != nil {
		return err
	}
	return r.set.Apply(ctx, c)
}

// Watch reloads when the content of the file has changed, at which it looks every
// interval, until ctx ends. What went wrong for another reason than the content is tried
// again each time.
func (r *Reloader) Watch(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.look(ctx)
		}
	}
}

// look reloads when the content of the file is not what was tried last. A failure is
// logged when it is another one than before.
func (r *Reloader) look(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.failed
	sum, err := config.Checksum(r.file)
	_, mistake := errors.AsType[*config.Error](before)
	if err == nil && sum == r.tried && (before == nil || mistake) {
		return
	}
	if err := r.tryAgain(ctx); err == nil || before == nil || before.Error() != err.Error() {
		r.log()
	}
}
