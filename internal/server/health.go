package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

// healthTimeout bounds a health check.
const healthTimeout = 5 * time.Second

// CheckHealth asks the exporter that runs on this machine with these flags whether it is healthy. It
// uses the first listen address; a systemd socket must have the same address. It has no password and
// no certificate, so being asked for one counts as healthy. Nil means healthy.
func CheckHealth(ctx context.Context, f *web.FlagConfig) error {
	if f.WebListenAddresses == nil || len(*f.WebListenAddresses) == 0 {
		return errors.New("checking health: --web.listen-address is empty")
	}
	address := (*f.WebListenAddresses)[0]
	addresses, err := localAddresses(address)
	if err != nil {
		return fmt.Errorf("checking health: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	scheme := "http"
	if f.WebConfigFile != nil && *f.WebConfigFile != "" {
		scheme = "https"
	}
	status, err := askHealth(ctx, scheme, addresses)
	if errors.Is(err, http.ErrSchemeMismatch) { // the file is not about TLS
		status, err = askHealth(ctx, "http", addresses)
	}
	switch {
	case err != nil:
		return fmt.Errorf("checking health at %s: %w", address, err)
	case status != http.StatusOK && status != http.StatusUnauthorized:
		return fmt.Errorf("checking health at %s: the answer is %d %s", address, status, http.StatusText(status))
	}
	return nil
}

// localAddresses returns where a program that listens on an address can be reached, to
// be tried in turn.
func localAddresses(listen string) ([]string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to listen address %q: %w", listen, err)
	}
	ip := net.ParseIP(host)
	switch {
	case host != "" && !ip.IsUnspecified():
		return []string{listen}, nil
	case ip != nil && ip.To4() != nil:
		return []string{net.JoinHostPort("127.0.0.1", port)}, nil
	default:
		return []string{net.JoinHostPort("127.0.0.1", port), net.JoinHostPort("::1", port)}, nil
	}
}

// askHealth returns the status of the answer, 401 for a server that hangs up because it
// got no client certificate.
func askHealth(ctx context.Context, scheme string, addresses []string) (status int, err error) {
	var wantsCertificate atomic.Bool
	client := http.Client{
		// Unlike the default transport this one uses no proxy of the environment.
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialFirst(ctx, network, addresses)
			},
			TLSClientConfig: &tls.Config{
				// It asks this machine, sends no secret, and the certificate names another host.
				InsecureSkipVerify: true,
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					wantsCertificate.Store(true)
					return &tls.Certificate{}, nil
				},
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost"+pathHealthy, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if wantsCertificate.Load() && hungUp(err) {
		return http.StatusUnauthorized, nil
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the URL, which is not where it asked
	}
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}

// hungUp reports whether err is that of a connection that the server ended. The TLS
// alert that comes first is lost when the request is still on its way.
func hungUp(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error" ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// dialFirst connects to the first of addresses that can be reached. The error is that
// of the last.
func dialFirst(ctx context.Context, network string, addresses []string) (conn net.Conn, err error) {
	var dialer net.Dialer
	for _, address := range addresses {
		if conn, err = dialer.DialContext(ctx, network, address); err == nil {
			break
		}
	}
	return conn, err
}
