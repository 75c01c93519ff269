package server

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
)

func TestTLS(t *testing.T) {
	a := newAuthority(t)
	r := start(t, a.webConfig(""))
	for _, http2 := range []bool{false, true} {
		resp, body := ask(t, a.newClient(http2), "GET", "https://"+r.address+"/metrics")
		if resp.StatusCode != http.StatusOK || body != "ours 1\n" || (resp.ProtoMajor == 2) != http2 {
			t.Errorf("HTTP/2 %t: got %s %d %q", http2, resp.Proto, resp.StatusCode, body)
		}
	}
	resp, body := ask(t, newClient(t), "GET", "http://"+r.address+"/metrics")
	if resp.StatusCode != http.StatusBadRequest || strings.Contains(body, "ours") {
		t.Errorf("plain HTTP: got %d %q", resp.StatusCode, body)
	}
	if _, err := newClient(t).Get("https://" + r.address + "/metrics"); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("a client that does not know the authority got %v", err)
	}
}

func TestMutualTLS(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	r := start(t, a.webConfig(a.mutual()))
	for _, c := range []struct {
		name   string
		issuer *authority
		want   string // an error
	}{
		{"with a certificate", a, ""},
		{"without a certificate", nil, "certificate required"},
		{"with a certificate of somebody else", stranger, "unknown certificate authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, r.address)
			roots := x509.NewCertPool()
			roots.AddCert(a.cert)
			config := &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
			if c.issuer != nil {
				pair, err := tls.LoadX509KeyPair(c.issuer.issue(x509.ExtKeyUsageClientAuth))
				if err != nil {
					t.Fatal(err)
				}
				// Sent even when the server would not accept it.
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
			}
			client := tls.Client(conn, config)
			if err := client.Handshake(); err != nil {
				t.Fatal(err) // with TLS 1.3 a refusal comes later
			}
			if c.want == "" {
				if _, err := client.Write([]byte("GET /metrics HTTP/1.0\r\n\r\n")); err != nil {
					t.Fatal(err)
				}
				if line, _ := statusLine(t, client); line != "HTTP/1.0 200 OK" {
					t.Errorf("got %s", line)
				}
				return
			}
			if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %d bytes and %v, want %s", n, err, c.want)
			}
		})
	}
}

func TestOldVersionsOfTLS(t *testing.T) {
	a := newAuthority(t)
	newest, usual := start(t, a.webConfig("  min_version: TLS13\n")), start(t, a.webConfig(""))
	for _, c := range []struct {
		server  *running
		version uint16
		refused bool
	}{
		{newest, tls.VersionTLS13, false},
		{newest, tls.VersionTLS12, true},
		{usual, tls.VersionTLS12, false},
		{usual, tls.VersionTLS11, true},
	} {
		client := tls.Client(dial(t, c.server.address), &tls.Config{
			InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: c.version,
		})
		err := client.Handshake()
		if refused := err != nil && strings.Contains(err.Error(), "protocol version not supported"); refused != c.refused {
			t.Errorf("%s: %v", tls.VersionName(c.version), err)
		}
	}
}

// everyPath has a request for each page, and one for none.
var everyPath = []struct{ method, path string }{
	{"GET", "/"},
	{"GET", "/metrics"},
	{"HEAD", "/metrics"},
	{"GET", "/probe"},
	{"POST", "/metrics"},
	{"GET", "/-/healthy"},
	{"GET", "/-/ready"},
	{"POST", "/-/reload"},
	{"GET", "/-/reload"},
	{"GET", "/executions"},
	{"GET", "/executions/style.css"},
	{"GET", "/executions/wf-165b1cb6-3a62-4618-a021-94ddcbe32908"},
	{"GET", "/debug/pprof/"},
	{"GET", "/debug/pprof/cmdline"},
	{"GET", "/debug/pprof/heap"},
	{"GET", "/nonsense"},
	{"GET", "//metrics"},
}

func TestPasswords(t *testing.T) {
	r := start(t, users(t))
	for _, c := range everyPath {
		for name, auth := range map[string][]string{
			"none": nil, "wrong password": {"prometheus", "guess"}, "wrong user": {"root", password}, "empty": {"", ""},
		} {
			req, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+r.address+c.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if auth != nil {
				req.SetBasicAuth(auth[0], auth[1])
			}
			resp, err := newClient(t).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var body strings.Builder
			if err := resp.Write(&body); err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			_, text, _ := strings.Cut(body.String(), "\r\n\r\n")
			want := "Unauthorized\n"
			if c.method == "HEAD" {
				want = ""
			}
			if resp.StatusCode != http.StatusUnauthorized || text != want || resp.Header.Get("Allow") != "" {
				t.Errorf("%s %s, credentials: %s: got\n%s", c.method, c.path, name, &body)
			}
		}
	}
	for path, want := range map[string]string{"/metrics": "ours 1\n", "/-/healthy": "Healthy\n", "/-/ready": "Ready\n"} {
		resp, body := ask(t, newClient(t), "GET", "http://prometheus:"+strings.ReplaceAll(password, " ", "%20")+"@"+r.address+path)
		if resp.StatusCode != http.StatusOK || body != want {
			t.Errorf("%s with the password: %d %q", path, resp.StatusCode, body)
		}
	}
}
