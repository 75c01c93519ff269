package server

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

func TestAPanicIsAnError(t *testing.T) {
	a := newAuthority(t)
	change := func(s *Server) {
		s.config.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a bug") })
	}
	for name, c := range map[string]struct {
		r      *running
		scheme string
		client *http.Client
	}{
		"plain":  {start(t, "", change), "http://", newClient(t)},
		"HTTP/2": {start(t, a.webConfig(""), change), "https://", a.newClient(true)},
	} {
		t.Run(name, func(t *testing.T) {
			if resp, err := c.client.Get(c.scheme + c.r.address + "/metrics"); err == nil {
				resp.Body.Close()
				t.Errorf("got %s", resp.Status)
			}
			if line := c.r.log.await(t, "a bug"); !strings.Contains(line, "level=error") {
				t.Errorf("logged: %s", line)
			}
			if resp, _ := ask(t, c.client, "GET", c.scheme+c.r.address+"/-/healthy"); resp.StatusCode != http.StatusOK {
				t.Errorf("afterwards: %s", resp.Status)
			}
		})
	}
}

func TestScannersDoNotFillTheLog(t *testing.T) {
	a := newAuthority(t)
	r := start(t, a.webConfig(""))
	conn := dial(t, r.address)
	fmt.Fprint(conn, "SSH-2.0-OpenSSH_9.9\r\n")
	if line := r.log.await(t, "TLS handshake error"); !strings.Contains(line, "level=debug") {
		t.Errorf("logged: %s", line)
	}
}

// TestAListenerWithoutFilesIsAnError has what net/http reports when there are too many
// connections.
func TestAListenerWithoutFilesIsAnError(t *testing.T) {
	s := newServer(t)
	r := run(t, s)
	err := &net.OpError{Op: "accept", Err: os.ErrPermission}
	fmt.Fprintf(errorLog{s.config.Logger}, "http: Accept error: %v; retrying in 5ms", err)
	if line := r.log.await(t, "Accept error"); !strings.Contains(line, "level=error") {
		t.Errorf("logged: %s", line)
	}
}
