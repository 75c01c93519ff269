package exposition

import (
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// oneBatch returns a moment with one batch, which has one execution.
func oneBatch() moment {
	return moment{Name: "a", Region: "eu-west-1", Settled: []*lookup.Batch{{Executions: []lookup.Execution{{ID: "wf-1", LookedUp: true}}}}}
}

// kept returns the segments that h has of a batch, by variant.
func kept(h *Handler, b *lookup.Batch) map[variant]map[string]*segment { return h.cache.of(b).segments }

// bytesOf returns how many bytes these have.
func bytesOf(h *Handler, b *lookup.Batch) int64 {
	n := 0
	for _, segments := range kept(h, b) {
		for _, s := range segments {
			n += len(s.head) + len(s.data)
		}
	}
	return int64(n)
}

func TestABatchIsRenderedOnce(t *testing.T) {
	h, m := newHandler(), oneBatch()
	const name = "imagebuilder_workflow_execution_lookup_success"
	first := map[variant]*segment{}
	for range 3 {
		for _, encoding := range []string{"gzip", ""} {
			compare(t, h, request(prometheus3, encoding), m)
		}
		for v, segments := range kept(h, m.Settled[0]) {
			if first[v] == nil {
				first[v] = segments[name]
			}
			if segments[name] == nil || segments[name] != first[v] {
				t.Errorf("%v is rendered again", v)
			}
		}
	}
	if len(first) != 2 {
		t.Errorf("%d variants are kept", len(first))
	}
}

func TestWhatNobodyAsksForIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newHandler(), oneBatch()
		compare(t, h, request("text/plain", ""), m)
		for _, c := range []struct {
			after time.Duration
			want  int
		}{{0, 2}, {keptFor, 2}, {time.Second, 1}} {
			<-time.After(c.after)
			compare(t, h, request(prometheus3, "gzip"), m)
			if n := len(kept(h, m.Settled[0])); n != c.want {
				t.Errorf("after %s more: %d variants are kept, want %d", c.after, n, c.want)
			}
			if n := h.Bytes(); n != bytesOf(h, m.Settled[0]) || n == 0 {
				t.Errorf("after %s more: %d bytes are counted, want %d", c.after, n, bytesOf(h, m.Settled[0]))
			}
		}
	})
}

// TestAnotherFormatIsForgotten also when nobody asks any more for one that is put together.
func TestAnotherFormatIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, m := newHandler(), oneBatch()
		compare(t, h, request(prometheus3, "gzip"), m)
		<-time.After(keptFor + time.Second)
		serve(t, h, request(protobuf, "gzip"), m)
		if n := h.Bytes(); n != 0 {
			t.Errorf("%d bytes are kept", n)
		}
	})
}

func TestSegmentsGoWithTheirBatch(t *testing.T) {
	h := newHandler()
	stays := oneBatch()
	compare(t, h, request(prometheus3, "gzip"), stays)
	compare(t, h, request(prometheus3, "gzip"), oneBatch()) // whose batch nobody has
	left := func() int {
		h.cache.mu.Lock()
		defer h.cache.mu.Unlock()
		return len(h.cache.batches)
	}
	for deadline := time.Now().Add(10 * time.Second); left() > 1 && time.Now().Before(deadline); {
		runtime.GC()
		runtime.Gosched()
	}
	if n := left(); n != 1 || len(kept(h, stays.Settled[0])) != 1 {
		t.Errorf("%d batches are kept, want 1", n)
	}
	if n := h.Bytes(); n != bytesOf(h, stays.Settled[0]) {
		t.Errorf("%d bytes are counted, want %d", n, bytesOf(h, stays.Settled[0]))
	}
	runtime.KeepAlive(stays)
}

func TestScrapesAtTheSameTime(t *testing.T) {
	h, m := newHandler(), oneBatch()
	var running sync.WaitGroup
	for i := range 20 {
		running.Go(func() {
			r := request([]string{prometheus2, prometheus3, "text/plain"}[i%3], []string{"gzip", ""}[i%2])
			p := page{httptest.NewRecorder()}
			h.Serve(p, r, collectorOf(t, m))
			if text(t, p) == "" {
				t.Error("an answer is empty")
			}
		})
	}
	running.Wait()
	compare(t, h, request(prometheus3, "gzip"), m)
}
