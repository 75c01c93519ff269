package day

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"

	commonconfig "github.com/prometheus/common/config"
)

// network connects clients and servers in memory, by the addresses of the servers.
type network struct {
	mu      sync.Mutex
	servers map[string]*listener
}

// serve answers at an address until stop is called, or the test ends.
func (n *network) serve(t *testing.T, address string, h http.Handler) (stop func()) {
	t.Helper()
	l := &listener{conns: make(chan net.Conn), closed: make(chan struct{}), address: address}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.servers == nil {
		n.servers = map[string]*listener{}
	}
	n.servers[address] = l
	server := &http.Server{Handler: h}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving %s: %v", address, err)
		}
	})
	stop = sync.OnceFunc(func() {
		_ = server.Close()
		serving.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// dial connects to the server of an address.
func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.servers[address]
	n.mu.Unlock()
	if l == nil {
		return nil, errors.New("no server at " + address)
	}
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// option makes clients of Prometheus and Alertmanager use the network.
func (n *network) option() commonconfig.HTTPClientOption {
	return commonconfig.WithDialContextFunc(n.dial)
}

// listener is a net.Listener of net.Pipe connections.
type listener struct {
	conns   chan net.Conn
	closed  chan struct{}
	address string
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	close(l.closed) // http.Server closes it once
	return nil
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: l.address, Net: "pipe"} }
