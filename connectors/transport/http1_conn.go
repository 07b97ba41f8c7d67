package transport

import (
	"bufio"
	"compress/gzip"
	"io"
	"net"
	"sync"
	"time"
)

// conn is a connection of [http1]. One goroutine has it at a time.
type conn struct {
	net.Conn

	reader *bufio.Reader // while there is an exchange
	left   int64         // bytes that may still be read, for the header's sake
	silent func() bool   // whether the upstream has sent nothing, nor closed
	used   bool
	since  time.Time // when it was put among the idle ones
}

func newConn(raw net.Conn) *conn {
	c := &conn{Conn: raw, silent: silence(raw)}
	c.reader = readers.take(c)
	return c
}

// Read implements [io.Reader] for reader.
func (c *conn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errHeaderSize
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// interrupt ends what is being read or written.
func (c *conn) interrupt() { _ = c.SetDeadline(aLongTimeAgo) }

// rest has c hold nothing while nobody uses it.
func (c *conn) rest() {
	readers.leave(c.reader)
	c.reader, c.used = nil, true
}

func (c *conn) drop() {
	readers.leave(c.reader)
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

// take is a connection on which the upstream has neither said anything nor hung up, or nil.
func (i *idleConns) take() *conn {
	for {
		c := i.pop()
		if c == nil {
			return nil
		}
		if c.silent() {
			c.reader = readers.take(c)
			return c
		}
		_ = c.Close()
	}
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

// buffers are readers or writers that are used again by whichever connection needs one.
type buffers[B interface{ Reset(S) }, S any] struct{ pool sync.Pool }

func (b *buffers[B, S]) take(of S) B {
	buffer, _ := b.pool.Get().(B)
	buffer.Reset(of)
	return buffer
}

func (b *buffers[B, S]) leave(buffer B) {
	var none S
	buffer.Reset(none)
	b.pool.Put(buffer)
}

var (
	readers = buffers[*bufio.Reader, io.Reader]{pool: sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readBuffer) }}}
	writers = buffers[*bufio.Writer, io.Writer]{pool: sync.Pool{New: func() any { return bufio.NewWriterSize(nil, writeBuffer) }}}
)

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
