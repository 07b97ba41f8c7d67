//go:build unix

package transport

import (
	"errors"
	"net"
	"syscall"
)

// looks tells that an idle connection can be looked at before it is used.
const looks = true

// silence tells, of a connection that nobody reads, whether there is nothing to read: no
// byte that nobody asked for, no end. A connection that cannot be looked at is silent.
func silence(raw net.Conn) func() bool {
	under, ok := raw.(syscall.Conn)
	if !ok {
		return func() bool { return true }
	}
	socket, err := under.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	var got error
	look := func(fd uintptr) bool {
		var one [1]byte
		_, got = syscall.Read(int(fd), one[:])
		return true
	}
	return func() bool {
		err := socket.Read(look)
		return err == nil && errors.Is(got, syscall.EAGAIN)
	}
}
