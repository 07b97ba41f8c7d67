package transport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"net"
	"sync"
	"time"
)

// conn is a connection of [http1]. One goroutine has it at a time.
type conn struct {
	net.Conn

	reader  *bufio.Reader // while there is an exchange
	left    int64         // bytes that may still be read, for the header's sake
	message *bytes.Buffer // is sent before anything is read; nil when it has been
	socket  *socket       // nil where there is none
	used    bool
	since   time.Time // when it was put among the idle ones
}

var (
	// errHungUp is of a connection that cannot be used again: the upstream has ended it, or
	// said what nobody asked for. Nothing was sent.
	errHungUp = errors.New("the upstream hung up while nobody used the connection")
	errPart   = errors.New("a part of the message was sent")
)

func newConn(raw net.Conn) *conn {
	c := &conn{Conn: raw}
	c.socket = socketOf(c)
	c.reader = takeReader(c)
	return c
}

// Read implements [io.Reader] for reader. It sends the message first.
func (c *conn) Read(p []byte) (n int, err error) {
	if c.left <= 0 {
		return 0, errHeaderSize
	}
	p = p[:min(int64(len(p)), c.left)]
	if c.message != nil {
		n, err = c.ask(p)
	} else {
		n, err = c.Conn.Read(p)
	}
	c.left -= int64(n)
	return n, err
}

// ask sends the message and reads the beginning of what is answered into p.
func (c *conn) ask(p []byte) (n int, err error) {
	if c.used && c.socket != nil {
		n, err = c.socket.ask(p)
		if !errors.Is(err, errPart) {
			return n, err
		}
	}
	_, err = c.message.WriteTo(c.Conn)
	c.sent()
	if err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// sent has the message's room used by others.
func (c *conn) sent() {
	messages.Put(c.message)
	c.message = nil
}

// interrupt ends what is being read or written.
func (c *conn) interrupt() { _ = c.SetDeadline(aLongTimeAgo) }

// rest has c hold nothing while nobody uses it.
func (c *conn) rest() {
	leaveReader(c.reader)
	c.reader, c.used = nil, true
}

func (c *conn) drop() {
	leaveReader(c.reader)
	c.reader = nil
	_ = c.Close()
}

// idleConns are connections that nobody uses, all to one upstream. The one that was used
// last is used next, so that those too many grow old.
type idleConns struct {
	mu    sync.Mutex
	conns []*conn
	timer *time.Timer // runs while there are any
}

// take is a connection that may have ended, as is seen when it is used; or nil.
func (i *idleConns) take() *conn {
	c := i.pop()
	if c != nil {
		c.reader = takeReader(c)
	}
	return c
}

func (i *idleConns) pop() *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	last := len(i.conns) - 1
	if last < 0 {
		return nil
	}
	c := i.conns[last]
	i.conns[last], i.conns = nil, i.conns[:last]
	return c
}

// put keeps c for idleTimeout, unless there are enough.
func (i *idleConns) put(c *conn) {
	c.since = time.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.conns) >= maxIdlePerHost {
		_ = c.Close()
		return
	}
	i.conns = append(i.conns, c)
	if i.timer == nil {
		i.timer = time.AfterFunc(idleTimeout, i.expire)
	}
}

// expire closes what nobody used for idleTimeout.
func (i *idleConns) expire() {
	i.mu.Lock()
	defer i.mu.Unlock()
	old := 0
	for old < len(i.conns) && time.Since(i.conns[old].since) >= idleTimeout {
		_ = i.conns[old].Close()
		old++
	}
	n := copy(i.conns, i.conns[old:])
	clear(i.conns[n:])
	if i.conns = i.conns[:n]; n == 0 {
		i.timer = nil
		return
	}
	i.timer = time.AfterFunc(idleTimeout-time.Since(i.conns[0].since), i.expire)
}

// Readers and messages are used again by whichever connection needs one.
var (
	readers  = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readBuffer) }}
	messages = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, writeBuffer)) }}
)

func takeReader(of *conn) *bufio.Reader {
	r, _ := readers.Get().(*bufio.Reader)
	r.Reset(of)
	return r
}

func leaveReader(r *bufio.Reader) {
	r.Reset(nil)
	readers.Put(r)
}

// gzipBody inflates a body as it is read.
type gzipBody struct {
	from     *answerBody
	inflated *gzip.Reader
	err      error // what every read answers from now on
}

func (g *gzipBody) Read(p []byte) (n int, err error) {
	if g.err == nil && g.inflated == nil {
		g.inflated, g.err = gzip.NewReader(g.from)
	}
	if g.err != nil {
		return 0, g.err
	}
	n, g.err = g.inflated.Read(p)
	return n, g.err
}

func (g *gzipBody) Close() error { return g.from.Close() }
