package transport

import (
	"context"
	"net/http"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// signed makes the request that is sent, adds credentials to it and sees to it
// that they go to the configured host only.
func (c *Client) signed(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		req := a.message(ctx)
		if c.sign != nil {
			if err := c.sign(req); err != nil {
				if ctx.Err() != nil {
					return nil, lost(ctx, err, waiting())
				}
				return nil, &attemptError{kind: kindOr(err, commerce.ErrUnavailable), reason: commerce.ReasonOf(err), cause: errSign, own: true}
			}
		}
		dropUnsafe(req.Header)
		announceTimeout(ctx, req.Header)
		a.span.inject(req.Header)
		if req.URL.Scheme != c.base.Scheme || req.URL.Host != c.base.Host || req.Host != c.base.Host {
			return nil, &attemptError{kind: commerce.ErrUnavailable, reason: commerce.ReasonUnavailable, cause: errElsewhere, own: true}
		}
		a.req = req
		return next(ctx, a)
	}
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
