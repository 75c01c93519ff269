package status

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/lookup"
)

// landingOf returns the landing page.
func landingOf(t *testing.T, c Config, all []lookup.Snapshot) string {
	t.Helper()
	c.Snapshots = func() []lookup.Snapshot { return all }
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/?page=nonsense", http.NoBody)
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	return w.Body.String()
}

func TestTheLandingPage(t *testing.T) {
	down := lookup.Snapshot{Name: "prod", Region: "eu-west-1", RefreshEnded: true, Time: now, Errors: []lookup.FailedLookup{{Class: "denied", Reason: "secret arn"}}}
	fresh := lookup.Snapshot{Name: "fresh", Region: "eu-west-1", Time: now}
	all := append(snapshot(executionOf(1, "FAILED")), fresh, down)
	for _, c := range []struct {
		name       string
		config     Config
		snapshots  []lookup.Snapshot
		has, lacks []string
	}{
		{
			"an exporter by itself",
			Config{Version: "1.2.3", MetricsPath: "/a/metrics"},
			all,
			[]string{
				"version 1.2.3", `<a href="executions">`, `<a href="a/metrics">Metrics</a> <span class="quiet">what Prometheus scrapes`, `<a href="-/healthy">`, `<a href="-/ready">`,
				`<form action="probe">`, `name="target"`, `name="region"`, "1 up, 1 down", `<a href="executions?region=eu-west-1&amp;target=golden">`, "not scraped yet", "denied",
			},
			[]string{`href="sd"`, "debug/pprof", "<script", "style=", "secret arn"},
		},
		{
			"a replica, with profiles",
			Config{MetricsPath: "/metrics", Replica: true, Pprof: true},
			all[1:2],
			[]string{`<a href="sd">`, "of this replica only", `<a href="debug/pprof/">`, "No target of this replica has been scraped yet"},
			[]string{"version"},
		},
		{"no target", Config{MetricsPath: "/metrics"}, nil, []string{"No target is configured"}, []string{"<table"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := landingOf(t, c.config, c.snapshots)
			for _, want := range c.has {
				if !strings.Contains(body, want) {
					t.Errorf("it does not have %q:\n%s", want, body)
				}
			}
			for _, bad := range c.lacks {
				if strings.Contains(body, bad) {
					t.Errorf("it has %q:\n%s", bad, body)
				}
			}
			checkLinks(t, body)
			checkWellFormed(t, body)
		})
	}
}

// TestTheLandingPageOfMany shows first what is down, and stays small.
func TestTheLandingPageOfMany(t *testing.T) {
	var all []lookup.Snapshot
	for n := range 500 {
		s := snapshot()[0]
		s.Name, s.Up = fmt.Sprintf("target-%03d", n), n != 400
		all = append(all, s)
	}
	body := landingOf(t, Config{MetricsPath: "/metrics"}, all)
	first, _, _ := strings.Cut(body, "target-000")
	if !strings.Contains(first, "target-400") || strings.Contains(body, "target-399") || !strings.Contains(body, `<a href="executions#targets">and 400 more</a>`) || !strings.Contains(body, "499 up, 1 down") {
		t.Errorf("500 targets are shown as\n%s", body)
	}
}
