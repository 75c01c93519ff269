package server

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// withHeaders adds security headers to the answers of next. Headers of the web configuration take
// precedence. styles are the hashes of the inline styles of pages.
func withHeaders(next http.Handler, styles []string) http.Handler {
	headers := map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src " + strings.Join(append([]string{"'self'"}, styles...), " ") +
			"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"Referrer-Policy":        "no-referrer",
		"X-Content-Type-Options": "nosniff",
		"X-Frame-Options":        "DENY",
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			if w.Header().Get(name) == "" {
				w.Header().Set(name, value)
			}
		}
		next.ServeHTTP(w, r)
	})
}

// allowStyle allows the inline style of a page that is the same for every request.
func (s *Server) allowStyle(page http.Handler, path string) {
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}}
	var p Page
	page.ServeHTTP(&p, r)
	_, rest, _ := strings.Cut(p.String(), "<style>")
	if style, _, closed := strings.Cut(rest, "</style>"); closed {
		sum := sha256.Sum256([]byte(style))
		s.styles = append(s.styles, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
}
