package transport

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/portico-bff/portico/schema/commerce"
)

// call is one call on its way through the layers.
type call struct {
	traits    commerce.Traits
	operation *operation
	method    string
	url       url.URL
	header    http.Header // the connector's; each attempt makes its own of it
	body      []byte
	read      func(*Response) error // the connector's look at the answer; may be nil

	record      *commerce.CallRecord // for who waits; nil when nobody keeps a trail
	tries       int                  // attempts that the retry loop has begun
	attempts    atomic.Int32         // attempts that were handed to the wire, hedges included
	status      int                  // of the last answer; 0 when there was none
	hedged      atomic.Bool
	budgetSpent bool // a retry that could have helped was refused
}

// outcomes are what happened on the way to the answer.
func (k *call) outcomes() []commerce.Reason {
	var happened []commerce.Reason
	if k.tries > 1 {
		happened = append(happened, commerce.ReasonRetried)
	}
	if k.hedged.Load() {
		happened = append(happened, commerce.ReasonHedged)
	}
	return happened
}

type callKey struct{}

// callOf is the call that an attempt's request belongs to. It travels in the
// context because the retry loop passes nothing else on.
func callOf(ctx context.Context) *call {
	k, _ := ctx.Value(callKey{}).(*call)
	return k
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
	for name := range r.Header {
		if !allowedHeaders[http.CanonicalHeaderKey(name)] {
			return nil, errHeader
		}
	}
	return &call{
		traits: traits, operation: c.operationOf(traits.Operation, r.Step),
		method: r.Method, url: target, header: r.Header, body: r.Body, read: r.Read,
	}, nil
}

// target joins the base URL, the escaped segments and the query.
func (c *Client) target(r Request) (url.URL, error) {
	plain := true
	for _, segment := range r.Path {
		if !sendable(segment) {
			return url.URL{}, &commerce.InputError{Field: "id", Code: commerce.CodeInvalid, Message: "must not hold characters that change a path"}
		}
		plain = plain && url.PathEscape(segment) == segment
	}
	target := *c.base
	escaped := target.EscapedPath()
	target.Path = joinPath(target.Path, r.Path)
	target.RawPath = target.Path
	if !plain || escaped != c.base.Path {
		segments := make([]string, len(r.Path))
		for i, segment := range r.Path {
			segments[i] = url.PathEscape(segment)
		}
		target.RawPath = joinPath(escaped, segments)
	}
	target.RawQuery = r.Query.Encode()
	return target, nil
}

// joinPath writes segments behind base.
func joinPath(base string, segments []string) string {
	base = strings.TrimSuffix(base, "/")
	size := len(base)
	for _, segment := range segments {
		size += len("/") + len(segment)
	}
	var path strings.Builder
	path.Grow(size)
	path.WriteString(base)
	for _, segment := range segments {
		path.WriteByte('/')
		path.WriteString(segment)
	}
	return path.String()
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

// noHeader is for requests that are only looped: what is sent has its own.
var noHeader = http.Header{}

// request is what the retry loop repeats: the attempt layers make the request
// that is sent from the call in its context.
func (k *call) request(ctx context.Context) *http.Request {
	r := &http.Request{Method: k.method, URL: &k.url, Host: k.url.Host, Header: noHeader}
	return r.WithContext(context.WithValue(ctx, callKey{}, k))
}
