package server

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestSecurityHeaders walks over all pages, and what is none.
func TestSecurityHeaders(t *testing.T) {
	plain := start(t, "")
	secure := start(t, "http_server_config: {headers: {X-Frame-Options: sameorigin}}")
	want := map[string]string{"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}
	for _, c := range everyPath {
		resp, body := ask(t, newClient(t), c.method, "http://"+plain.address+c.path)
		for name, value := range want {
			if got := resp.Header.Values(name); len(got) != 1 || got[0] != value {
				t.Errorf("%s %s: %s is %q, want %s", c.method, c.path, name, got, value)
			}
		}
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self' ") || !strings.HasSuffix(policy, "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s %s: Content-Security-Policy %q", c.method, c.path, policy)
		}
		if _, rest, ok := strings.Cut(body, "<style>"); ok {
			style, _, _ := strings.Cut(rest, "</style>")
			sum := sha256.Sum256([]byte(style))
			if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
				t.Errorf("%s: its style is not allowed by %s", c.path, policy)
			}
		}
		resp, _ = ask(t, newClient(t), c.method, "http://"+secure.address+c.path)
		if got := resp.Header.Values("X-Frame-Options"); len(got) != 1 || got[0] != "sameorigin" {
			t.Errorf("%s %s: X-Frame-Options is %q, want that of the web configuration", c.method, c.path, got)
		}
	}
}

func TestReloadRefusesOtherSites(t *testing.T) {
	reloads := 0
	r := start(t, "", func(s *Server) { s.config.Reload = func(context.Context) error { reloads++; return nil } })
	for _, c := range []struct {
		name   string
		header [2]string
		status int
	}{
		{"curl", [2]string{"X-None", ""}, 200},
		{"a person", [2]string{"Sec-Fetch-Site", "none"}, 200},
		{"a page of this site", [2]string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"a page of another site", [2]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a page of another port", [2]string{"Sec-Fetch-Site", "same-site"}, 403},
		{"an old browser, this site", [2]string{"Origin", "http://" + r.address}, 200},
		{"an old browser, another site", [2]string{"Origin", "https://example.com"}, 403},
		{"an old browser, a file", [2]string{"Origin", "null"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			reloads = 0
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.address+"/-/reload", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set(c.header[0], c.header[1])
			resp, err := newClient(t).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || (reloads == 1) != (c.status == 200) {
				t.Errorf("got %d and %d reloads, want %d", resp.StatusCode, reloads, c.status)
			}
			if c.status == 403 && !strings.HasPrefix(string(body), "Cross-site requests cannot reload the configuration: ") {
				t.Errorf("got %q", body)
			}
		})
	}
}
