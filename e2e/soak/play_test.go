package soak

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

// play scrapes, reloads and breaks the API for a while.
func (s *soak) play(ctx context.Context, random *rand.Rand, length time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var all sync.WaitGroup
	for range scrapers {
		pause := time.Duration(100+random.IntN(200)) * time.Millisecond
		all.Go(func() {
			for every(ctx, pause) {
				s.scrape()
			}
		})
	}
	for n := 0; every(ctx, 500*time.Millisecond); n++ {
		s.breakAPI(random)
		names := []string{"ids", "web", "ids web", "web ids nobody", "nobody web"}[random.IntN(5)]
		s.reload(s.config(names, 1+random.IntN(40), 1+random.IntN(4)), random.IntN(2) == 0)
		if !every(ctx, 500*time.Millisecond) {
			break
		}
		if n%4 == 1 {
			s.reloadBad()
		}
	}
	all.Wait()
}

// every waits for d, and reports whether ctx goes on.
func every(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
	return ctx.Err() == nil
}

// reload loads c, first by a signal, if so.
func (s *soak) reload(c soakConfig, signal bool) {
	s.write(c)
	if signal {
		s.program.Signal(s.t, syscall.SIGHUP)
	}
	status, body := s.program.Do(s.t, http.MethodPost, "/-/reload")
	s.mu.Lock()
	defer s.mu.Unlock()
	if status != http.StatusOK {
		s.t.Errorf("a good file: %d %s", status, body)
		return
	}
	s.oldest = len(s.loaded) - 1
	s.good++
}

// reloadBad loads what cannot be loaded, and leaves the good file behind.
func (s *soak) reloadBad() {
	good, err := os.ReadFile(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	binarytest.WriteFile(s.t, s.file, string(good)+"nonsense: 1\n")
	status, body := s.program.Do(s.t, http.MethodPost, "/-/reload")
	if status != http.StatusInternalServerError || !strings.Contains(body, "nonsense") {
		s.t.Errorf("a bad file: %d %s", status, body)
	}
	binarytest.WriteFile(s.t, s.file, string(good))
	s.bad++
}

// breakAPI makes the emulator do something else than before.
func (s *soak) breakAPI(random *rand.Rand) {
	faults := []http.Handler{
		nil, nil,
		emulator.Error(429, "CallRateLimitExceededException", ""), emulator.Error(403, "AccessDeniedException", ""),
		emulator.Error(404, "ResourceNotFoundException", ""), emulator.Error(500, "ServiceException", ""),
		emulator.Body(200, "text/html", "<html>"), emulator.Body(200, "application/json", `{"status":"FAILED"}`),
		emulator.Body(200, "application/json", `{"message":"`+strings.Repeat("x", 6<<20)+`"}`),
		emulator.Hang(), emulator.Reset(""), emulator.Reset(`{"status":`), emulator.Drip(200, `{"status":`),
	}
	fault, oneIn := faults[random.IntN(len(faults))], uint64(1+random.IntN(3))
	if fault == nil {
		s.fault.Store(nil)
		return
	}
	var n atomic.Uint64
	f := func(string, string) http.Handler {
		if n.Add(1)%oneIn == 0 {
			return fault
		}
		return nil
	}
	s.fault.Store(&f)
}
