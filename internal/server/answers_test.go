package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a client that reads nothing until its deadline.
type stuck struct {
	*httptest.ResponseRecorder
	deadline time.Time
	goOn     chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.goOn
	return len(p), nil
}

func (s *stuck) SetWriteDeadline(deadline time.Time) error {
	s.deadline = deadline
	if !deadline.After(time.Now()) {
		close(s.goOn) // as a connection does
	}
	return nil
}

// TestManySlowClients holds that memory for answers is bounded.
func TestManySlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answers Answers
		var ended atomic.Int64
		var clients []*stuck
		const all = 100
		for range all {
			w := &stuck{ResponseRecorder: httptest.NewRecorder(), goOn: make(chan struct{})}
			clients = append(clients, w)
			go func() {
				var p Page
				_, _ = io.WriteString(&p, "an answer")
				answers.Write(w, &p)
				ended.Add(1)
			}()
			synctest.Wait()
			if want := time.Now().Add(answerTime); !w.deadline.Equal(want) {
				t.Errorf("the client has until %s, want %s", w.deadline, want)
			}
		}
		if n := all - ended.Load(); n != mostAnswers {
			t.Errorf("%d answers wait for their clients, want %d", n, mostAnswers)
		}
		for _, w := range clients[all-mostAnswers:] {
			close(w.goOn)
		}
		synctest.Wait()
		if n := len(answers.clients); n != 0 || ended.Load() != all {
			t.Errorf("%d clients are left, %d answers have ended", n, ended.Load())
		}
	})
}

func TestAPageIsWhatAHandlerWrote(t *testing.T) {
	var p Page
	http.Error(&p, "no", http.StatusTeapot)
	w := httptest.NewRecorder()
	(&Answers{}).Write(w, &p)
	if w.Code != http.StatusTeapot || w.Body.String() != "no\n" || w.Header().Get("Content-Length") != "3" || w.Header().Get("Content-Type") == "" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
}
