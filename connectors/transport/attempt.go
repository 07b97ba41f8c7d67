package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync"
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
	call    *call
	kind    attemptKind
	req     *http.Request // what is sent; from signed inwards
	number  int           // on the call's record
	took    time.Duration // set by measured
	by      time.Time     // when it ends, unless somebody patient waits; set by timeout
	longest time.Duration // how long it may take if so; set by timeout
	got     progress
	span    attemptSpan

	// What is sent refers to these: as parts of the attempt they cost nothing more.
	hooks httptrace.ClientTrace
	body  bytes.Reader
	url   url.URL   // a signer's own: the call's other attempts have the same one
	told  [1]string // the value of timeoutHeader

	mu     sync.Mutex
	cancel context.CancelFunc // ends it; set by timeout
	lost   bool               // the other attempt of a hedge answered first
}

// lose ends an attempt whose answer is not wanted any more.
func (a *attempt) lose() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost = true
	if a.cancel != nil {
		a.cancel()
	}
}

// cancelledBy hands the attempt the way to end it; it ends at once if it has lost already.
func (a *attempt) cancelledBy(cancel context.CancelFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cancel = cancel
	if a.lost {
		cancel()
	}
}

func (a *attempt) hasLost() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lost
}

// roundTrip is a RoundTripper and nothing else. That it has no
// CloseIdleConnections is the point: retryablehttp calls that after every failed
// call, and a failing operation would empty the pool of all others.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// attempts makes one attempt of a call.
func (c *Client) attempts(via http.RoundTripper) func(context.Context, *call) (*http.Response, error) {
	layers := c.attemptLayers(via)
	return func(ctx context.Context, k *call) (*http.Response, error) {
		a := &attempt{call: k, kind: firstAttempt}
		if k.tries > 1 {
			a.kind = retryAttempt
		}
		return layers(ctx, a)
	}
}

// Values of headers that never change.
var (
	acceptJSON = []string{"application/json"}
	agent      = []string{userAgent}
)

// message is the HTTP request of an attempt.
func (a *attempt) message(ctx context.Context) *http.Request {
	k := a.call
	header := make(http.Header, 8) // signers and tracing add to it
	header["Accept"] = acceptJSON
	for name, values := range k.header {
		header[http.CanonicalHeaderKey(name)] = slices.Clip(values) // a signer that adds to them gets a copy
	}
	header["User-Agent"] = agent
	req := &http.Request{
		Method: k.method, URL: &k.url, Host: k.url.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	a.fillOnce(req)
	return req.WithContext(ctx)
}

// fillOnce gives req its body. net/http silently repeats a request on another
// connection when a kept-alive one dies, if its method is GET, HEAD, OPTIONS or
// TRACE, or an Idempotency-Key header is there, and its body is empty or can be
// had again: a Write would be done twice, a Read sent once more for each dead
// connection, past the limit of attempts, the backoff and the count. So no body
// can be had again, and it is empty only for methods that net/http does not
// repeat by themselves; the headers are never sent.
func (a *attempt) fillOnce(req *http.Request) {
	k := a.call
	switch {
	case len(k.body) > 0:
		// A type of our own would have net/http send the header first, by itself.
		a.body.Reset(k.body)
		req.Body, req.ContentLength = io.NopCloser(&a.body), int64(len(k.body))
	case repeatedByItself(k.method):
		// A body of no bytes. Without "identity" net/http would start a goroutine to find that out.
		req.Body, req.TransferEncoding = noBytes{}, identity
	default:
		// Content-Length: 0; an unknown length would be sent chunked, which not every system reads.
		req.Body = http.NoBody
	}
}

var identity = []string{"identity"}

// noBytes is an empty body that net/http does not know to be one.
type noBytes struct{}

func (noBytes) Read([]byte) (int, error) { return 0, io.EOF }

// WriteTo spares net/http a buffer.
func (noBytes) WriteTo(io.Writer) (int64, error) { return 0, nil }

func (noBytes) Close() error { return nil }

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
