// Package status shows the targets and their executions, as pages for people and as JSON for programs.
// It makes no AWS calls: it shows what is known since the last scrape. Start reading with
// Handler.ServeHTTP and newPage.
package status

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/semaphore"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/printable"
)

//go:embed *.html.tmpl style.css
var files embed.FS

// Path is the path of the page of all executions. The page of one execution is below it.
const Path = "/executions"

// StylePath is the path of the style sheet, below Path.
const StylePath = "/style.css"

// Config is the configuration of a Handler.
type Config struct {
	Snapshots   func() []lookup.Snapshot // what is known, called for each request
	Version     string                   // of the exporter
	MetricsPath string                   // such as /metrics
	Replica     bool                     // whether there is /sd, and /metrics has no target
	Pprof       bool                     // whether there is /debug/pprof/
}

// Handler serves the landing page at /, the page of all executions at Path, and the page of one
// execution below it. Clients that prefer JSON get the latter two as JSON. StylePath below Path has
// the style sheet.
type Handler struct {
	Config
	template *template.Template
	renders  *semaphore.Weighted // bounds how many pages are rendered at a time
}

// maxRenders is how many pages are rendered at a time, the others wait. Each copies everything
// that is known, and delays scrapes meanwhile.
const maxRenders = 2

// New returns a Handler.
func New(c Config) (*Handler, error) {
	pages, err := template.New("page").Funcs(functions).ParseFS(files, "*.html.tmpl")
	return &Handler{c, pages, semaphore.NewWeighted(maxRenders)}, err
}

// functions are what the templates call.
var functions = template.FuncMap{
	"args":      newFoundOn,
	"add":       func(a, b int) int { return a + b },
	"ago":       ago,
	"class":     class,
	"console":   consoleURL,
	"count":     printable.Count,
	"date":      date,
	"deref":     reflect.Indirect,
	"duration":  duration,
	"join":      strings.Join,
	"long":      func(s string) bool { return utf8.RuneCountInString(s) > nameWidth },
	"middle":    middle,
	"name":      name,
	"rfc3339":   func(t time.Time) string { return t.Format(time.RFC3339) },
	"shortDate": shortDate,
	"symbol":    symbol,
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
	made, err := h.page(r.URL)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !h.renders.TryAcquire(1) && h.renders.Acquire(r.Context(), 1) != nil {
		http.Error(w, "too many pages are being rendered; try again", http.StatusServiceUnavailable)
		return
	}
	contentType, body, err := h.render(made, r.URL.Path != landingPath && wantsJSON(r.Header.Values("Accept")))
	h.renders.Release(1)
	switch missing := errMissing(""); {
	case errors.As(err, &missing):
		h.missing(w, missing, isBrowser(r.Header.Values("Accept")))
	case err != nil:
		http.Error(w, "rendering the page failed: "+err.Error(), http.StatusInternalServerError)
	default:
		header.Set("Content-Type", contentType)
		_, _ = w.Write(body) // the client has gone
	}
}

// page returns what makes the page at a URL, and the name of its template.
func (h *Handler) page(at *url.URL) (func() (name string, content any, err error), error) {
	if at.Path == landingPath {
		return h.landing, nil
	}
	q, err := parseQuery(at.RawQuery)
	if err != nil {
		return nil, err
	}
	if id, one := strings.CutPrefix(at.Path, Path+"/"); one {
		return func() (string, any, error) { return h.execution(id, q) }, nil
	}
	return func() (string, any, error) { return h.executions(q) }, nil
}

// errMissing says, in a sentence for the client, that there is no such page.
type errMissing string

func (e errMissing) Error() string { return string(e) }

// missing answers with the sentence: to a browser as a page with links, to others as a line.
func (h *Handler) missing(w http.ResponseWriter, text errMissing, browser bool) {
	_, body, err := h.render(func() (string, any, error) { return "missing", notFound{Text: string(text)}, nil }, false)
	if !browser || err != nil {
		http.Error(w, string(text), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(body)
}

// notFound is what the page of something that is not there shows.
type notFound struct {
	Query query
	Text  string
}

// Root leads from the page to where the exporter's pages are.
func (notFound) Root() string { return "../" }

// executions returns the page of all executions, and the name of its template.
func (h *Handler) executions(q query) (name string, content any, err error) {
	p := newPage(h.Snapshots(), q, time.Now())
	p.Version = h.Version
	return "page", p, nil
}

// execution returns the page of one execution, and the name of its template.
func (h *Handler) execution(id string, q query) (name string, content any, err error) {
	id, err = imagebuilder.ParseExecutionID(id)
	if err != nil {
		return "", nil, errMissing(err.Error())
	}
	d := newDetail(h.Snapshots(), id, q, time.Now())
	if len(d.Found) == 0 {
		return "", nil, errMissing(fmt.Sprintf("no target follows the workflow execution %s", id))
	}
	d.Version = h.Version
	return "detail", d, nil
}

// render returns what made returns as a page, or the same as JSON. It returns a panic as an error,
// so that its caller releases what it has acquired.
func (h *Handler) render(made func() (string, any, error), asJSON bool) (contentType string, body []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	name, content, err := made()
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	if asJSON {
		if p, ok := content.(*page); ok {
			p.addSteps()
		}
		err = json.NewEncoder(&b).Encode(content)
		return "application/json", b.Bytes(), err
	}
	err = h.template.ExecuteTemplate(&b, name, content)
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

// symbol returns the symbol of the class of a status, for readers who cannot see its colour.
func symbol(class string) string {
	switch class {
	case "good":
		return "✓"
	case "failed":
		return "✕"
	case "running":
		return "●"
	case "waiting":
		return "◷"
	}
	return "○"
}
