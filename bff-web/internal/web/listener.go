package web

import (
	"net"
	"os"
	"sync"
	"time"
)

// SettingLate is l, whose connections set a clock only when somebody waits for it. net/http
// gives a connection seven deadlines for each request; nearly all are replaced before anybody
// reads or writes, since a request comes in one piece and is answered in one. Whoever waits
// has the deadline that was asked for last, or one up to a second earlier.
func SettingLate(l net.Listener) net.Listener { return lateListener{l} }

type lateListener struct{ net.Listener }

// Accept implements [net.Listener].
func (l lateListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lateConn{
		Conn:  c,
		read:  deadline{set: c.SetReadDeadline, made: time.Now()},
		write: deadline{set: c.SetWriteDeadline, made: time.Now()},
	}, nil
}

// lateConn is a connection that sets its deadlines late.
type lateConn struct {
	net.Conn
	read, write deadline
}

// Read reads until the deadline that was asked for, also while it waits.
func (c *lateConn) Read(p []byte) (int, error) {
	if err := c.read.begin(); err != nil {
		return 0, err
	}
	defer c.read.end()
	return c.Conn.Read(p)
}

// Write is [lateConn.Read] for writing.
func (c *lateConn) Write(p []byte) (int, error) {
	if err := c.write.begin(); err != nil {
		return 0, err
	}
	defer c.write.end()
	return c.Conn.Write(p)
}

// SetReadDeadline implements [net.Conn].
func (c *lateConn) SetReadDeadline(t time.Time) error { return c.read.ask(t) }

// SetWriteDeadline implements [net.Conn].
func (c *lateConn) SetWriteDeadline(t time.Time) error { return c.write.ask(t) }

// SetDeadline implements [net.Conn].
func (c *lateConn) SetDeadline(t time.Time) error {
	if err := c.read.ask(t); err != nil {
		return err
	}
	return c.write.ask(t)
}

// CloseWrite ends what is sent, so that a client that still sends reads its answer before the
// connection is reset: net/http looks for it.
func (c *lateConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// deadline is that of one direction of a connection.
type deadline struct {
	set  func(time.Time) error // the connection's own
	made time.Time             // the connection

	mu      sync.Mutex
	waiting int       // how many read, or write, now
	asked   time.Time // last; zero is none
	inForce time.Time // set last
}

// ask notes a deadline. For who waits already it is in force at once.
func (d *deadline) ask(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = t
	if d.waiting == 0 {
		return nil
	}
	return d.enforce()
}

// begin has what was asked for in force for who is about to wait. A deadline from before
// the connection has passed: by such a one net/http ends a read.
func (d *deadline) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.asked.IsZero() && d.asked.Before(d.made) {
		return os.ErrDeadlineExceeded
	}
	if err := d.enforce(); err != nil {
		return err
	}
	d.waiting++
	return nil
}

func (d *deadline) end() {
	d.mu.Lock()
	d.waiting--
	d.mu.Unlock()
}

// mostEarly is how much earlier a deadline may be in force than the one that was asked for.
const mostEarly = time.Second

// enforce sets what was asked for, unless what is set is about as good.
func (d *deadline) enforce() error {
	if d.asked.Equal(d.inForce) {
		return nil
	}
	if !d.asked.IsZero() && !d.inForce.IsZero() {
		if early := d.asked.Sub(d.inForce); 0 <= early && early < mostEarly {
			return nil
		}
	}
	if err := d.set(d.asked); err != nil {
		return err
	}
	d.inForce = d.asked
	return nil
}
