package sd

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// TestWhatIsLogged has outages that begin, go on and end.
func TestWhatIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dns := &resolver{name: "exporter", ips: []string{"10.0.0.1", "10.0.0.2"}}
		peers, h, logs := newReplicas(t, func(c *Config) {
			c.Resolver = dns
			c.Peers, _ = ParsePeers("dns+exporter:10120")
		})
		peers.set("10.0.0.1:10120", 200)
		peers.set("10.0.0.2:10120", 200)
		for _, step := range []struct {
			name   string
			change func()
			want   string // what the log has of it
		}{
			{"all is well", func() {}, ""},
			{"one drains", func() { peers.set("10.0.0.2:10120", 503) }, "level=warn msg=\"peer is not ready; its targets move to other peers\" peer=10.0.0.2:10120 err=\"/-/ready answers 503 Service Unavailable\"\n"},
			{"DNS fails", func() { dns.err = errors.New("timeout\x1b[31m") }, "level=error msg=\"looking up the peers failed; Prometheus keeps its current targets\" err=\"looking up the peers: timeout\\\\x1b[31m\"\n"},
			{"DNS answers again", func() { dns.err = nil }, "level=info msg=\"looking up the peers succeeded again\" peers=2\n"},
			{"it is ready again", func() { peers.set("10.0.0.2:10120", 200) }, "level=info msg=\"peer is ready\" peer=10.0.0.2:10120\n"},
			{"it hangs", func() { peers.set("10.0.0.2:10120", 0) }, "level=warn msg=\"peer is not ready; its targets move to other peers\" peer=10.0.0.2:10120 err=\"no answer within 1s\"\n"},
			{"it has gone", func() { dns.ips = dns.ips[:1] }, ""},
		} {
			step.change()
			logs.Reset()
			get(h)
			get(h)
			if diff := cmp.Diff(step.want, logs.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, diff)
			}
		}
	})
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peers, h, _ := newReplicas(t)
		own := prometheus.NewPedanticRegistry()
		own.MustRegister(h)
		want := func(when, text string) {
			t.Helper()
			if err := testutil.GatherAndCompare(own, strings.NewReader(text)); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
		want("before it was asked", "")
		get(h)
		const heads = `# HELP imagebuilder_exporter_sd_peers Replicas by readiness, as of the last /sd answer of this replica.
# TYPE imagebuilder_exporter_sd_peers gauge
`
		const headTargets = `# HELP imagebuilder_exporter_sd_targets Targets, counted once per region, that the last /sd answer of this replica assigned to each ready replica.
# TYPE imagebuilder_exporter_sd_targets gauge
`
		want("all are ready", heads+"imagebuilder_exporter_sd_peers{state=\"not_ready\"} 0\nimagebuilder_exporter_sd_peers{state=\"ready\"} 3\n"+headTargets+
			"imagebuilder_exporter_sd_targets{peer=\"a:10120\"} 5\nimagebuilder_exporter_sd_targets{peer=\"b:10120\"} 2\nimagebuilder_exporter_sd_targets{peer=\"c:10120\"} 5\n")
		problems, err := testutil.GatherAndLint(own)
		if diff := cmp.Diff([]promlint.Problem(nil), problems); diff != "" || err != nil {
			t.Errorf("Prometheus' lint: %v %s", err, diff)
		}
		for peer := range peers.ready {
			peers.set(peer, 503)
		}
		get(h)
		want("none is ready", heads+"imagebuilder_exporter_sd_peers{state=\"not_ready\"} 3\nimagebuilder_exporter_sd_peers{state=\"ready\"} 0\n")
		<-time.After(shownFor + time.Second)
		want("another replica is asked", "")
	})
}
