package targets

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/config"
)

const goodFile = "targets: [{name: a, regions: [eu-west-1], workflow_executions: [wf-165b1cb6-3a62-4618-a021-94ddcbe32908]}]\n"

// file is a configuration file with the Reloader that watches it.
type file struct {
	*Reloader
	w    *world
	t    *testing.T
	path string
	reg  *prometheus.Registry
}

// newFile returns a file with this content, loaded, and looked at every ten seconds.
func newFile(t *testing.T, content string) *file {
	t.Helper()
	return newFileIn(t, t.TempDir(), &emulator.API{Scenario: emulator.Runs()}, content)
}

// newFileIn is newFile in a folder where accounts files may stand, for targets that ask api.
func newFileIn(t *testing.T, folder string, api *emulator.API, content string) *file {
	t.Helper()
	f := &file{w: newWorld(t, api, collector.Options{}), t: t, reg: prometheus.NewPedanticRegistry()}
	f.path = filepath.Join(folder, "config.yml")
	f.write(content)
	f.Reloader = NewReloader(f.w.Set, f.path, func() (*config.Config, error) { return config.Load(f.path) }, f.reg)
	if err := f.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	go f.Watch(t.Context(), 10*time.Second)
	return f
}

func (f *file) write(content string) {
	f.t.Helper()
	// As a ConfigMap is replaced: never half written.
	if err := os.WriteFile(f.path+"~", []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(f.path+"~", f.path); err != nil {
		f.t.Fatal(err)
	}
}

// tick lets ten seconds go by, after which files are looked at again.
func tick() {
	<-time.After(10 * time.Second)
	synctest.Wait()
}

// expect holds how many loads have been logged as good and bad so far, and the metrics.
func (f *file) expect(what string, good, bad int, successful float64, since time.Duration) {
	f.t.Helper()
	synctest.Wait()
	logs := f.w.logs.String()
	if g, b := strings.Count(logs, "configuration loaded"), strings.Count(logs, "loading the configuration failed"); g != good || b != bad {
		f.t.Errorf("%s: %d good and %d bad loads are logged, want %d and %d:\n%s", what, g, b, good, bad, logs)
	}
	if v := testutil.ToFloat64(f.successful); v != successful {
		f.t.Errorf("%s: config_last_reload_successful %g, want %g", what, v, successful)
	}
	if ago := float64(time.Now().Unix()) - testutil.ToFloat64(f.lastSuccess); ago != since.Seconds() {
		f.t.Errorf("%s: the last success was %g s ago, want %s", what, ago, since)
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t, goodFile)
		tick()
		f.expect("nothing changed", 0, 0, 1, 10*time.Second)
		f.write(strings.Replace(goodFile, "name: a", "name: b", 1))
		tick()
		f.expect("another target", 1, 0, 1, 0)
		f.write("targets: nonsense\n")
		tick()
		f.expect("a bad file", 1, 1, 0, 10*time.Second)
		if m := f.w.members; len(m) != 1 || m[0].name != "b" {
			t.Errorf("after a bad file it is looked up %v", m)
		}
		tick()
		f.expect("the same bad file", 1, 1, 0, 20*time.Second)
		if err := os.Remove(f.path); err != nil {
			t.Fatal(err)
		}
		tick()
		f.expect("no file", 1, 2, 0, 30*time.Second)
		tick()
		f.expect("still no file", 1, 2, 0, 40*time.Second)
		f.write(strings.Replace(goodFile, "name: a", "name: b", 1))
		tick()
		f.expect("what is loaded is back", 2, 2, 1, 0)
	})
}

// TestWatchTriesAgain has a failure that the content of the file does not explain.
func TestWatchTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t, goodFile)
		synctest.Wait()
		load, loads := f.load, 0
		f.mu.Lock()
		f.load = func() (*config.Config, error) {
			if loads++; loads < 4 {
				return nil, errors.New("no luck")
			}
			return load()
		}
		f.mu.Unlock()
		f.write(goodFile + "\n")
		<-time.After(31 * time.Second)
		f.expect("no luck", 0, 1, 0, 31*time.Second)
		<-time.After(30 * time.Second)
		f.expect("luck", 1, 1, 1, 21*time.Second)
		if loads != 4 {
			t.Errorf("it was loaded %d times, want 4", loads)
		}
	})
}

func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFile(t, goodFile)
		f.write("targets: []\n")
		for n := range 2 { // whoever asks is told each time
			want := f.path + ":1:10: targets is empty"
			if err := f.Reload(t.Context()); err == nil || !strings.HasPrefix(err.Error(), f.path+":1:") {
				t.Errorf("the error is %v, want %s", err, want)
			}
			f.expect("a bad file", 0, n+1, 0, 0)
		}
		f.write(goodFile)
		if err := f.Reload(t.Context()); err != nil {
			t.Error(err)
		}
		f.expect("a good file", 1, 2, 1, 0)
		<-time.After(time.Minute)
		f.expect("what was reloaded is not reloaded again", 1, 2, 1, time.Minute)
		f.load = func() (*config.Config, error) { panic("no luck") }
		if err := f.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "panic: no luck") {
			t.Errorf("a panic is %v", err)
		}
	})
}
