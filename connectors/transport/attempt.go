package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// attemptKind says why an attempt is made.
type attemptKind string

const (
	firstAttempt attemptKind = "first"
	retryAttempt attemptKind = "retry"
	hedgeAttempt attemptKind = "hedge"
)

// attempt is one attempt of a call on its way through the layers.
type attempt struct {
	call *call
	kind attemptKind
	req  *http.Request // what is sent; from signed inwards
	took time.Duration // set by measured
	got  progress
	span attemptSpan
}

// roundTrip is a RoundTripper and nothing else. That it has no
// CloseIdleConnections is the point: retryablehttp calls that after every failed
// call, and a failing operation would empty the pool of all others.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// attempts is the client that the retry loop repeats.
func (c *Client) attempts(via http.RoundTripper) http.RoundTripper {
	layers := c.attemptLayers(via)
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		ctx := req.Context()
		a := &attempt{call: callOf(ctx), kind: firstAttempt}
		if a.call.tries > 1 {
			a.kind = retryAttempt
		}
		return layers(ctx, a)
	})
}

// message is the HTTP request of an attempt.
func (a *attempt) message(ctx context.Context) *http.Request {
	k := a.call
	req := &http.Request{
		Method: k.method, URL: k.url, Host: k.url.Host, Header: k.header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req.Body, req.ContentLength = k.onceOnly()
	return req.WithContext(ctx)
}

// onceOnly is the body of one attempt. net/http silently repeats a request on
// another connection when a kept-alive one dies, if its method is GET, HEAD,
// OPTIONS or TRACE, or an Idempotency-Key header is there, and its body is empty
// or can be had again: a Write would be done twice, a Read sent once more for
// each dead connection, past the limit of attempts, the backoff and the count.
// So no body can be had again, and it is empty only for methods that net/http
// does not repeat by themselves; the headers are never sent.
func (k *call) onceOnly() (io.ReadCloser, int64) {
	if len(k.body) > 0 {
		return io.NopCloser(bytes.NewReader(k.body)), int64(len(k.body))
	}
	if repeatedByItself(k.method) {
		return io.NopCloser(bytes.NewReader(nil)), 0
	}
	// Content-Length: 0; an unknown length would be sent chunked, which not every system reads.
	return http.NoBody, 0
}

// repeatedByItself tells whether net/http takes method for harmless.
func repeatedByItself(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	default:
		return false
	}
}

// onWire hands an attempt to the transport.
func (c *Client) onWire(via http.RoundTripper) attemptHandler {
	return func(_ context.Context, a *attempt) (*http.Response, error) {
		return via.RoundTrip(a.req)
	}
}

// isWrite tells whether the attempt is the only one there will be.
func (a *attempt) isWrite() bool { return a.call.traits.Access != commerce.Read }
