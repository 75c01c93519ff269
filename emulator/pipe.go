package emulator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
)

// Pipe serves h over connections in memory and returns a client that reaches it
// under every http:// address, and a function that ends both. Set the BaseEndpoint of an SDK's
// client to such an address: its own begins with https. Nothing of it touches the
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
	return &http.Client{Transport: ownBody{transport}}, func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-done
	}
}

// ownBody sends a copy of each request's body. The SDK closes a body as soon as the
// answer begins, which a pipe makes so fast that the transport may still be about to
// look for the body's end; an error there would end the connection.
type ownBody struct{ transport *http.Transport }

func (o ownBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return o.transport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return o.transport.RoundTrip(r)
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
