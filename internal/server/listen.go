package server

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/go-kit/log/level"
	"github.com/mdlayher/vsock"
	"github.com/prometheus/exporter-toolkit/web"
)

// listen listens where the flags say. All listeners share the limit of connections.
// (exporter-toolkit panics with a socket of systemd that is no listener.)
func (s *Server) listen() ([]net.Listener, error) {
	f := s.config.Web
	var listeners []net.Listener
	var err error
	switch {
	case f == nil || f.WebConfigFile == nil:
		err = web.ErrMissingFlag
	case f.WebSystemdSocket != nil && *f.WebSystemdSocket:
		level.Info(s.config.Logger).Log("msg", "listening on the sockets that systemd passes")
		listeners, err = ofSystemd(activation.Files(true))
	case f.WebListenAddresses == nil || len(*f.WebListenAddresses) == 0:
		err = web.ErrNoListeners
	default:
		listeners, err = onAddresses(*f.WebListenAddresses)
	}
	if err != nil {
		return nil, err
	}
	slots := make(chan struct{}, s.config.MaxConnections)
	for i, l := range listeners {
		listeners[i] = &limited{Listener: l, slots: slots, closed: make(chan struct{})}
	}
	return listeners, nil
}

// onAddresses listens on each address, such as ":10120" or "vsock://:10120".
func onAddresses(addresses []string) (listeners []net.Listener, err error) {
	for _, address := range addresses {
		listener, err := onAddress(address)
		if err != nil {
			closeAll(listeners)
			return nil, err
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

func onAddress(address string) (net.Listener, error) {
	if !strings.HasPrefix(address, "vsock://") {
		return net.Listen("tcp", address)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(u.Port(), 10, 32)
	if err != nil {
		return nil, fmt.Errorf("listen address %s: must have the form vsock://:10120", address)
	}
	return vsock.Listen(uint32(port), nil)
}

// ofSystemd returns the listeners of sockets, which it closes.
func ofSystemd(sockets []*os.File) (listeners []net.Listener, err error) {
	if len(sockets) == 0 {
		return nil, errors.New("systemd passed no socket; --web.systemd-socket requires a socket unit")
	}
	for i, socket := range sockets {
		listener, err := net.FileListener(socket)
		if err == nil && !listens(socket) {
			_ = listener.Close()
			err = errors.New("it is not listening; Accept=yes is not supported")
		}
		if err != nil {
			closeAll(listeners)
			return nil, fmt.Errorf("socket %d from systemd, %s, is not a listening stream socket (ListenStream=): %w", i+1, socket.Name(), err)
		}
		_ = socket.Close() // the listener has its own
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close() // also those that a server has closed
	}
}

// limited is a net.Listener for a limit of connections. Others wait until one is closed:
// the one that is accepted next here, the rest in the kernel.
type limited struct {
	net.Listener
	slots  chan struct{} // has an element for each open connection
	once   sync.Once
	closed chan struct{} // by Close
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.slots <- struct{}{}:
		return &slotConn{Conn: conn, slots: l.slots}, nil
	case <-l.closed:
		_ = conn.Close()
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// slotConn is a connection that has a slot, which Close gives back.
type slotConn struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

// Close implements net.Conn.
func (c *slotConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.slots })
	return err
}

// CloseWrite is what net/http calls so that a client that still sends reads its answer.
func (c *slotConn) CloseWrite() error {
	if conn, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return conn.CloseWrite()
	}
	return errors.ErrUnsupported
}
