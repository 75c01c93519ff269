package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCheckHealth(t *testing.T) {
	a := newAuthority(t)
	for name, webConfig := range map[string]string{
		"plain":                         "",
		"plain, with a file":            "http_server_config: {http2: false}\n",
		"TLS":                           a.webConfig(""),
		"mutual TLS":                    a.webConfig(a.mutual()),
		"mutual TLS 1.2":                a.webConfig("  max_version: TLS12\n" + a.mutual()),
		"a certificate if there is one": a.webConfig(strings.Replace(a.mutual(), "RequireAndVerifyClientCert", "VerifyClientCertIfGiven", 1)),
		"a password":                    users(t),
		"TLS and a password":            a.webConfig(users(t)),
		"mutual TLS and a password":     a.webConfig(a.mutual() + users(t)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
			t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
			r := start(t, webConfig)
			if err := CheckHealth(t.Context(), flags(t, webConfig, r.address, "nowhere:1")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckHealthFindsWhatIsWrong(t *testing.T) {
	answering := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	broken := httptest.NewUnstartedServer(http.NotFoundHandler())
	broken.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return nil, errors.New("the certificate has gone")
	}}
	broken.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	broken.StartTLS()
	defer broken.Close()
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, c := range []struct{ name, address, webConfig, want string }{
		{"not healthy", answering(503), "", "the answer is 503 Service Unavailable"},
		{"not found", answering(404), "", "the answer is 404 Not Found"},
		{"a redirect", answering(302), "", "the answer is 302 Found"},
		{"nobody", gone.Addr().String(), "", "connection refused"},
		{"nobody, TLS", gone.Addr().String(), "x", "connection refused"},
		{"hanging", hanging.Addr().String(), "", "deadline exceeded"},
		{"hanging, TLS", hanging.Addr().String(), "x", "deadline exceeded"},
		{"a broken certificate", broken.Listener.Addr().String(), "x", "internal error"},
		{"no port", "127.0.0.1", "", "missing port"},
		{"port 0, which nobody can ask", "127.0.0.1:0", "", "at 127.0.0.1:0: "},
		{"vsock", "vsock://:1", "", `cannot connect to listen address "vsock://:1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
			if strings.HasPrefix(c.name, "hanging") {
				ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
			}
			defer cancel()
			err := CheckHealth(ctx, flags(t, c.webConfig, c.address))
			if err == nil || !strings.HasPrefix(err.Error(), "checking health") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want checking health … %s", err, c.want)
			}
		})
	}
	if err := CheckHealth(t.Context(), flags(t, "")); err == nil {
		t.Error("no error without a listen address")
	}
}

func TestLocalAddresses(t *testing.T) {
	for listen, want := range map[string][]string{
		":1":            {"127.0.0.1:1", "[::1]:1"},
		"0.0.0.0:1":     {"127.0.0.1:1"},
		"[::]:1":        {"127.0.0.1:1", "[::1]:1"},
		"127.0.0.2:1":   {"127.0.0.2:1"},
		"[fe80::1%a]:1": {"[fe80::1%a]:1"},
		"localhost:1":   {"localhost:1"},
	} {
		got, err := localAddresses(listen)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", listen, err, diff)
		}
	}
}

func TestTheSecondAddressIsTried(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := dialFirst(t.Context(), "tcp", []string{"127.0.0.1:1", l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
