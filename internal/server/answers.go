package server

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// answerTime is how long a client may take to read an answer.
	answerTime = 10 * time.Second
	// mostAnswers is how many answers may wait for their clients. With many executions
	// each has some megabytes, which a scraper reads in much less than a second.
	mostAnswers = 16
	// writeSize is how much is written at a time.
	writeSize = 64 << 10
)

// Page is an answer that is complete before it is sent, so a slow client delays no other. It is an
// http.ResponseWriter. The zero value is ready for use.
type Page struct {
	parts  [][]byte     // the first ones
	last   bytes.Buffer // what was written after them
	header http.Header
	status int // 0 for 200
}

// Write implements http.ResponseWriter.
func (p *Page) Write(b []byte) (int, error) { return p.last.Write(b) }

// Append adds b to the answer without a copy: b must not change afterwards. Several pages can share
// it.
func (p *Page) Append(b []byte) {
	if p.last.Len() > 0 {
		p.parts = append(p.parts, p.last.Bytes())
		p.last = bytes.Buffer{}
	}
	p.parts = append(p.parts, b)
}

// Len returns the length of the answer in bytes.
func (p *Page) Len() int {
	n := p.last.Len()
	for _, part := range p.parts {
		n += len(part)
	}
	return n
}

// String returns the answer.
func (p *Page) String() string {
	var all strings.Builder
	p.writeTo(&all)
	return all.String()
}

// writeTo writes the answer to a client, if that is still there. Many small parts make few
// large writes.
func (p *Page) writeTo(client io.Writer) {
	w := bufio.NewWriterSize(client, writeSize)
	for _, part := range append(p.parts, p.last.Bytes()) {
		if _, err := w.Write(part); err != nil {
			return
		}
	}
	_ = w.Flush()
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

// Answers limits how many Pages wait for their clients. If there are too many, it cuts off the one
// that has waited the longest. The zero value is ready for use. Its methods may be called
// concurrently.
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
	p.writeTo(w)
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
