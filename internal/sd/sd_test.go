package sd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
)

// replicas are peers of a test. Each answers /-/ready with a status, or hangs with 0, or fails
// with another error when it is not there.
type replicas struct {
	mu    sync.Mutex
	ready map[string]int // by HOST:PORT
	asked []string       // URLs
}

// RoundTrip implements http.RoundTripper.
func (r *replicas) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.asked = append(r.asked, req.URL.String())
	status, there := r.ready[req.URL.Host]
	r.mu.Unlock()
	switch {
	case !there:
		return nil, errors.New("connection refused")
	case status == 0:
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	select {
	case <-time.After(time.Millisecond):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("Ready\n"))}, nil
}

// set makes a peer answer with a status.
func (r *replicas) set(peer string, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready[peer] = status
}

// questions returns the URLs that were asked for.
func (r *replicas) questions() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.asked)
}

const three = "a:10120,b:10120,c:10120"

// accounts are the keys of tests, enough for each of three peers to have some.
var accounts = randomAccounts()

func randomAccounts() []Key {
	var keys []Key
	for _, target := range []string{"golden-images", "platform", "base", "data", "ml", "edge"} {
		keys = append(keys, Key{target, "eu-west-1"}, Key{target, "us-east-1"})
	}
	return keys
}

// newReplicas returns three peers that are ready, and a Handler that asks them.
func newReplicas(t *testing.T, changes ...func(*Config)) (*replicas, *Handler, *bytes.Buffer) {
	t.Helper()
	all := &replicas{ready: map[string]int{"a:10120": 200, "b:10120": 200, "c:10120": 200}}
	peers, err := ParsePeers(three)
	if err != nil {
		t.Fatal(err)
	}
	logs := &bytes.Buffer{}
	c := Config{
		Peers: peers, Keys: func() []Key { return accounts }, ProbePath: "/probe", ReadyPath: "/-/ready", ReadyText: "Ready",
		Client: &http.Client{Transport: all}, Logger: log.NewLogfmtLogger(logs),
	}
	for _, change := range changes {
		change(&c)
	}
	return all, New(c), logs
}

// get returns what h answers.
func get(h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sd", nil))
	return w
}

// groups returns those of an answer, which has to be one that Prometheus takes.
func groups(t *testing.T, w *httptest.ResponseRecorder) (all []group) {
	t.Helper()
	if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != "application/json" {
		t.Fatalf("%d, Content-Type %q: %s", w.Code, got, w.Body)
	}
	strict := json.NewDecoder(w.Body)
	strict.DisallowUnknownFields()
	if err := strict.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAnAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		tls  bool
		want map[string]string
		asks string
	}{
		"without TLS": {false, map[string]string{
			"__metrics_path__": "/probe", "__param_target": "golden-images", "__param_region": "us-east-1",
			"instance": "golden-images/us-east-1", "__tmp_hash": "golden-images/us-east-1",
		}, "http://a:10120/-/ready"},
		"with TLS": {true, map[string]string{
			"__metrics_path__": "/probe", "__param_target": "golden-images", "__param_region": "us-east-1",
			"instance": "golden-images/us-east-1", "__tmp_hash": "golden-images/us-east-1", "__scheme__": "https",
		}, "https://a:10120/-/ready"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peers, h, _ := newReplicas(t, func(config *Config) { config.TLS = c.tls })
				all := groups(t, get(h))
				if diff := cmp.Diff(c.want, all[1].Labels); diff != "" {
					t.Errorf("labels (-want +got):\n%s", diff)
				}
				want := Assign([]string{"a:10120", "b:10120", "c:10120"}, accounts)
				for i, g := range all {
					if len(g.Targets) != 1 || g.Targets[0] != want[i] {
						t.Errorf("%s is with %v, want %s", accounts[i], g.Targets, want[i])
					}
				}
				if len(all) != len(accounts) || len(peers.questions()) != 3 || !slices.Contains(peers.questions(), c.asks) {
					t.Errorf("%d groups, want %d; %v was asked", len(all), len(accounts), peers.questions())
				}
			})
		})
	}
}

// TestOnlyReadyPeersGetTargets has one peer in each state, and the answer within a second.
func TestOnlyReadyPeersGetTargets(t *testing.T) {
	for name, status := range map[string]int{"it drains": 503, "it wants a password": 401, "it sends elsewhere": 302, "it hangs": 0, "it is another program": 404} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				peers, h, _ := newReplicas(t)
				before := groups(t, get(h))
				peers.set("b:10120", status)
				begun := time.Now()
				after := groups(t, get(h))
				if took := time.Since(begun); took > time.Second {
					t.Errorf("it took %s", took)
				}
				for i := range before {
					if was, is := before[i].Targets[0], after[i].Targets[0]; is == "b:10120" || was != "b:10120" && is != was {
						t.Errorf("%s moved from %s to %s", accounts[i], was, is)
					}
				}
			})
		})
	}
}

// TestAnAnswerIsNeverShort has what must not look like fewer targets.
func TestAnAnswerIsNeverShort(t *testing.T) {
	lost := func(r *resolver) func(*Config) {
		return func(c *Config) {
			c.Resolver = r
			c.Peers, _ = ParsePeers("dns+a:10120")
		}
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no peer is ready":           {func(c *Config) { c.Client = &http.Client{Transport: &replicas{}} }, "no peer is ready, of 3; the log says why\n"},
		"the lookup fails":           {lost(&resolver{name: "a", ips: []string{"10.0.0.1"}, err: errors.New("no such host")}), "looking up the peers: no such host\n"},
		"the lookup finds nothing":   {lost(&resolver{name: "a"}), "looking up the peers: lookup a: no addresses\n"},
		"nothing is to be looked up": {func(c *Config) { c.Keys = func() []Key { return nil } }, "no targets are configured\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, h, _ := newReplicas(t, c.change)
				if w := get(h); w.Code != http.StatusServiceUnavailable || w.Body.String() != c.want {
					t.Errorf("%d %s, want 503 %s", w.Code, w.Body, c.want)
				}
			})
		})
	}
}

// TestManyClientsAskThePeersOnce has clients that come while a peer hangs, one of which goes away.
func TestManyClientsAskThePeersOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peers, h, _ := newReplicas(t)
		peers.set("c:10120", 0)
		var answered atomic.Int64
		var running sync.WaitGroup
		for range 20 {
			running.Go(func() {
				if get(h).Code == http.StatusOK {
					answered.Add(1)
				}
			})
		}
		running.Wait()
		if answered.Load() != 20 || len(peers.questions()) != 3 {
			t.Errorf("%d answers, peers were asked %d times", answered.Load(), len(peers.questions()))
		}
	})
}

// TestAClientThatGoesAwayChangesNothing holds that its end is not that of the peers.
func TestAClientThatGoesAwayChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h, logs := newReplicas(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/sd", nil))
		if w.Code != http.StatusOK || logs.Len() > 0 {
			t.Errorf("%d, logged: %s", w.Code, logs)
		}
	})
}

// TestEveryReplicaAnswersAlike has the same peers in another order.
func TestEveryReplicaAnswersAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, one, _ := newReplicas(t)
		_, other, _ := newReplicas(t, func(c *Config) { c.Peers, _ = ParsePeers("c:10120,a:10120,b:10120") })
		if diff := cmp.Diff(get(one).Body.String(), get(other).Body.String()); diff != "" {
			t.Errorf("(-one +other):\n%s", diff)
		}
	})
}

// sharing is a http.ResponseWriter that takes bytes without a copy.
type sharing struct {
	*httptest.ResponseRecorder
	got []byte
}

// Append implements appender.
func (s *sharing) Append(b []byte) { s.got = b }

// TestManyClientsShareAnAnswer holds that it is made once.
func TestManyClientsShareAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h, _ := newReplicas(t)
		clients := make([]sharing, 5)
		var running sync.WaitGroup
		for i := range clients {
			clients[i].ResponseRecorder = httptest.NewRecorder()
			running.Go(func() { h.ServeHTTP(&clients[i], httptest.NewRequest(http.MethodGet, "/sd", nil)) })
		}
		running.Wait()
		for i := range clients {
			if len(clients[i].got) == 0 || &clients[i].got[0] != &clients[0].got[0] {
				t.Errorf("client %d has an answer of its own: %s", i, clients[i].got)
			}
		}
	})
}
