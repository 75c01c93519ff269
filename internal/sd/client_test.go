package sd

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// file writes a file in a folder of its own, and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "peers.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTheClientSendsWhatTheFileSays has a peer that asks for a password, and one that sends
// elsewhere.
func TestTheClientSendsWhatTheFileSays(t *testing.T) {
	var connections atomic.Int64
	peer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path != "/":
			t.Error("a redirect is followed")
		case user == "peer" && password == "verysecret":
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusFound)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	peer.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	peer.Start()
	defer peer.Close()
	beside := file(t, "basic_auth: {username: peer, password_file: password}")
	if err := os.WriteFile(filepath.Join(filepath.Dir(beside), "password"), []byte("verysecret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file string
		want int
	}{
		"no file":          {"", http.StatusUnauthorized},
		"an empty file":    {file(t, ""), http.StatusUnauthorized},
		"a password":       {file(t, "basic_auth: {username: peer, password: verysecret}"), http.StatusFound},
		"a file beside it": {beside, http.StatusFound},
		"redirects wanted": {file(t, "{basic_auth: {username: peer, password: verysecret}, follow_redirects: true}"), http.StatusFound},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := NewClient(c.file)
			if err != nil {
				t.Fatal(err)
			}
			before := connections.Load()
			for range 2 {
				resp, err := client.Get(peer.URL)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != c.want {
					t.Errorf("got %d, want %d", resp.StatusCode, c.want)
				}
			}
			if n := connections.Load() - before; n != 2 {
				t.Errorf("%d connections for 2 questions: one stays open", n)
			}
		})
	}
}

// TestAFileThatIsWrong holds that the sentence tells where, and shows no secret.
func TestAFileThatIsWrong(t *testing.T) {
	const allowed = "the file must be a Prometheus HTTP client configuration, with keys such as basic_auth, authorization and tls_config"
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key":         {"basic_auth:\n  user: verysecret", "line 2: unknown key user; " + allowed},
		"a key twice":            {"tls_config:\n  ca_file: a\n  ca_file: verysecret", "line 3: duplicate key ca_file"},
		"a text for a section":   {"basic_auth: verysecret", "line 1: " + allowed},
		"a list":                 {"- verysecret", "line 1: " + allowed},
		"no YAML":                {"basic_auth: {\nverysecret", "line 2: " + allowed},
		"an unknown anchor":      {"basic_auth: *verysecret", allowed},
		"a URL that is none":     {"proxy_url: 'http://user:verysecret@ host'", allowed},
		"two passwords":          {"basic_auth: {password: verysecret, password_file: x}", "at most one of basic_auth password, password_file & password_ref must be configured"},
		"two ways of logging in": {"{basic_auth: {password: verysecret}, authorization: {credentials: verysecret}}", "at most one of basic_auth, oauth2 & authorization must be configured"},
		"a token of elsewhere":   {"oauth2: {client_id: a, client_secret: verysecret, token_url: 'http://verysecret'}", "oauth2 is not supported here; use basic_auth, authorization or a certificate in tls_config"},
		"a certificate of none":  {"tls_config: {ca_file: none.crt}", "unable to read CA cert: unable to read file "},
		"a secret as a key":      {"? 'very secret'\n: 1", "line 1: " + allowed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewClient(file(t, c.text))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	if _, err := NewClient(filepath.Join(t.TempDir(), "none.yml")); err == nil || err.Error() != "no such file or directory" {
		t.Errorf("no file: %v", err)
	}
}
