package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"github.com/portico-bff/portico/schema/commerce"
)

type onlyAttempt struct{}

// timeout bounds one attempt. readWhole is inside, so that the body counts too.
// A Write has no other attempt: cut short, it would only leave its outcome
// unknown, so the operation's own limit is its attempt's.
func (c *Client) timeout(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.Context().Value(onlyAttempt{}) != nil {
			return next.RoundTrip(req)
		}
		ctx, cancel := context.WithTimeout(req.Context(), c.cfg.AttemptTimeout)
		defer cancel()
		return next.RoundTrip(req.WithContext(ctx))
	})
}

// signed adds credentials to a copy of the request and sees to it that they go
// to the configured host only.
func (c *Client) signed(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		if c.sign != nil {
			if err := c.sign(req); err != nil {
				if req.Context().Err() != nil {
					return nil, lost(req.Context(), err, waiting())
				}
				return nil, &attemptError{kind: kindOr(err, commerce.ErrUnavailable), reason: commerce.ReasonOf(err), cause: errSign}
			}
		}
		dropUnsafe(req.Header)
		if req.URL.Scheme != c.base.Scheme || req.URL.Host != c.base.Host || req.Host != c.base.Host {
			return nil, &attemptError{kind: commerce.ErrUnavailable, reason: commerce.ReasonUnavailable, cause: errElsewhere}
		}
		return next.RoundTrip(req)
	})
}

func kindOr(err, fallback error) error {
	if kind := commerce.KindOf(err); kind != nil {
		return kind
	}
	return fallback
}

// dropUnsafe removes headers that would make net/http repeat a Write, and
// cookies: nothing here keeps a session with an upstream.
func dropUnsafe(header http.Header) {
	for name := range header {
		switch strings.ToLower(name) {
		case "idempotency-key", "x-idempotency-key", "cookie":
			delete(header, name)
		}
	}
}

// wholeBody is a body that has been read.
type wholeBody struct {
	*bytes.Reader
	data []byte
}

func (*wholeBody) Close() error { return nil }

// readWhole reads the body within its limit, so that an attempt ends with its
// last byte and its connection can be used again.
func (c *Client) readWhole(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = res.Body.Close() }()
		if encoding := res.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
			return nil, badAnswer(errEncoding)
		}
		// The limit is on what was decoded: net/http inflates gzip as it is read.
		data, err := io.ReadAll(io.LimitReader(res.Body, c.cfg.MaxBodyBytes+1))
		if err != nil {
			return nil, brokeOff(req.Context())
		}
		if int64(len(data)) > c.cfg.MaxBodyBytes {
			return nil, badAnswer(errTooLarge)
		}
		res.Body = &wholeBody{Reader: bytes.NewReader(data), data: data}
		return res, nil
	})
}

func brokeOff(ctx context.Context) error {
	got := &progress{}
	got.connected.Store(true)
	if ctx.Err() != nil {
		return lost(ctx, ctx.Err(), got)
	}
	return badAnswer(errTruncated)
}

// progress is how far an attempt got. Its hooks run on the transport's goroutines.
type progress struct {
	dialing   atomic.Bool // a connection was asked for
	connected atomic.Bool // one was had: from here on the upstream may see the request
	answered  atomic.Bool // the first byte of an answer came
	tlsFailed atomic.Bool
}

// sent tells whether the upstream may have seen the request: yes, unless it is
// certain that there never was a connection.
func (p *progress) sent(err error) bool {
	if p.connected.Load() {
		return true
	}
	return !p.dialing.Load() && !isDial(err)
}

func (p *progress) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:              func(string) { p.dialing.Store(true) },
		GotConn:              func(httptrace.GotConnInfo) { p.connected.Store(true) },
		GotFirstResponseByte: func() { p.answered.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				p.tlsFailed.Store(true)
			}
		},
	}
}

// traced watches how far the attempt gets and turns the transport's errors into ours.
func (c *Client) traced(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		got := &progress{}
		ctx := httptrace.WithClientTrace(req.Context(), got.hooks())
		res, err := next.RoundTrip(req.WithContext(ctx))
		if err != nil {
			return nil, lost(req.Context(), err, got)
		}
		return res, nil
	})
}

// onWireOnce keeps net/http from repeating a request by itself. When kept-alive
// connections die, it would send a GET once more for each of them, past the
// limit of attempts, the backoff and the count. A body that is empty but cannot
// be had again stops that; the loop tries again instead.
func onWireOnce(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		if !repeatedByItself(req.Method) || (req.Body != nil && req.Body != http.NoBody) {
			return next.RoundTrip(req)
		}
		req = req.Clone(req.Context())
		req.Body, req.ContentLength, req.GetBody = io.NopCloser(bytes.NewReader(nil)), 0, nil
		return next.RoundTrip(req)
	})
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
