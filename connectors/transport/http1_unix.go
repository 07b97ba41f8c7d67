//go:build unix

package transport

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// looks tells that an idle connection can be looked at before it is used.
const looks = true

// socket is what is under a connection.
type socket struct {
	of  *conn
	raw syscall.RawConn
	try func(fd uintptr) bool

	into []byte // where what is answered is read to
	n    int
	err  error
}

// socketOf is nil where there is none under a connection.
func socketOf(c *conn) *socket {
	under, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := under.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socket{of: c, raw: raw}
	s.try = s.turn
	return s
}

// ask sends the connection's message and reads the beginning of what is answered to it into p.
// It is [errHungUp], and nothing was sent, when the upstream had said anything before, or hung
// up; and [errPart] when it did not take all of it.
//
// Go's own way is to read at once, and to wait when nothing is there: so soon there never is.
// What is waited for here has been watched for since before the message was sent, when nothing was there.
func (s *socket) ask(p []byte) (n int, err error) {
	s.into, s.n, s.err = p, 0, nil
	if err = s.raw.Read(s.try); err == nil {
		err = s.err
	}
	s.into = nil
	return s.n, err
}

// turn is tried until it answers true, each time that there may be something to read.
func (s *socket) turn(fd uintptr) bool {
	if s.of.message == nil {
		return s.read(int(fd))
	}
	var one [1]byte
	if _, err := readNow(int(fd), one[:]); !errors.Is(err, syscall.EAGAIN) {
		s.err = errHungUp
		return true
	}
	s.err = s.write(int(fd))
	return s.err != nil
}

func (s *socket) write(fd int) error {
	message := s.of.message
	n, err := writeNow(fd, message.Bytes())
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		return os.NewSyscallError("write", err)
	}
	message.Next(max(n, 0))
	if message.Len() > 0 {
		return errPart
	}
	s.of.sent()
	return nil
}

func (s *socket) read(fd int) bool {
	n, err := readNow(fd, s.into)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return false
	case err != nil:
		s.err = os.NewSyscallError("read", err)
	case n == 0:
		s.err = io.EOF
	default:
		s.n = n
	}
	return true
}

// readNow and writeNow call until no signal comes in between.

func readNow(fd int, p []byte) (n int, err error) {
	for {
		if n, err = syscall.Read(fd, p); err != syscall.EINTR { //nolint:errorlint // as it comes from the system
			return n, err
		}
	}
}

func writeNow(fd int, p []byte) (n int, err error) {
	for {
		if n, err = syscall.Write(fd, p); err != syscall.EINTR { //nolint:errorlint // the same
			return n, err
		}
	}
}
