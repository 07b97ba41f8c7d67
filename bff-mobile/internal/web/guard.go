// Package web is what every request of the mobile channel passes before its
// handler, and what every answer gets: fiber on fasthttp, made strict.
package web

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/schema/commerce"
)

// singletons are request headers that mean nothing, or something dangerous, when
// they are there twice.
var singletons = map[string]bool{
	"host": true, "content-length": true, "transfer-encoding": true, "content-type": true, "content-encoding": true,
	"authorization": true, "idempotency-key": true, "x-order-token": true, "x-channel": true, "x-currency": true, "x-country": true,
}

var versions = map[string]bool{"HTTP/1.1": true, "HTTP/1.0": true}

// Guard refuses requests that fasthttp lets through although servers and proxies
// disagree on where they end or whom they are for, and closes their connection:
// Content-Length together with Transfer-Encoding, encodings but chunked, versions
// but 1.0 and 1.1, names that are no tokens, lines without CRLF, singletons that
// are repeated, odd hosts and targets, trailers. A chunked request is answered,
// then its connection is closed. Encoded bodies are refused before anything
// inflates them.
func Guard(c *fiber.Ctx) error {
	header := &c.Request().Header
	seen, ok := scan(header.RawHeaders())
	if !ok || !framed(header, seen) || !aimed(header) {
		c.Context().SetConnectionClose()
		return &problem.Error{Type: problem.Invalid, Detail: "the request's header is malformed"}
	}
	if seen["transfer-encoding"] > 0 || leaving(header.Peek(fiber.HeaderConnection)) {
		c.Context().SetConnectionClose()
	}
	if seen["content-encoding"] > 0 {
		return &problem.Error{Type: problem.MediaType, Field: fiber.HeaderContentEncoding, Detail: "Content-Encoding: must not be used"}
	}
	return c.Next()
}

// framed tells whether it is clear where the request ends.
func framed(header *fasthttp.RequestHeader, seen map[string]int) bool {
	if !versions[string(header.Protocol())] {
		return false
	}
	if seen["transfer-encoding"] == 0 {
		return true
	}
	return seen["content-length"] == 0 && !trailers(header, seen)
}

// trailers tells whether fields came behind a chunked body: fasthttp adds them to
// the header, past all that was checked there.
func trailers(header *fasthttp.RequestHeader, seen map[string]int) bool {
	have := map[string]int{}
	for name := range header.All() {
		key := strings.ToLower(string(name))
		if have[key]++; have[key] > seen[key] {
			return true
		}
	}
	return false
}

var plainHost = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// aimed tells whether a request is for the host that it names: a target is a path,
// or the whole address of the same host.
func aimed(header *fasthttp.RequestHeader) bool {
	host := string(header.Host())
	if host != "" && !plainHost.MatchString(host) {
		return false
	}
	target := string(header.RequestURI())
	if strings.Contains(target, "#") {
		return false
	}
	if strings.HasPrefix(target, "/") || target == "*" && string(header.Method()) == fiber.MethodOptions {
		return true
	}
	scheme, rest, _ := strings.Cut(target, "://")
	authority, _, _ := strings.Cut(rest, "/")
	authority, _, _ = strings.Cut(authority, "?")
	return (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")) && host != "" && strings.EqualFold(authority, host)
}

// leaving tells whether close is one of the options of Connection.
func leaving(connection []byte) bool {
	for option := range strings.SplitSeq(string(connection), ",") {
		if strings.EqualFold(strings.TrimSpace(option), "close") {
			return true
		}
	}
	return false
}

// scan counts header lines by name; it is not ok when one of them is none.
func scan(raw []byte) (seen map[string]int, ok bool) {
	seen = map[string]int{}
	for line := range bytes.Lines(raw) {
		line, ended := bytes.CutSuffix(line, []byte("\r\n"))
		if !ended {
			return nil, false
		}
		if len(line) == 0 {
			continue
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || !token(name) {
			return nil, false
		}
		key := strings.ToLower(string(name))
		if key == "transfer-encoding" && !bytes.EqualFold(bytes.Trim(value, " \t"), []byte("chunked")) {
			return nil, false
		}
		if seen[key]++; seen[key] > 1 && singletons[key] {
			return nil, false
		}
	}
	return seen, true
}

// token tells whether name is a token of RFC 9110.
func token(name []byte) bool {
	for _, b := range name {
		switch {
		case b >= '0' && b <= '9', b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z':
		case bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), b) >= 0:
		default:
			return false
		}
	}
	return len(name) > 0
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
