package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestPages(t *testing.T) {
	failing := func(context.Context) error { return errors.New("config.yml:1:2: <no> such pipeline") }
	plain := run(t, newServer(t, func(c *Config) { c.Pprof, c.Reload = false, failing }))
	root := run(t, newServer(t, func(c *Config) { c.MetricsPath = "/" }))
	full := run(t, newServer(t))
	replica := run(t, newServer(t, func(c *Config) {
		c.SD = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if _, ok := w.(*Page); !ok {
				t.Errorf("/sd writes to its client, a %T, which may be slow", w)
			}
			fmt.Fprintln(w, "[]")
		})
	}))
	pages := run(t, newServer(t, func(c *Config) {
		c.Status = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "status of", r.URL.Path) })
	}))
	for _, c := range []struct {
		server       *running
		method, path string
		status       int
		body, allow  string // body: a part of it, none for an empty one
	}{
		{full, "GET", "/metrics", 200, "ours 1\n", ""},
		{full, "HEAD", "/metrics", 200, "", ""},
		{full, "POST", "/metrics", 405, "Method Not Allowed", "GET, HEAD"},
		{full, "GET", "/metrics/", 404, "not found", ""},
		{full, "GET", "/metricsnonsense", 404, "not found", ""},
		{full, "GET", "/probe?target=a&region=b", 200, "one of target=a&region=b\n", ""},
		{full, "HEAD", "/probe", 200, "", ""},
		{full, "POST", "/probe", 405, "Method Not Allowed", "GET, HEAD"},
		{full, "GET", "/probe/", 404, "not found", ""},
		{full, "GET", "/sd", 404, "not found", ""},
		{replica, "GET", "/sd", 200, "[]\n", ""},
		{replica, "HEAD", "/sd", 200, "", ""},
		{replica, "POST", "/sd", 405, "Method Not Allowed", "GET, HEAD"},
		{full, "GET", "/-/healthy", 200, "Healthy\n", ""},
		{full, "HEAD", "/-/healthy", 200, "", ""},
		{full, "POST", "/-/healthy", 405, "Method Not Allowed", "GET, HEAD"},
		{full, "GET", "/-/ready", 200, "Ready\n", ""},
		{full, "HEAD", "/-/ready", 200, "", ""},
		{full, "DELETE", "/-/ready", 405, "Method Not Allowed", "GET, HEAD"},
		{full, "POST", "/-/reload", 200, "Reloaded\n", ""},
		{plain, "POST", "/-/reload", 500, "config.yml:1:2: <no> such pipeline\n", ""},
		{full, "GET", "/-/reload", 405, "Method Not Allowed", "POST"},
		{full, "HEAD", "/-/reload", 405, "", "POST"},
		{full, "GET", "/-/", 404, "not found", ""},
		{pages, "GET", "/", 200, "status of /\n", ""},
		{pages, "HEAD", "/", 200, "", ""},
		{pages, "PUT", "/", 405, "Method Not Allowed", "GET, HEAD"},
		{pages, "GET", "/executions", 200, "status of /executions\n", ""},
		{pages, "GET", "/executions/style.css", 200, "status of /executions/style.css\n", ""},
		{pages, "GET", "/executions/wf-1", 200, "status of /executions/wf-1\n", ""},
		{pages, "GET", "/executions/", 404, "not found", ""},
		{pages, "GET", "/executions/wf-1/steps", 404, "not found", ""},
		{pages, "POST", "/executions/wf-1", 405, "Method Not Allowed", "GET, HEAD"},
		{full, "GET", "/nonsense", 404, "not found", ""},
		{full, "POST", "/nonsense", 404, "not found", ""},
		{full, "GET", "/debug/pprof/", 200, "goroutine", ""},
		{full, "GET", "/debug/pprof/heap", 200, "\x1f\x8b", ""},
		{full, "GET", "/debug/pprof/cmdline", 200, "-test.", ""},
		{full, "GET", "/debug/pprof/symbol", 200, "num_symbols", ""},
		{full, "GET", "/debug/pprof/profile?seconds=1", 200, "\x1f\x8b", ""},
		{full, "GET", "/debug/pprof/trace?seconds=0.01", 200, "go 1.", ""},
		{full, "POST", "/debug/pprof/", 405, "Method Not Allowed", "GET, HEAD"},
		{plain, "GET", "/debug/pprof/", 404, "not found", ""},
		{plain, "GET", "/debug/pprof/heap", 404, "not found", ""},
		{root, "GET", "/", 200, "ours 1\n", ""},
		{root, "PUT", "/", 405, "Method Not Allowed", "GET, HEAD"},
		{root, "GET", "/metrics", 404, "not found", ""},
		{root, "GET", "/probe", 200, "one of", ""},
		{root, "GET", "/-/healthy", 200, "Healthy\n", ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			resp, body := ask(t, newClient(t), c.method, "http://"+c.server.address+c.path)
			if resp.StatusCode != c.status || !strings.Contains(body, c.body) || c.body == "" && body != "" {
				t.Errorf("got %d %q, want %d %q", resp.StatusCode, body, c.status, c.body)
			}
			if got := resp.Header.Get("Allow"); got != c.allow {
				t.Errorf("Allow is %q, want %q", got, c.allow)
			}
			if got := resp.Header.Get("Content-Type"); strings.HasPrefix(c.path, "/-/") && got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type is %q", got)
			}
		})
	}
}

func TestNewRefusesPathsOfTheMetrics(t *testing.T) {
	for _, path := range []string{"", "metrics", "/metrics/", "//", "/a b", "/{path...}", "/-", "/-/healthy", "/-/metrics", "/debug/pprof", "/debug/pprof/heap", "/executions", "/executions/metrics", "/probe", "/probe/metrics", "/sd", "/sd/metrics"} {
		if _, err := New(Config{MetricsPath: path, Status: http.NotFoundHandler(), Pprof: true}); err == nil || !strings.HasPrefix(err.Error(), "--web.telemetry-path=") {
			t.Errorf("%q: got %v", path, err)
		}
	}
	for _, path := range []string{"/", "/metrics", "/debug", "/a/b%20c"} {
		if _, err := New(Config{MetricsPath: path, Status: http.NotFoundHandler(), Pprof: true}); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}
