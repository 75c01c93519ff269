package sd_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/imagebuilder-exporter/imagebuilder_exporter/internal/binarytest"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

// scraped is one group of an answer.
type scraped struct {
	Targets []string
	Labels  map[string]string
}

// addresses returns free ports of this machine.
func addresses(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all
}

// discovered returns what /sd of a program says.
func discovered(t *testing.T, p *binarytest.Program) (all []scraped) {
	t.Helper()
	status, body := p.Do(t, http.MethodGet, "/sd")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReplicas has three, one of which drains, and then ends at once.
func TestReplicas(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var replicas []*binarytest.Program
	all := addresses(t, 3)
	for _, address := range all {
		c := binarytest.Command(ctx, t, "--demo", "--web.listen-address="+address, "--sd.peers="+strings.Join(all, ","), "--web.drain=1h")
		replicas = append(replicas, binarytest.StartAt(t, c, address))
	}
	before := discovered(t, replicas[0])
	for _, r := range replicas[1:] {
		if diff := cmp.Diff(before, discovered(t, r)); diff != "" {
			t.Errorf("another replica (-first +other):\n%s", diff)
		}
	}
	for _, g := range before {
		probed := replicas[slices.Index(all, g.Targets[0])]
		target, region := g.Labels["__param_target"], g.Labels["__param_region"]
		path := g.Labels["__metrics_path__"] + "?" + url.Values{"target": {target}, "region": {region}}.Encode()
		want := fmt.Sprintf("imagebuilder_up{region=%q,target=%q} 1\n", region, target)
		if status, body := probed.Do(t, http.MethodGet, path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, no %s in\n%s", path, status, want, body)
		}
	}
	leaves := slices.Index(all, before[0].Targets[0])
	gone, stays := replicas[leaves], replicas[(leaves+1)%len(all)]
	if own := stays.Metrics(t); strings.Contains(own, "imagebuilder_up{") || !strings.Contains(own, "imagebuilder_exporter_sd_peers{state=\"ready\"} 3\n") {
		t.Errorf("the metrics of a replica are\n%s", own)
	}
	gone.Signal(t, syscall.SIGTERM)
	for status := http.StatusOK; status != http.StatusServiceUnavailable; {
		status, _ = gone.Do(t, http.MethodGet, "/-/ready")
	}
	after := discovered(t, stays)
	for i, g := range after {
		if was, is := before[i].Targets[0], g.Targets[0]; is == gone.Address || was != gone.Address && was != is {
			t.Errorf("%v moved from %s to %s", g.Labels, was, is)
		}
	}
	if diff := cmp.Diff(after, discovered(t, gone)); diff != "" {
		t.Errorf("the replica that drains (-other +draining):\n%s", diff)
	}
	own := gone.Metrics(t)
	for part, want := range map[string]bool{
		"imagebuilder_exporter_sd_peers{state=\"not_ready\"} 1\n":  true,
		"promhttp_metric_handler_requests_total{code=\"200\"} 0\n": false, // it was probed
	} {
		if strings.Contains(own, part) != want {
			t.Errorf("the metrics of the replica that drains have %s: %t, want %t:\n%s", part, !want, want, own)
		}
	}
	told := time.Now()
	gone.Signal(t, syscall.SIGTERM)
	state, err := gone.Process.Wait()
	if err != nil || !state.Sys().(syscall.WaitStatus).Signaled() || time.Since(told) > 5*time.Second {
		t.Errorf("after a second signal: %s, %v, after %s", state, err, time.Since(told))
	}
}

// certificate returns the files of a certificate for example.com that signs itself, and of its
// key, and a client that trusts it.
func certificate(t *testing.T) (cert, key string, client *http.Client) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pair := s.TLS.Certificates[0]
	pkcs8, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	binarytest.WriteFile(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	binarytest.WriteFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	client = s.Client()
	client.Transport.(*http.Transport).DisableKeepAlives = true
	return cert, key, client
}

// TestPeersWithAPassword has one replica with TLS, which is asked by its address.
func TestPeersWithAPassword(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	hash, err := bcrypt.GenerateFromPassword([]byte(binarytest.Secret), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, client := certificate(t)
	web, peers := filepath.Join(t.TempDir(), "web.yml"), filepath.Join(t.TempDir(), "peers.yml")
	binarytest.WriteFile(t, web, fmt.Sprintf("tls_server_config: {cert_file: %s, key_file: %s}\nbasic_auth_users: {peer: %q}\n", cert, key, hash))
	for name, c := range map[string]struct {
		peers, body, log string
		status           int
	}{
		"with it": {
			fmt.Sprintf("basic_auth: {username: peer, password: %s}\ntls_config: {ca_file: %s, server_name: example.com}\n", binarytest.Secret, cert),
			`"__scheme__":"https"`, "", http.StatusOK,
		},
		"with another one": {
			fmt.Sprintf("basic_auth: {username: peer, password: wrong}\ntls_config: {ca_file: %s, server_name: example.com}\n", cert),
			"no peer is ready, of 1", "/-/ready answers 401 Unauthorized", http.StatusServiceUnavailable,
		},
		"to nobody known": {
			fmt.Sprintf("basic_auth: {username: peer, password: %s}\n", binarytest.Secret),
			"no peer is ready, of 1", "certificate signed by unknown authority", http.StatusServiceUnavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			binarytest.WriteFile(t, peers, c.peers)
			address := addresses(t, 1)[0]
			p := binarytest.Start(t, binarytest.Command(ctx, t, "--demo", "--web.listen-address="+address, "--sd.peers="+address,
				"--web.config.file="+web, "--sd.peer-config="+peers))
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/sd", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.SetBasicAuth("peer", binarytest.Secret)
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != c.status || !strings.Contains(string(body), c.body) {
				t.Errorf("%d, want %d, %v: no %s in %s", resp.StatusCode, c.status, err, c.body, body)
			}
			if log := p.Stop(t); !strings.Contains(log, c.log) {
				t.Errorf("the log does not say %s:\n%s", c.log, log)
			}
		})
	}
}

// TestPeersByDNSWithTLS holds that the start is refused without a server_name for them.
func TestPeersByDNSWithTLS(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cert, key, _ := certificate(t)
	web := filepath.Join(t.TempDir(), "web.yml")
	binarytest.WriteFile(t, web, fmt.Sprintf("tls_server_config: {cert_file: %s, key_file: %s}\n", cert, key))
	out, err := binarytest.Command(ctx, t, "--demo", "--web.listen-address=127.0.0.1:0", "--sd.peers=dns+localhost:10120", "--web.config.file="+web).CombinedOutput()
	const want = "\n--sd.peers=dns+NAME:PORT requires --sd.peer-config when --web.config.file enables TLS: "
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("%v, no %s in\n%s", err, want, out)
	}
}
