package web

import (
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

const (
	lingerBytes = 4 << 20
	lingerTime  = time.Second
)

// Serve serves app on l until it is shut down. Its connections see to their deadlines
// themselves: fasthttp reads the clock three times a request for those of its own.
func Serve(app *fiber.App, l net.Listener) error {
	timesItself(app.Server())
	return app.Listener(listener{l})
}

func timesItself(s *fasthttp.Server) {
	s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = 0, 0, 0
	s.ConnState = func(c net.Conn, state fasthttp.ConnState) {
		if timed, ok := c.(*conn); ok && state == fasthttp.StateActive {
			timed.begin()
		}
	}
}

type listener struct{ net.Listener }

// Accept waits for the next connection.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(c), nil
}

// conn is a connection that ends when its client takes too long: readTimeout from a request's
// first byte to its last, writeTimeout to take an answer, and idleTimeout from that answer to
// the next request, each up to mostEarly less. It can take its time to close: closing a socket
// with unread data resets it, and the client may lose the answer that tells what was wrong.
//
// Clocks are set when somebody is about to wait, and only where the one that is in force is not
// as good. Reading and writing are for one goroutine.
type conn struct {
	net.Conn
	linger atomic.Bool

	made        time.Time
	waits       waits
	answered    time.Duration // after made
	read, write time.Duration // the deadlines that are in force, after made; 0: none yet
}

// waits is what a connection waits for.
type waits uint8

const (
	forRest    waits = iota // of a request, until a time that is not set yet; a new connection is as good as one
	forEnd                  // of a request, until the time that is in force
	forRequest              // that comes after an answer
)

// mostEarly is how much earlier a deadline may be in force than it should.
const mostEarly = time.Second

func newConn(c net.Conn) *conn { return &conn{Conn: c, made: time.Now()} }

// begin says that a request has begun.
func (c *conn) begin() { c.waits = forRest }

// answer says that an answer is about to be written, at now.
func (c *conn) answer(now time.Time) { c.waits, c.answered = forRequest, now.Sub(c.made) }

// Read reads until the deadline of what is waited for.
func (c *conn) Read(p []byte) (int, error) {
	by := c.read
	switch c.waits {
	case forRequest:
		by = c.answered + idleTimeout
	case forRest:
		by, c.waits = time.Since(c.made)+readTimeout, forEnd
	case forEnd:
	}
	if err := c.enforce(&c.read, by, c.SetReadDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write writes until the deadline of an answer. What is written while a request is still
// waited for, such as that it could not be read, has one of its own.
func (c *conn) Write(p []byte) (int, error) {
	from := c.answered
	if c.waits != forRequest {
		from = time.Since(c.made)
	}
	if err := c.enforce(&c.write, from+writeTimeout, c.SetWriteDeadline); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// enforce sets a deadline unless the one in force is as good.
func (c *conn) enforce(inForce *time.Duration, by time.Duration, set func(time.Time) error) error {
	if by >= *inForce && by-*inForce < mostEarly {
		return nil
	}
	*inForce = by
	return set(c.made.Add(by))
}

// Linger makes Close read on for a while.
func (c *conn) Linger() { c.linger.Store(true) }

// Close ends the connection; once after Linger it says that nothing more will be
// sent, and reads what is under way, within bounds.
func (c *conn) Close() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger.Swap(false) {
		_ = half.CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, lingerBytes))
	}
	return c.Conn.Close()
}
