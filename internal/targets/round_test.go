package targets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
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

// gated is a Reloader whose loads wait until the test lets each of them go on.
type gated struct {
	*Reloader
	w       *world
	loads   int        // that have begun
	results chan error // what the load that runs is to end with
}

func newGated(t *testing.T) *gated {
	t.Helper()
	g := &gated{w: newWorld(t, &emulator.API{Scenario: emulator.Runs()}, collector.Options{}), results: make(chan error)}
	load := func() (*config.Config, error) {
		g.loads++
		return &config.Config{}, <-g.results
	}
	g.Reloader = NewReloader(g.w.Set, "", load, prometheus.NewPedanticRegistry())
	return g
}

// reload reloads n times at once, and returns what comes of that.
func (g *gated) reload(ctx context.Context, n int) <-chan error {
	all := make(chan error, n)
	for range n {
		go func() { all <- g.Reload(ctx) }()
	}
	synctest.Wait()
	return all
}

// expect holds what each of n reloads has come to, and that all have ended.
func expect(t *testing.T, what string, got <-chan error, n int, want error) {
	t.Helper()
	synctest.Wait()
	if len(got) != n {
		t.Errorf("%s: %d have ended, want %d", what, len(got), n)
	}
	for range len(got) {
		if err := <-got; !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	}
}

func TestReloadsThatWaitShareTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(t)
		bad := errors.New("a bad file")
		first, rest := g.reload(t.Context(), 1), g.reload(t.Context(), 1500)
		g.results <- nil
		expect(t, "the first one", first, 1, nil)
		expect(t, "those that came while it ran", rest, 0, nil)
		last := g.reload(t.Context(), 3)
		g.results <- bad
		expect(t, "those that came while it ran", rest, 1500, bad)
		expect(t, "those that came while the second one ran", last, 0, nil)
		g.results <- nil
		expect(t, "those that came while the second one ran", last, 3, nil)
		logs := g.w.logs.String()
		if good, bad := strings.Count(logs, "configuration loaded"), strings.Count(logs, "loading the configuration failed"); g.loads != 3 || good != 2 || bad != 1 {
			t.Errorf("%d loads, %d good and %d bad ones are logged, want 3, 2 and 1:\n%s", g.loads, good, bad, logs)
		}
	})
}

func TestClientsThatHaveGoneLeaveTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(t)
		gone, leave := context.WithCancelCause(t.Context())
		left := errors.New("the client has gone")
		first := g.reload(gone, 1)
		rest := g.reload(gone, 1500)
		leave(left)
		expect(t, "the first one", first, 1, left)
		expect(t, "the others", rest, 1500, left)
		g.results <- nil
		synctest.Wait()
		if g.loads != 1 {
			t.Errorf("%d loads, want 1: nobody waits for more", g.loads)
		}
		if v := testutil.ToFloat64(g.successful); v != 1 {
			t.Errorf("config_last_reload_successful %g, want 1: the load went on", v)
		}
		later := g.reload(t.Context(), 1)
		g.results <- nil
		expect(t, "a later one", later, 1, nil)
	})
}

// TestALoadThatHangs holds that nobody is kept by it, and that it is logged once.
func TestALoadThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(t)
		g.file = "config.yml"
		logged := func(what string, long, ended int, successful float64) {
			t.Helper()
			synctest.Wait()
			logs := g.w.logs.String()
			if l, e := strings.Count(logs, "takes long"), strings.Count(logs, "has finished"); l != long || e != ended {
				t.Errorf("%s: logged %d and %d times, want %d and %d:\n%s", what, l, e, long, ended, logs)
			}
			if v := testutil.ToFloat64(g.successful); v != successful {
				t.Errorf("%s: config_last_reload_successful %g, want %g", what, v, successful)
			}
		}
		quick := g.reload(t.Context(), 1)
		g.results <- nil
		expect(t, "a quick one", quick, 1, nil)
		ctx, end := context.WithCancel(t.Context())
		hangs := g.reload(ctx, 1)
		go g.Watch(ctx, time.Second)
		<-time.After(longLoad - time.Second)
		logged("for 9 s", 0, 0, 1)
		<-time.After(time.Hour)
		logged("for an hour", 1, 0, 0)
		if !strings.Contains(g.w.logs.String(), "file=config.yml") {
			t.Errorf("the file is not logged:\n%s", g.w.logs.String())
		}
		end()
		expect(t, "at the end of the program", hangs, 1, context.Canceled)
		g.results <- nil
		logged("after it", 1, 1, 1)
		if g.loads != 2 {
			t.Errorf("%d loads, want 2", g.loads)
		}
	})
}

// TestLoadLeavesAHangBehind has the first load, whose error is for the caller to tell.
func TestLoadLeavesAHangBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		if err := g.Load(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Minute {
			t.Errorf("got %v after %s", err, time.Since(begun))
		}
		g.results <- errors.New("a bad file")
		synctest.Wait()
		if logs := g.w.logs.String(); strings.Contains(logs, "loading the configuration failed") {
			t.Errorf("what Load returns is logged, too:\n%s", logs)
		}
	})
}

// TestAReloadGoesOnWithoutItsClient has one that waits for the region of the instance
// metadata.
func TestAReloadGoesOnWithoutItsClient(t *testing.T) {
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-answer
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60") // of a token; a document has none
		fmt.Fprint(w, `{"region": "eu-west-1"}`)
	}))
	defer metadata.Close()
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_EC2_METADATA_DISABLED"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
	w := newWorld(t, &emulator.API{Scenario: emulator.Runs()}, collector.Options{})
	c := config.Default()
	c.Targets = []config.Target{{Name: "a"}}
	r := NewReloader(w.Set, "", func() (*config.Config, error) { return &c, nil }, prometheus.NewPedanticRegistry())
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- r.Reload(ctx) }()
	<-asked
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the client that leaves gets %v", err)
	}
	close(answer)
	if err := r.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if logs := w.logs.String(); strings.Count(logs, "configuration loaded") != 2 {
		t.Errorf("not both are loaded:\n%s", logs)
	}
}
