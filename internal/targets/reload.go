package targets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

// longLoad is how long the loading of a configuration takes before that is logged.
const longLoad = 10 * time.Second

// Reloader loads a configuration file and applies it to a Set. Its methods may be called
// concurrently. Only one load runs at a time. All callers that arrive meanwhile share the next
// load, because the running one may have read the file before it changed.
//
// A load can hang, for example if it reads a file on a dead mount. Nothing can end it then; callers
// stop waiting when their contexts end.
type Reloader struct {
	set    *Set
	file   string // empty for none
	load   func() (*config.Config, error)
	logger log.Logger

	successful  prometheus.Gauge
	lastSuccess prometheus.Gauge

	mu      sync.Mutex
	running bool   // whether the configuration is being loaded
	next    *round // for those who have come meanwhile, nil when nobody has

	// The load that runs owns these.
	tried  string // the checksum of the content that was loaded last, empty when it could not be read
	failed error  // what came of that
}

// NewReloader returns a Reloader that has not loaded anything. load creates a configuration from
// the file; an empty file name means there is nothing to watch. Its metrics are registered with
// reg.
func NewReloader(set *Set, file string, load func() (*config.Config, error), reg prometheus.Registerer) *Reloader {
	return &Reloader{
		set: set, file: file, load: load, logger: set.o.Logger,
		successful: promauto.With(reg).NewGauge(prometheus.GaugeOpts{
			Name: "imagebuilder_exporter_config_last_reload_successful",
			Help: "Whether the last attempt to load the configuration was successful.",
		}),
		lastSuccess: promauto.With(reg).NewGauge(prometheus.GaugeOpts{
			Name: "imagebuilder_exporter_config_last_reload_success_timestamp_seconds",
			Help: "When the configuration was last loaded successfully.",
		}),
	}
}

// Load loads the configuration. If it fails, the error is a sentence for the user, and the current
// targets stay. If ctx ends first, the error is the cause of that.
func (r *Reloader) Load(ctx context.Context) error { return r.wait(ctx, toLoad) }

// Reload is Load, and also logs the result.
func (r *Reloader) Reload(ctx context.Context) error { return r.wait(ctx, toReload) }

// OnSignal reloads with each signal, until ctx ends.
func (r *Reloader) OnSignal(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signals:
			_ = r.Reload(ctx) // it is logged
		}
	}
}

// Watch checks every interval whether the content of the file, or of an accounts file in it, has
// changed, and reloads it if so, until ctx ends. An interval of 0 disables it. A load that failed
// for a reason other than the content is retried each time.
func (r *Reloader) Watch(ctx context.Context, interval time.Duration) {
	if interval == 0 {
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = r.wait(ctx, toLook) // it is logged
		}
	}
}

// run loads the configuration for those who wait, and logs what comes of it, also when
// that takes long.
func (r *Reloader) run(ctx context.Context, waiting purposes) error {
	before := r.failed
	ended := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { r.logLong(ended) })
	loaded := r.tryAgain(ctx, waiting)
	close(ended)
	watch.Wait()
	if r.failed == nil {
		r.successful.Set(1)
	} else {
		r.successful.Set(0)
	}
	if !loaded {
		return r.failed
	}
	if r.failed == nil {
		r.lastSuccess.SetToCurrentTime()
	}
	another := r.failed == nil || before == nil || before.Error() != r.failed.Error()
	if waiting[toReload] > 0 || waiting[toLook] > 0 && another {
		r.log()
	}
	return r.failed
}

// logLong logs when the configuration is not loaded after some time, and when it ends then.
func (r *Reloader) logLong(ended <-chan struct{}) {
	begun := time.Now()
	select {
	case <-ended:
		return
	case <-time.After(longLoad):
	}
	level.Warn(r.logger).Log("msg", "loading the configuration takes long; the previous one stays in use", "file", r.file)
	r.successful.Set(0)
	<-ended
	level.Warn(r.logger).Log("msg", "loading the configuration has finished", "file", r.file, "took", time.Since(begun).Round(time.Second))
}

// tryAgain loads, and remembers what came of it. It does nothing when everybody only looks
// for a change and there is none.
func (r *Reloader) tryAgain(ctx context.Context, waiting purposes) (loaded bool) {
	if r.file != "" {
		// Before it is loaded: a change in between is seen the next time.
		sum, err := config.Checksum(r.file) // when it fails, load fails as well
		mistake, ok := errors.AsType[*config.Error](r.failed)
		unchanged := err == nil && sum == r.tried && (r.failed == nil || ok && mistake.Cause == nil)
		if unchanged && waiting.onlyLook() {
			return false
		}
		r.tried = sum
	}
	r.failed = r.apply(ctx)
	return true
}

func (r *Reloader) log() {
	if r.failed != nil {
		level.Error(r.logger).Log("msg", "loading the configuration failed; the previous one stays in use", "err", r.failed)
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
