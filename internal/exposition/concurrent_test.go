package exposition

import (
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/collector"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/emulator"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/server"
)

// TestScrapesWhileThingsChange scrapes from many clients while builds settle and the selection
// changes. Each answer must be whole.
func TestScrapesWhileThingsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, 7, map[string]int{})
		ctx, cancel := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for n := range uint64(6) {
			clients.Go(func() {
				random := rand.New(rand.NewPCG(n, 18))
				for ctx.Err() == nil {
					l.scrapeAlone(randomRequest(random))
					<-time.After(time.Duration(random.IntN(20)) * time.Second)
				}
			})
		}
		for range 20 {
			l.step()
		}
		cancel()
		clients.Wait()
		l.scrape()
	})
}

// scrapeAlone holds that an answer is whole. There is nothing to compare it with.
func (l *life) scrapeAlone(r *http.Request) {
	var sources []collector.Source
	for _, target := range l.targets {
		sources = append(sources, target)
	}
	var p server.Page
	l.handler.Serve(&p, r, collector.New(l.t.Context(), sources, everything, nil))
	w := page{httptest.NewRecorder()}
	new(server.Answers).Write(w, &p)
	kind := w.Header().Get("Content-Type")
	if strings.HasPrefix(kind, "application/vnd") || strings.Contains(kind, "escaping=dots") {
		return // promhttp's
	}
	checkText(l.t, text(l.t, w), strings.HasPrefix(kind, "application/openmetrics-text"))
}

// TestASlowReader holds that a client that stops to read delays nobody, gets the rest while its
// time has not ended, and is cut off then. What it leaves behind, if anything, ends the test.
func TestASlowReader(t *testing.T) {
	for _, c := range []struct {
		name, encoding string
		stops          time.Duration
		whole          bool
	}{
		{"one that goes on, without gzip", "", 9 * time.Second, true},
		{"one that goes on, with gzip", "gzip", 9 * time.Second, true},
		{"one that stops, without gzip", "", time.Minute, false},
		{"one that stops, with gzip", "gzip", time.Minute, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, end := emulator.Pipe(manyBatches(t))
				defer end()
				slow := ask(t, client, c.encoding)
				begun := time.Now()
				if _, err := io.CopyN(io.Discard, slow.Body, 100); err != nil {
					t.Fatal(err)
				}
				for _, encoding := range []string{"gzip", ""} {
					checkText(t, read(t, ask(t, client, encoding)), true)
				}
				if took := time.Since(begun); took > 0 {
					t.Errorf("other clients waited for %s", took)
				}
				<-time.After(c.stops)
				if n, err := io.Copy(io.Discard, slow.Body); (err == nil) != c.whole {
					t.Errorf("%d more bytes, and then %v", n, err)
				}
				_ = slow.Body.Close()
			})
		})
	}
}

// manyBatches answers scrapes as the exporter does, with an answer that is longer than what
// buffers on the way hold.
func manyBatches(t *testing.T) http.Handler {
	p, h, answers := newPlay("golden", "a text"), newHandler(), &server.Answers{}
	p.fill(2_000, 100)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var all server.Page
		h.Serve(&all, r, collectorOf(t, p.moment))
		answers.Write(w, &all)
	})
}

// ask asks for an answer, of which it reads no more than the header.
func ask(t *testing.T, client *http.Client, encoding string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://exporter/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = request(prometheus3, encoding).Header
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// read reads an answer, and returns its text.
func read(t *testing.T, resp *http.Response) string {
	t.Helper()
	w := page{httptest.NewRecorder()}
	maps.Copy(w.Header(), resp.Header)
	_, err := io.Copy(w, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return text(t, w)
}
