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
			a.url = *req.URL
			req.URL = &a.url
			if err := c.sign(req); err != nil {
				if ctx.Err() != nil {
					return nil, lost(ctx, err, waiting())
				}
				return nil, &attemptError{kind: kindOr(err, commerce.ErrUnavailable), reason: commerce.ReasonOf(err), cause: errSign, own: true}
			}
		}
		dropUnsafe(req.Header)
		a.announceTimeout(req.Header)
		a.span.inject(req.Header)
		if req.URL.Scheme != c.base.Scheme || req.URL.Host != c.base.Host || req.Host != c.base.Host {
			return nil, &attemptError{kind: commerce.ErrUnavailable, reason: commerce.ReasonUnavailable, cause: errElsewhere, own: true}
		}
		if !sendableHeader(req.Header) {
			return nil, &attemptError{kind: commerce.ErrUnavailable, reason: commerce.ReasonUnavailable, cause: errHeader, own: true}
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

// neverSent are headers that no signer may add. The idempotency keys would make
// net/http repeat a Write; nothing here keeps a session with an upstream; the
// others belong to the connection or the message, which are net/http's. It leaves
// some of those out by itself, but only if they are spelled as here.
var neverSent = map[string]bool{
	"Idempotency-Key": true, "X-Idempotency-Key": true, "Cookie": true,
	"Connection": true, "Keep-Alive": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
	"Host": true, "Content-Length": true, "Expect": true, "Forwarded": true, "X-Real-Ip": true,
}

// neverSentPrefixes begin the names of more of them: what is said to proxies, and
// what proxies and we say among ourselves.
var neverSentPrefixes = []string{"Proxy-", "X-Forwarded-", "X-Internal-"}

// dropUnsafe removes what is never sent, and what Connection names.
func dropUnsafe(header http.Header) {
	for name, values := range header {
		canonical := http.CanonicalHeaderKey(name)
		if canonical == "Connection" {
			dropNamed(header, values)
		}
		if neverSent[canonical] || hasNeverSentPrefix(canonical) {
			delete(header, name)
		}
	}
}

func hasNeverSentPrefix(name string) bool {
	for _, prefix := range neverSentPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// dropNamed removes the headers that the values of Connection name.
func dropNamed(header http.Header, connection []string) {
	for _, value := range connection {
		for named := range strings.SplitSeq(value, ",") {
			for name := range header {
				if strings.EqualFold(name, strings.TrimSpace(named)) {
					delete(header, name)
				}
			}
		}
	}
}

// sendableHeader tells whether net/http would send header. Its own refusal would
// look like a failure of the upstream.
func sendableHeader(header http.Header) bool {
	for name, values := range header {
		if !isToken(name) {
			return false
		}
		for _, value := range values {
			if hasControl(value) {
				return false
			}
		}
	}
	return true
}

func hasControl(s string) bool {
	for i := range len(s) {
		if b := s[i]; (b < ' ' && b != '\t') || b == 0x7f {
			return true
		}
	}
	return false
}

// isToken tells whether name can be a header's (RFC 9110 §5.6.2).
func isToken(name string) bool {
	for i := range len(name) {
		switch b := name[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-':
		case strings.IndexByte("!#$%&'*+.^_`|~", b) < 0:
			return false
		}
	}
	return name != ""
}
