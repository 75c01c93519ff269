//go:build unix

package server

import (
	"os"
	"syscall"
)

// listens reports whether a socket accepts connections.
func listens(socket *os.File) (yes bool) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	err = raw.Control(func(fd uintptr) {
		n, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
		yes = err == nil && n != 0
	})
	return err == nil && yes
}
