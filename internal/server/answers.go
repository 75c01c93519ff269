package server

import (
	"bytes"
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// answerTime is how long a client may take to read an answer.
	answerTime = 10 * time.Second
	// mostAnswers is how many answers may wait for their clients. With many executions
	// each has some megabytes, which a scraper reads in much less than a second.
	mostAnswers = 16
)

// Page is an answer that is complete before the client gets any of it, so that a slow
// client delays nobody else. It is a http.ResponseWriter. The zero value is ready for use.
type Page struct {
	bytes.Buffer
	header http.Header
	status int // 0 for 200
}

// Header implements http.ResponseWriter.
func (p *Page) Header() http.Header {
	if p.header == nil {
		p.header = http.Header{}
	}
	return p.header
}

// WriteHeader implements http.ResponseWriter.
func (p *Page) WriteHeader(status int) { p.status = status }

// Answers bounds how many Pages wait for their clients: when there are too many, the one
// that waits for the longest time is cut off. The zero value is ready for use. Its methods
// may be called concurrently.
type Answers struct {
	mu      sync.Mutex
	clients []*http.ResponseController // in the order in which they began
}

// Write answers with p. A client that does not read it in time is cut off.
func (a *Answers) Write(w http.ResponseWriter, p *Page) {
	client := http.NewResponseController(w)
	_ = client.SetWriteDeadline(time.Now().Add(answerTime)) // of a recorder it cannot be set
	a.begin(client)
	defer a.end(client)
	maps.Copy(w.Header(), p.header)
	w.Header().Set("Content-Length", strconv.Itoa(p.Len()))
	w.WriteHeader(cmp.Or(p.status, http.StatusOK))
	_, _ = p.WriteTo(w) // the client has gone
}

func (a *Answers) begin(client *http.ResponseController) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.clients = append(a.clients, client); len(a.clients) > mostAnswers {
		_ = a.clients[0].SetWriteDeadline(time.Now()) // ends its write
		a.clients = slices.Delete(a.clients, 0, 1)
	}
}

func (a *Answers) end(client *http.ResponseController) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clients = slices.DeleteFunc(a.clients, func(c *http.ResponseController) bool { return c == client })
}
