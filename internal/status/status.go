// Package status shows the targets and their executions, as a page for people and as JSON for
// programs. It makes no API call: it shows what the last scrape has left.
package status

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"reflect"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

//go:embed *.html.tmpl style.css
var files embed.FS

// StylePath is where the style sheet is, below the page.
const StylePath = "/style.css"

// Handler serves the page, as JSON to clients that prefer it, and its style sheet at StylePath
// below it.
type Handler struct {
	snapshots func() []lookup.Snapshot
	version   string
	template  *template.Template
	renders   *semaphore.Weighted // bounds how many pages are rendered at a time
}

// maxRenders is how many pages are rendered at a time, the others wait. Each copies everything
// that is known, and delays scrapes meanwhile.
const maxRenders = 2

// New returns a Handler that shows what snapshots returns at each request.
func New(snapshots func() []lookup.Snapshot, version string) (*Handler, error) {
	pages, err := template.New("page").Funcs(functions).ParseFS(files, "*.html.tmpl")
	return &Handler{snapshots, version, pages, semaphore.NewWeighted(maxRenders)}, err
}

// functions are what the templates call.
var functions = template.FuncMap{
	"add":       func(a, b int) int { return a + b },
	"ago":       ago,
	"class":     class,
	"console":   consoleURL,
	"date":      date,
	"deref":     reflect.Indirect,
	"duration":  duration,
	"join":      strings.Join,
	"rfc3339":   func(t time.Time) string { return t.Format(time.RFC3339) },
	"shortDate": shortDate,
	"truncate":  truncate,
}

// ServeHTTP implements http.Handler for GET and HEAD. The server sets the headers that are
// the same for all pages.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if strings.HasSuffix(r.URL.Path, StylePath) {
		header.Set("Content-Type", "text/css; charset=utf-8")
		header.Set("Cache-Control", "max-age=300")
		http.ServeFileFS(w, r, files, "style.css")
		return
	}
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept")
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.renders.TryAcquire(1) && h.renders.Acquire(r.Context(), 1) != nil {
		http.Error(w, "other pages are being made, try again", http.StatusServiceUnavailable)
		return
	}
	contentType, body, err := h.render(q, wantsJSON(r.Header.Values("Accept")))
	h.renders.Release(1)
	if err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header.Set("Content-Type", contentType)
	_, _ = w.Write(body) // the client has gone
}

// render returns the page, or the same as JSON. It returns a panic as an error, so that its
// caller releases what it has acquired.
func (h *Handler) render(q query, asJSON bool) (contentType string, body []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	p := newPage(h.snapshots(), q, time.Now())
	p.Version = h.version
	var b bytes.Buffer
	if asJSON {
		err = json.NewEncoder(&b).Encode(p)
		return "application/json", b.Bytes(), err
	}
	err = h.template.ExecuteTemplate(&b, "page", p)
	return "text/html; charset=utf-8", b.Bytes(), err
}

// class returns the class in the style sheet of the status of an execution, a step or an image.
func class(status string) string {
	s, image := imagebuilder.Status(status), imagebuilder.ImageStatus(status)
	switch {
	case status == "":
		return "unknown"
	case s.Failed() || image.Failed():
		return "failed"
	case s.Good() || image == imagebuilder.ImageAvailable:
		return "good"
	case s == imagebuilder.StatusWaiting:
		return "waiting"
	case s.Active() || image.Active():
		return "running"
	}
	return "idle"
}
