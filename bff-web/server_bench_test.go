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

	"github.com/portico-bff/portico/edge/listener"
)

// repeated is a connection on which a client repeats one request so many times. Nothing of
// it is the kernel's: what is measured is net/http and the chain.
type repeated struct {
	net.Conn
	remote  net.Addr
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

func (c *repeated) RemoteAddr() net.Addr           { return c.remote }
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

// Where requests come from: the machine itself, which is not limited, and elsewhere.
var (
	nearby  = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711}
	faraway = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}
)

// serveRepeated has h answer a request from remote so many times, and answers what was
// answered last.
func serveRepeated(h http.Handler, remote net.Addr, request []byte, times int) []byte {
	c := &repeated{remote: remote, request: request, left: times, closed: make(chan struct{})}
	l := &once{conn: c, done: make(chan struct{})}
	stopped := make(chan struct{})
	go func() {
		_ = server(h).Serve(listener.SettingLate(l))
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
	for _, c := range []struct {
		name, text string
		from       net.Addr
	}{
		{"nothing", `{"documentId":"` + idOf(chainNothing) + `"}`, nearby},
		{"warm", `{"documentId":"` + idOf(trustedPage) + `","variables":{"sku":"MUG-RED"}}`, nearby},
		{"warm from elsewhere", `{"documentId":"` + idOf(trustedPage) + `","variables":{"sku":"MUG-RED"}}`, faraway},
	} {
		request := fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(c.text), c.text)
		answer := serveRepeated(ours, c.from, request, 2)
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
				serveRepeated(h, c.from, request, b.N)
			})
		}
	}
}
