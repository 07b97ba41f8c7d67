package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"
)

const (
	// mostInOneWrite is how large a body may be that is sent before its answer is looked
	// for: a socket takes it as a whole, even when the upstream answers without reading it.
	mostInOneWrite = 32 << 10
	// mostInterim is how many interim answers (1xx) may come before the answer.
	mostInterim = 5
)

var (
	errInterim    = errors.New("too many interim answers")
	errHeaderSize = errors.New("the answer's header is too large")
)

// http1 is a RoundTripper for HTTP/1.1 without TLS, by the goroutine that asks. Each
// connection of net/http's transport has two goroutines, and handing a request and its
// answer over to them and back costs as much as all of our layers. The messages are
// written and read by net/http ([http.Request.Write], [http.ReadResponse]); only the
// connections are http1's. Of a request it adds Accept-Encoding to the header, as
// net/http's transport does on the wire, and answers in gzip are inflated as they are read.
//
// A connection is used again when its answer was read to the end, and the upstream has neither
// hung up since nor said anything. Nothing is sent twice.
type http1 struct {
	conns idleConns
	dial  func(ctx context.Context, network, addr string) (net.Conn, error)
	large http.RoundTripper // takes what is too large for one write
}

func newHTTP1(pool *http.Transport) *http1 { return &http1{dial: pool.DialContext, large: pool} }

// RoundTrip implements [http.RoundTripper]. The body of the answer has to be read to its
// end, or closed. Errors are those of the connection, of ctx, and of what cannot be read.
func (h *http1) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.ContentLength > mostInOneWrite {
		return h.large.RoundTrip(req)
	}
	inflated := asksForGzip(req)
	message, _ := messages.Get().(*bytes.Buffer)
	message.Reset()
	if err := req.Write(message); err != nil {
		return nil, err
	}
	res, body, err := h.exchange(req, message)
	for errors.Is(err, errHungUp) {
		res, body, err = h.exchange(req, message)
	}
	if err != nil {
		return nil, err
	}
	res.Body = body
	if inflated && strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		res.ContentLength, res.Uncompressed = -1, true
		res.Body = &gzipBody{from: body}
	}
	return res, nil
}

// exchange sends message, which is req's, on one connection and reads the header of its
// answer. Unless the error is [errHungUp], message is another's then.
func (h *http1) exchange(req *http.Request, message *bytes.Buffer) (*http.Response, *answerBody, error) {
	ctx := req.Context()
	c, err := h.connection(ctx, req.URL.Host)
	if err != nil {
		return nil, nil, err
	}
	c.message = message
	stop := context.AfterFunc(ctx, c.interrupt)
	res, err := c.exchange(req, httptrace.ContextClientTrace(ctx))
	if err != nil {
		stop()
		c.drop()
		return nil, nil, err
	}
	return res, &answerBody{ReadCloser: res.Body, conn: c, to: &h.conns, stop: stop, last: res.Close}, nil
}

// connection is one that nobody uses, or a new one.
func (h *http1) connection(ctx context.Context, host string) (*conn, error) {
	if c := h.conns.take(); c != nil {
		return c, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "80")
	}
	raw, err := h.dial(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return newConn(raw), nil
}

// asksForGzip adds to req that its answer may come in gzip, unless it says itself what it may come in.
func asksForGzip(req *http.Request) bool {
	if req.Method == http.MethodHead || req.Header["Accept-Encoding"] != nil || req.Header["Range"] != nil {
		return false
	}
	req.Header["Accept-Encoding"] = gzipOnly
	return true
}

var gzipOnly = []string{"gzip"}

// exchange sends the message, which is req's, and reads its answer's header.
func (c *conn) exchange(req *http.Request, hooks *httptrace.ClientTrace) (*http.Response, error) {
	c.left = maxHeaderBytes
	_, err := c.reader.Peek(1)
	if errors.Is(err, errHungUp) {
		return nil, err
	}
	if hooks != nil && hooks.GotConn != nil { // not before it is certain that it was one
		hooks.GotConn(httptrace.GotConnInfo{Conn: c.Conn, Reused: c.used})
	}
	if err != nil {
		return nil, err
	}
	if hooks != nil && hooks.GotFirstResponseByte != nil {
		hooks.GotFirstResponseByte()
	}
	for range 1 + mostInterim {
		res, err := http.ReadResponse(c.reader, req)
		if err != nil {
			return nil, err
		}
		if res.StatusCode/100 != 1 || res.StatusCode == http.StatusSwitchingProtocols {
			res.Close = res.Close || res.StatusCode == http.StatusSwitchingProtocols // whatever comes then
			c.left = math.MaxInt64
			return res, nil
		}
	}
	return nil, errInterim
}

// answerBody gives its connection back once it has been read to the end.
type answerBody struct {
	io.ReadCloser

	conn *conn // nil when it was given back
	to   *idleConns
	stop func() bool // that the end of the request's context interrupts the connection
	last bool        // there is nothing more on this connection
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.conn == nil {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(errors.Is(err, io.EOF))
	}
	return n, err
}

// Close ends a body. One that was not read to its end takes its connection with it.
func (b *answerBody) Close() error {
	if b.conn != nil {
		b.end(false)
	}
	return nil
}

func (b *answerBody) end(whole bool) {
	c := b.conn
	b.conn = nil
	if undisturbed := b.stop(); undisturbed && whole && !b.last && c.reader.Buffered() == 0 {
		c.rest()
		b.to.put(c)
		return
	}
	c.drop()
}

// aLongTimeAgo is a deadline that has passed, whatever the clock says.
var aLongTimeAgo = time.Unix(1, 0)
