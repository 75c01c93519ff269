// Package status shows what the exporter knows, as a page for people and as JSON for
// programs. Reading it asks AWS nothing: it shows what the last scrape has left.
package status

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/imagebuilder"
	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

//go:embed page.html.tmpl style.css
var files embed.FS

// StylePath is where the style sheet is, below the page.
const StylePath = "/style.css"

// Handler serves the page, its style sheet at StylePath below it, and the same as JSON to
// who prefers that.
type Handler struct {
	known    func() []lookup.Snapshot
	version  string
	template *template.Template
	style    []byte
	turns    chan struct{} // as many pages are made at a time as it has room for
}

// maxPages is how many pages are made at a time. Each reads all that is known and holds
// up scrapes meanwhile, so the others wait.
const maxPages = 2

// New returns a Handler that shows what known returns.
func New(known func() []lookup.Snapshot, version string) (*Handler, error) {
	h := &Handler{known: known, version: version, turns: make(chan struct{}, maxPages)}
	var err error
	if h.style, err = files.ReadFile("style.css"); err != nil {
		return nil, err
	}
	functions := template.FuncMap{
		"class": class, "console": consoleURL, "duration": duration, "bar": progress, "date": date,
		"ago": ago, "told": told, "short": short, "deref": func(b *bool) bool { return *b }, "positive": func(n *int) bool { return *n > 0 },
		"list": func(s ...string) []string { return s }, "shorten": shorten, "add": func(a, b int) int { return a + b },
	}
	h.template, err = template.New("page.html.tmpl").Funcs(functions).ParseFS(files, "page.html.tmpl")
	return h, err
}

// ServeHTTP implements http.Handler for GET and HEAD.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer")
	if strings.HasSuffix(r.URL.Path, StylePath) {
		header.Set("Content-Type", "text/css; charset=utf-8")
		header.Set("Cache-Control", "max-age=300")
		_, _ = w.Write(h.style) // the client has gone
		return
	}
	header.Set("Cache-Control", "no-store")
	header.Set("Vary", "Accept")
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case h.turns <- struct{}{}:
	case <-r.Context().Done():
		http.Error(w, "other pages are being made, try again", http.StatusServiceUnavailable)
		return
	}
	contentType, body, err := h.render(q, wantsJSON(r.Header.Values("Accept")))
	<-h.turns
	if err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	header.Set("Content-Type", contentType)
	_, _ = w.Write(body) // the client has gone
}

// render makes the page, or the same as JSON. A panic is an error, so that the turn is
// given back.
func (h *Handler) render(q query, asJSON bool) (contentType string, body []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	p := newPage(h.known(), q, time.Now())
	p.Version = h.version
	var b bytes.Buffer
	if asJSON {
		err = json.NewEncoder(&b).Encode(p)
		return "application/json", b.Bytes(), err
	}
	err = h.template.Execute(&b, p)
	return "text/html; charset=utf-8", b.Bytes(), err
}

// class returns the class of a status in the style sheet, and in the page's words. The
// status is that of an execution, a step or an image.
func class(status string) string {
	s, image := imagebuilder.Status(status), imagebuilder.ImageStatus(status)
	switch {
	case status == "":
		return "unknown"
	case s.Failed() || image.Failed():
		return "failed"
	case s.Good() || image.Good():
		return "good"
	case s == imagebuilder.StatusWaiting:
		return "waiting"
	case s.Active() || image.Active():
		return "running"
	}
	return "idle"
}

// duration writes seconds as people do, with the two largest units: 2h 5m.
func duration(s *float64) string {
	if s == nil {
		return "not known"
	}
	return words(time.Duration(*s * float64(time.Second)))
}

func words(d time.Duration) string {
	units := []struct {
		name string
		is   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	for i, u := range units {
		if d < u.is {
			continue
		}
		text := fmt.Sprintf("%d%s", d/u.is, u.name)
		if i+1 < len(units) {
			if rest := d % u.is / units[i+1].is; rest > 0 {
				text += fmt.Sprintf(" %d%s", rest, units[i+1].name)
			}
		}
		return text
	}
	return "0s"
}

// date writes a time for people, in UTC.
func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// short is date without the year, when that is now's.
func short(now, t time.Time) string {
	if t.UTC().Year() == now.UTC().Year() {
		return t.UTC().Format("Jan 2 15:04")
	}
	return date(t)
}

// ago writes how long before now a time was, or how long after it will be.
func ago(now, t time.Time) string {
	if t.After(now) {
		return "in " + words(t.Sub(now))
	}
	return words(now.Sub(t)) + " ago"
}

// told says what the progress bar of an execution's steps shows.
func told(s *steps) string {
	text := fmt.Sprintf("%d of %d steps ended", s.Succeeded+s.Failed+s.Skipped, s.Total)
	sign := ": "
	for _, part := range []struct {
		n    int
		word string
	}{{s.Succeeded, "succeeded"}, {s.Skipped, "skipped"}, {s.Failed, "failed"}} {
		if part.n > 0 {
			text += fmt.Sprintf("%s%d %s", sign, part.n, part.word)
			sign = ", "
		}
	}
	return text
}

// segment is a part of a progress bar, in percent of its width.
// What was skipped is lower than the rest, for eyes that do not tell the colours apart.
type segment struct {
	Class, X, W string
	Y, H        int
}

// progress returns the parts of the progress bar of an execution's steps.
func progress(s *steps) []segment {
	var all []segment
	at := 0
	for _, part := range []struct {
		class string
		n     int
	}{{"good", s.Succeeded}, {"idle", s.Skipped}, {"failed", s.Failed}} {
		if part.n > 0 && s.Total > 0 {
			g := segment{part.class, percent(at, s.Total), percent(part.n, s.Total), 0, 8}
			if part.class == "idle" {
				g.Y, g.H = 2, 4
			}
			all = append(all, g)
			at += part.n
		}
	}
	return all
}

func percent(n, of int) string { return fmt.Sprintf("%.2f", 100*float64(n)/float64(of)) }
