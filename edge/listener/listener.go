// Package listener makes connections of servers cheaper.
package listener

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// SettingLate is l, whose connections set a clock only when somebody waits for it. net/http
// gives a connection seven deadlines for each request; nearly all are replaced before anybody
// reads or writes, since a request comes in one piece and is answered in one.
// Whoever waits has the deadline that was asked for last, or one up to a second earlier.
func SettingLate(l net.Listener) net.Listener { return lateListener{l} }

type lateListener struct{ net.Listener }

// Accept implements [net.Listener].
func (l lateListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &lateConn{
		Conn:  c,
		read:  deadline{set: c.SetReadDeadline, made: now},
		write: deadline{set: c.SetWriteDeadline, made: now},
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

// deadline is that of one direction of a connection. To ask for one, and to wait with one
// that is in force, takes no lock.
type deadline struct {
	set     func(time.Time) error // the connection's own
	made    time.Time             // the connection
	waiting atomic.Int32          // how many read, or write, now
	asked   atomic.Int64          // last, as [deadline.after]
	inForce atomic.Int64          // set last, as [deadline.after]
	mu      sync.Mutex            // held while one is set
}

// after is t, in nanoseconds since the connection was made. 0 is no deadline.
func (d *deadline) after(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if after := t.Sub(d.made); after != 0 {
		return int64(after)
	}
	return -1 // as good as passed
}

// ask notes a deadline. For who waits already it is in force at once: whoever begins to wait
// says so before looking at what is asked for.
func (d *deadline) ask(t time.Time) error {
	d.asked.Store(d.after(t))
	if d.waiting.Load() == 0 {
		return nil
	}
	return d.enforce()
}

// begin has what was asked for in force for who is about to wait. A deadline from before
// the connection has passed: by such a one net/http ends a read.
func (d *deadline) begin() error {
	d.waiting.Add(1)
	err := d.await(d.asked.Load())
	if err != nil {
		d.end()
	}
	return err
}

func (d *deadline) await(asked int64) error {
	switch {
	case asked < 0:
		return os.ErrDeadlineExceeded
	case goodFor(asked, d.inForce.Load()):
		return nil
	default:
		return d.enforce()
	}
}

func (d *deadline) end() { d.waiting.Add(-1) }

// mostEarly is how much earlier a deadline may be in force than the one that was asked for.
const mostEarly = int64(time.Second)

// goodFor tells whether a deadline in force is about as good as the one that was asked for.
func goodFor(asked, inForce int64) bool {
	return asked == inForce || asked > 0 && inForce > 0 && asked >= inForce && asked-inForce < mostEarly
}

// enforce sets what was asked for last.
func (d *deadline) enforce() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked.Load()
	if goodFor(asked, d.inForce.Load()) {
		return nil
	}
	var t time.Time
	if asked != 0 {
		t = d.made.Add(time.Duration(asked))
	}
	if err := d.set(t); err != nil {
		return err
	}
	d.inForce.Store(asked)
	return nil
}
