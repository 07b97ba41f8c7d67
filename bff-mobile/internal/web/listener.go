package web

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	lingerBytes = 4 << 20
	lingerTime  = time.Second
)

// Lingering makes connections of l that can take their time to close: closing a
// socket with unread data resets it, and the client may lose the answer that
// tells what was wrong.
func Lingering(l net.Listener) net.Listener { return lingeringListener{l} }

type lingeringListener struct{ net.Listener }

// Accept waits for the next connection.
func (l lingeringListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingeringConn{Conn: c}, nil
}

type lingeringConn struct {
	net.Conn
	linger atomic.Bool
}

// Linger makes Close read on for a while.
func (c *lingeringConn) Linger() { c.linger.Store(true) }

// Close ends the connection; once after Linger it says that nothing more will be
// sent, and reads what is under way, within bounds.
func (c *lingeringConn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger.Swap(false) {
		_ = half.CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, lingerBytes))
	}
	return c.Conn.Close()
}
