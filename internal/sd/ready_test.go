package sd

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// hangs asks replicas, but hangs for one peer whatever its context says, as a client does that
// reads a file of a dead mount.
type hangs struct {
	*replicas
	peer  string
	until chan struct{}
}

// RoundTrip implements http.RoundTripper.
func (h *hangs) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == h.peer {
		<-h.until
	}
	return h.replicas.RoundTrip(req)
}

// TestAQuestionThatHangs has one that does not end with its time, and then ends.
func TestAQuestionThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := &hangs{peer: "b:10120", until: make(chan struct{})}
		peers, h, logs := newReplicas(t, func(c *Config) {
			stuck.replicas = c.Client.Transport.(*replicas)
			c.Client = &http.Client{Transport: stuck}
		})
		for range 3 {
			begun := time.Now()
			for _, g := range groups(t, get(h)) {
				if g.Targets[0] == stuck.peer {
					t.Errorf("%v is with the peer that hangs", g.Labels)
				}
			}
			if took := time.Since(begun); took > time.Second {
				t.Errorf("it took %s", took)
			}
		}
		if text := logs.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "no answer within 1s") {
			t.Errorf("the log is\n%s", text)
		}
		left := 0
		h.inFlight.Range(func(any, any) bool { left++; return true })
		close(stuck.until)
		synctest.Wait()
		all := groups(t, get(h))
		if n := len(peers.questions()); n != 3*3+3-2 || left != 1 {
			t.Errorf("%d questions have come, want 3 of each of two peers at each answer, and one of the one that hung; %d were left behind", n, left)
		}
		if !slices.ContainsFunc(all, func(g group) bool { return g.Targets[0] == stuck.peer }) {
			t.Error("the peer that hung gets no targets when it answers again")
		}
	})
}

// TestAPasswordThatCannotBeRead has a pipe that nobody writes to for its file.
func TestAPasswordThatCannotBeRead(t *testing.T) {
	config := file(t, "basic_auth: {username: peer, password_file: password}")
	pipe := filepath.Join(filepath.Dir(config), "password")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	_, h, _ := newReplicas(t, func(c *Config) { c.Client = client })
	defer func() { // lets the readers end
		if w, err := os.OpenFile(pipe, os.O_RDWR, 0); err == nil {
			_ = w.Close()
		}
	}()
	if w := get(h); w.Code != http.StatusServiceUnavailable || !strings.HasPrefix(w.Body.String(), "no peer is ready") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// said is what every peer answers, with status 200.
type said string

// RoundTrip implements http.RoundTripper.
func (s said) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(s)))}, nil
}

func TestAPeerSaysThatItIsReady(t *testing.T) {
	for name, c := range map[string]struct {
		text said
		want int
	}{
		"as this exporter does":             {"Ready\n", http.StatusOK},
		"another program":                   {"OK\n", http.StatusServiceUnavailable},
		"a page with the word":              {"<p>Ready</p>\n", http.StatusServiceUnavailable},
		"nothing":                           {"", http.StatusServiceUnavailable},
		"a long text that begins as it has": {said("Ready\n" + strings.Repeat("Ready\n", 1<<20)), http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, h, _ := newReplicas(t, func(config *Config) { config.Client = &http.Client{Transport: c.text} })
			if w := get(h); w.Code != c.want {
				t.Errorf("%d %s, want %d", w.Code, w.Body, c.want)
			}
		})
	}
}
