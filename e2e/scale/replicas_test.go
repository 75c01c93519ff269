package scale

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/deploy/demo-stack/stack"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

// timing has the durations of docs/operations.md, all of them shorter by one factor.
type timing struct {
	scrape, refresh, lookup, drain time.Duration
	minute                         time.Duration // that stands for one where alerts wait
}

// replicas are those of one exporter, and the Service at which Prometheus asks for /sd.
type replicas struct {
	t         *testing.T
	timing    timing
	addresses []string
	api       []string              // the URL at which each asks
	files     []string              // the configuration of each
	running   []*binarytest.Program // nil for one that does not run
	service   string                // a URL
}

// newReplicas returns so many replicas, none of which runs.
func newReplicas(t *testing.T, a *aws, timing timing, n int) *replicas {
	t.Helper()
	r := &replicas{t: t, timing: timing, running: make([]*binarytest.Program, n)}
	for i := range n {
		address, err := stack.FreeAddress()
		if err != nil {
			t.Fatal(err)
		}
		url, file := a.serve(t, i), filepath.Join(t.TempDir(), "config.yml")
		binarytest.WriteFile(t, file, a.config(url, timing))
		r.addresses, r.api, r.files = append(r.addresses, address), append(r.api, url), append(r.files, file)
	}
	s := httptest.NewServer(http.HandlerFunc(r.forward))
	t.Cleanup(s.Close)
	r.service = s.URL
	return r
}

// forward sends a request to a replica that is ready, as a Service does.
func (r *replicas) forward(w http.ResponseWriter, asked *http.Request) {
	for _, address := range r.addresses {
		if status, _ := fetch(asked.Context(), "http://"+address+"/-/ready"); status != http.StatusOK {
			continue
		}
		if status, body := fetch(asked.Context(), "http://"+address+asked.URL.Path); status != 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write(body)
			return
		}
	}
	http.Error(w, "no replica is ready", http.StatusBadGateway)
}

// fetch returns what stands at a URL. The status is 0 when nobody answers.
func fetch(ctx context.Context, url string) (status int, body []byte) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, nil
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return 0, nil
	}
	return resp.StatusCode, body
}

// start starts a replica.
func (r *replicas) start(n int) {
	r.t.Helper()
	c := binarytest.WithCredentials(binarytest.Command(context.WithoutCancel(r.t.Context()), r.t,
		"--config.file="+r.files[n], "--web.listen-address="+r.addresses[n],
		"--sd.peers="+strings.Join(r.addresses, ","), "--web.drain="+r.timing.drain.String(),
		"--scrape.timeout-offset="+(r.timing.scrape/2).String())) // machines with tests are slow
	c.Env = append(c.Env, "AWS_ENDPOINT_URL_STS="+r.api[n])
	c.Stderr = r.t.Output()
	r.running[n] = binarytest.StartAt(r.t, c, r.addresses[n])
}

// stop ends a replica as a rolling update does, and returns when it has ended.
func (r *replicas) stop(n int) {
	r.t.Helper()
	r.running[n].Stop(r.t)
	r.running[n] = nil
}

// kill ends a replica at once.
func (r *replicas) kill(n int) {
	r.t.Helper()
	p := r.running[n]
	r.running[n] = nil
	p.Signal(r.t, syscall.SIGKILL)
	p.CloseIdleConnections()
	_, _ = p.Process.Wait()
}

// assigned returns the address of the replica of each target in each region.
func (r *replicas) assigned() map[string]string {
	r.t.Helper()
	var status int
	var body []byte
	for range 10 { // where a machine is slow, nobody answers within the second that peers have
		if status, body = fetch(r.t.Context(), r.service+"/sd"); status == http.StatusOK {
			break
		}
	}
	var groups []struct {
		Targets []string
		Labels  map[string]string
	}
	if err := json.Unmarshal(body, &groups); err != nil || status != http.StatusOK {
		r.t.Fatalf("/sd: %d %s", status, body)
	}
	all := map[string]string{}
	for _, g := range groups {
		all[g.Labels["instance"]] = g.Targets[0]
	}
	return all
}

// value returns the value of a metric without labels on the page of a replica.
func (r *replicas) value(n int, name string) float64 {
	r.t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(r.running[n].Metrics(r.t))
	if m == nil {
		r.t.Fatalf("replica %d has no %s", n, name)
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}
