// Package web is what every request of the mobile channel passes before its
// handler, and what every answer gets: fiber on fasthttp, made strict.
package web

import (
	"bytes"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/schema/commerce"
)

// head is what is known of a request before anything is routed, and what has to become of
// it. What was sent is views of the request's memory.
type head struct {
	sent
	malformed bool // servers and proxies may disagree on where it ends or whom it is for
	last      bool // it is answered, then its connection is closed
}

// look reads a request's header once. It allocates nothing, but for chunked bodies.
//
// Malformed are Content-Length together with Transfer-Encoding, encodings but chunked,
// versions but 1.0 and 1.1, names that are no tokens, lines without CRLF, singletons
// that are repeated, odd hosts and targets, and trailers: requests that fasthttp lets
// through.
func (h *head) look(header *fasthttp.RequestHeader) {
	raw := header.RawHeaders()
	h.malformed = !h.read(raw) || !versioned(header) || !aimed(header) ||
		h.has(fieldTransferEncoding) && trailers(header, raw)
	h.last = h.malformed || h.leave || h.has(fieldTransferEncoding)
}

// refusal is why the request is not served, or nil. Encoded bodies are refused before
// anything inflates them.
func (h *head) refusal() error {
	switch {
	case h.malformed:
		return errMalformed
	case h.has(fieldContentEncoding):
		return errEncoded
	default:
		return nil
	}
}

var (
	errMalformed = &problem.Error{Type: problem.Invalid, Detail: "the request's header is malformed"}
	errEncoded   = &problem.Error{Type: problem.MediaType, Field: fiber.HeaderContentEncoding, Detail: "Content-Encoding: must not be used"}
)

// refusalKey is under what a request that is not served carries why.
type refusalKey struct{}

// Guard answers requests that [Front] found not fit to be served. It stands behind what
// tells about requests, so that these are told of, too.
func Guard(c *fiber.Ctx) error {
	if err, refused := c.Context().UserValue(refusalKey{}).(error); refused {
		return err
	}
	return c.Next()
}

func versioned(header *fasthttp.RequestHeader) bool {
	version := header.Protocol()
	return string(version) == "HTTP/1.1" || string(version) == "HTTP/1.0"
}

// trailers tells whether fields came behind a chunked body: fasthttp adds them to the
// header, past all that was checked there.
func trailers(header *fasthttp.RequestHeader, raw []byte) bool {
	count := map[string]int{}
	for line := range bytes.Lines(raw) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		count[strings.ToLower(string(name))]++
	}
	for name := range header.All() {
		key := strings.ToLower(string(name))
		if count[key]--; count[key] < 0 {
			return true
		}
	}
	return false
}

// aimed tells whether a request is for the host that it names: a target is a path,
// or the whole address of the same host.
func aimed(header *fasthttp.RequestHeader) bool {
	host, target := header.Host(), header.RequestURI()
	if len(host) > 0 && !plainHost(host) || bytes.IndexByte(target, '#') >= 0 {
		return false
	}
	if bytes.HasPrefix(target, []byte("/")) || string(target) == "*" && string(header.Method()) == fiber.MethodOptions {
		return true
	}
	scheme, rest, _ := bytes.Cut(target, []byte("://"))
	authority, _, _ := bytes.Cut(rest, []byte("/"))
	authority, _, _ = bytes.Cut(authority, []byte("?"))
	web := bytes.EqualFold(scheme, []byte("http")) || bytes.EqualFold(scheme, []byte("https"))
	return web && len(host) > 0 && bytes.EqualFold(authority, host)
}

// plainHost tells whether host is a name, an IPv4 address, or an IPv6 address in
// brackets, with or without a port.
func plainHost(host []byte) bool {
	name := host
	if i := bytes.LastIndexByte(host, ':'); i >= 0 && host[len(host)-1] != ']' {
		port := host[i+1:]
		name = host[:i]
		if len(port) < 1 || len(port) > 5 || !all(port, digit) {
			return false
		}
	}
	if n := len(name); n > 2 && name[0] == '[' && name[n-1] == ']' {
		return all(name[1:n-1], ofIPv6)
	}
	return len(name) > 0 && all(name, ofName)
}

func all(text []byte, is func(byte) bool) bool {
	for _, b := range text {
		if !is(b) {
			return false
		}
	}
	return true
}

func digit(b byte) bool  { return '0' <= b && b <= '9' }
func ofIPv6(b byte) bool { return digit(b) || 'a' <= b|0x20 && b|0x20 <= 'f' || b == ':' || b == '.' }

func ofName(b byte) bool {
	return digit(b) || 'a' <= b|0x20 && b|0x20 <= 'z' || b == '.' || b == '_' || b == '-'
}

// JSONBody is the body of a write: application/json in UTF-8. An absent body is
// empty, whatever its type.
func JSONBody(c *fiber.Ctx) ([]byte, error) {
	body := c.Request().Body() // never c.Body(), which inflates
	if len(body) == 0 {
		return nil, nil
	}
	kind, params, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
	params = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(params), `"`, ""))
	if !strings.EqualFold(strings.TrimSpace(kind), fiber.MIMEApplicationJSON) || params != "" && params != "charset=utf-8" {
		return nil, &problem.Error{Type: problem.MediaType, Field: fiber.HeaderContentType, Detail: "Content-Type: must be application/json"}
	}
	return bytes.Clone(body), nil
}

// NoBody refuses a body where none is meant.
func NoBody(c *fiber.Ctx) error {
	if len(c.Request().Body()) > 0 {
		return &commerce.InputError{Field: "body", Code: commerce.CodeUnsupported, Message: "must be empty"}
	}
	return nil
}
