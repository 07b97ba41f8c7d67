package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
)

// progress is how far an attempt got. Its hooks run on the transport's goroutines.
type progress struct {
	dials     bool        // no connection, nothing sent: the transport is a real one
	connected atomic.Bool // one was had: from here on the upstream may see the request
	answered  atomic.Bool // the first byte of an answer came
	tlsFailed atomic.Bool
}

// waiting is the progress of a loop that ended between two attempts.
func waiting() *progress { return &progress{dials: true} }

// sent tells whether the upstream may have seen the request: yes, unless it is
// certain that there never was a connection.
func (p *progress) sent(err error) bool {
	if p.connected.Load() {
		return true
	}
	return !p.dials && !isDial(err)
}

// watched has hooks tell the attempt's progress.
func (a *attempt) watched(overTLS bool) *httptrace.ClientTrace {
	p := &a.got
	a.hooks.GotConn = func(httptrace.GotConnInfo) { p.connected.Store(true) }
	a.hooks.GotFirstResponseByte = func() { p.answered.Store(true) }
	if overTLS {
		a.hooks.TLSHandshakeDone = func(_ tls.ConnectionState, err error) {
			if err != nil && !brokenOff(err) {
				p.tlsFailed.Store(true)
			}
		}
	}
	return &a.hooks
}

// brokenOff tells a connection that ended in its handshake, which another may not,
// from a handshake that one of the two sides refused.
func brokenOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// traced gives the attempt its span, watches how far it gets, and turns the
// transport's errors into ours.
func (c *Client) traced(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		k := a.call
		number := int(k.attempts.Add(1))
		a.got.dials = c.dials
		ctx, a.span = c.tracer.attempt(ctx, c.system, c.deps.Role, k.traits.Operation, number, string(a.kind))
		res, err := next(httptrace.WithClientTrace(ctx, a.watched(c.overTLS)), a)
		if err != nil {
			failed, ok := errors.AsType[*attemptError](err)
			if !ok {
				failed = lost(ctx, err, &a.got)
			}
			a.span.end(0, failed.outcome())
			return nil, failed
		}
		a.span.end(res.StatusCode, outcomeOfStatus(res.StatusCode))
		return res, nil
	}
}

func outcomeOfStatus(status int) string {
	if failed := judged(status); failed != nil {
		return failed.outcome()
	}
	if status >= http.StatusBadRequest {
		return outcomeRefused
	}
	return outcomeOK
}
