package bffweb

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// repeated is a connection on which a client repeats one request so many times. Nothing of
// it is the kernel's: what is measured is net/http and the chain.
type repeated struct {
	net.Conn
	request []byte
	at      int
	left    int
	closed  chan struct{}
	last    []byte // what was written last
}

func (c *repeated) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.request[c.at:])
	if c.at += n; c.at == len(c.request) {
		c.at = 0
		c.left--
	}
	return n, nil
}

func (c *repeated) Write(p []byte) (int, error) {
	c.last = append(c.last[:0], p...)
	return len(p), nil
}

func (c *repeated) Close() error {
	close(c.closed)
	return nil
}

func (*repeated) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (*repeated) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711} }
func (*repeated) SetDeadline(time.Time) error      { return nil }
func (*repeated) SetReadDeadline(time.Time) error  { return nil }
func (*repeated) SetWriteDeadline(time.Time) error { return nil }

// once hands out one connection.
type once struct {
	conn net.Conn
	done chan struct{}
}

func (l *once) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.done
	return nil, io.EOF
}

func (*once) Close() error   { return nil }
func (*once) Addr() net.Addr { return &net.TCPAddr{} }

// serveRepeated has h answer a request so many times, and answers what was answered last.
func serveRepeated(h http.Handler, request []byte, times int) []byte {
	c := &repeated{request: request, left: times, closed: make(chan struct{})}
	l := &once{conn: c, done: make(chan struct{})}
	stopped := make(chan struct{})
	go func() {
		_ = server(h).Serve(l)
		close(stopped)
	}()
	<-c.closed
	close(l.done)
	<-stopped
	return c.last
}

// BenchmarkServed is what a request costs with net/http's part, but without the kernel's;
// and what a handler costs that writes the same body and knows nothing else.
func BenchmarkServed(b *testing.B) {
	ours := chain(b)
	for _, c := range []struct{ name, text string }{
		{"nothing", `{"documentId":"` + idOf(chainNothing) + `"}`},
		{"warm", `{"documentId":"` + idOf(trustedPage) + `","variables":{"sku":"MUG-RED"}}`},
	} {
		request := fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(c.text), c.text)
		answer := serveRepeated(ours, request, 2)
		require.Contains(b, string(answer), "200 OK")
		_, body, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
		plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		})
		for name, h := range map[string]http.Handler{"ours": ours, "plain": plain} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				serveRepeated(h, request, b.N)
			})
		}
	}
}
