package emulator

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// Pipe serves h over connections in memory and returns a client that reaches it
// under every address, and a function that ends both. Nothing of it touches the
// network or real time, so it can live in a bubble of testing/synctest.
func Pipe(h http.Handler) (client *http.Client, end func()) {
	listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // the listener does not fail
		}
	}()
	transport := &http.Transport{
		DialContext:         listener.dial,
		MaxIdleConnsPerHost: 1000,
	}
	return &http.Client{Transport: transport}, func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-done
	}
}

// pipeListener is a net.Listener of net.Pipe connections.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
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

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	close(l.closed) // http.Server closes it once
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }
