package soak

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// atRest is what the program takes when nothing goes on.
type atRest struct{ goroutines, fds, heap int }

// String says so.
func (a atRest) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d KiB of heap", a.goroutines, a.fds, a.heap>>10)
}

// rest ends all faults, loads what was loaded first, and waits until what the program
// takes no longer falls.
func (s *soak) rest(ctx context.Context) atRest {
	s.fault.Store(nil)
	s.reload(s.base(), false)
	var least atRest
	rounds := 3
	if *soakTime >= time.Minute {
		rounds = 10
	}
	for n := range rounds {
		http.DefaultClient.CloseIdleConnections()
		s.program.CloseIdleConnections()
		every(ctx, time.Second)
		if status, _ := s.program.Do(s.t, http.MethodGet, "/debug/pprof/heap?gc=1"); status != http.StatusOK {
			s.t.Errorf("no profile: %d", status)
		}
		families := s.scrape()
		value := func(name string) int {
			for _, m := range families[name].GetMetric() {
				return int(m.GetGauge().GetValue())
			}
			return 0
		}
		now := atRest{goroutines: value("go_goroutines"), fds: value("process_open_fds"), heap: value("go_memstats_heap_alloc_bytes")}
		for name, f := range families {
			for _, m := range f.GetMetric() {
				if target := label(m, "target"); target != "" && target != "ids" {
					s.t.Errorf("%s of target %q is left", name, target)
				}
			}
		}
		if n == 0 || now.goroutines+now.fds < least.goroutines+least.fds {
			least = now
		}
		least.heap = min(least.heap, now.heap)
	}
	return least
}
