package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// call is one call on its way through the layers.
type call struct {
	traits commerce.Traits
	method string
	url    *url.URL
	header http.Header
	body   []byte

	attempts int // started so far
	status   int // of the last answer; 0 when there was none
}

// allowedHeaders are those a connector may set on a request. Everything else is
// ours (User-Agent), the signer's (credentials) or nobody's (cookies, forwarding
// headers, anything hop-by-hop).
var allowedHeaders = map[string]bool{
	"Accept":           true,
	"Accept-Language":  true,
	"Content-Language": true,
	"Content-Type":     true,
	"Store":            true, // Magento's store view
	"X-Odoo-Database":  true,
	"X-Request-Id":     true,
	"Traceparent":      true,
	"Tracestate":       true,
}

var errHeader = errors.New("transport: a header that connectors may not set")

const userAgent = "portico/1"

func (c *Client) newCall(traits commerce.Traits, r Request) (*call, error) {
	target, err := c.target(r)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Accept": {"application/json"}}
	for name, values := range r.Header {
		canonical := http.CanonicalHeaderKey(name)
		if !allowedHeaders[canonical] {
			return nil, errHeader
		}
		header[canonical] = append([]string(nil), values...)
	}
	header.Set("User-Agent", userAgent)
	return &call{traits: traits, method: r.Method, url: target, header: header, body: r.Body}, nil
}

// target joins the base URL, the escaped segments and the query.
func (c *Client) target(r Request) (*url.URL, error) {
	target := *c.base
	path := strings.TrimSuffix(target.Path, "/")
	escaped := strings.TrimSuffix(target.EscapedPath(), "/")
	for _, segment := range r.Path {
		if !sendable(segment) {
			return nil, &commerce.InputError{Field: "id", Code: commerce.CodeInvalid, Message: "must not hold characters that change a path"}
		}
		path += "/" + segment
		escaped += "/" + url.PathEscape(segment)
	}
	target.Path, target.RawPath = path, escaped
	target.RawQuery = r.Query.Encode()
	return &target, nil
}

// sendable refuses what a lax upstream might take for another path even when it
// is escaped: it may decode %2F before it routes.
func sendable(segment string) bool {
	if segment == "" || segment == "." || segment == ".." {
		return false
	}
	return !strings.ContainsFunc(segment, func(r rune) bool {
		return r < 0x20 || r == 0x7f || r == '/' || r == '\\'
	})
}

// request makes the call's HTTP request with a body that fits its access.
func (k *call) request(ctx context.Context) (*http.Request, error) {
	if k.traits.Access == commerce.Write {
		ctx = context.WithValue(ctx, onlyAttempt{}, true)
	}
	req, err := http.NewRequestWithContext(ctx, k.method, k.url.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header = k.header
	if k.traits.Access == commerce.Write {
		req.Body, req.ContentLength = k.onceOnly()
		req.GetBody = nil
	}
	return req, nil
}

// onceOnly is a Write's body. net/http silently repeats a request on another
// connection when a kept-alive one dies, if its method is GET, HEAD, OPTIONS or
// TRACE, or an Idempotency-Key header is there, and its body is empty or can be
// had again. So a Write's body cannot be had again and is empty only for methods
// that net/http does not repeat by themselves; the headers are never sent.
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
