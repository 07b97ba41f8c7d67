// Package web is what every request of the mobile channel passes before its
// handler, and what every answer gets: fiber on fasthttp, made strict.
package web

import (
	"bytes"
	"strings"

	"github.com/gofiber/fiber/v2"

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
// disagree on where they end, and closes their connection: Content-Length
// together with Transfer-Encoding, encodings but chunked, versions but 1.0 and 1.1,
// names that are no tokens, singletons that are repeated. A chunked request is answered, then its connection is closed. Encoded
// bodies are refused before anything inflates them.
func Guard(c *fiber.Ctx) error {
	header := &c.Request().Header
	seen, ok := scan(header.RawHeaders())
	if !ok || seen["content-length"] && seen["transfer-encoding"] || !versions[string(header.Protocol())] {
		c.Context().SetConnectionClose()
		return &problem.Error{Type: problem.Invalid, Detail: "the request's header is malformed"}
	}
	if seen["transfer-encoding"] {
		c.Context().SetConnectionClose()
	}
	if seen["content-encoding"] {
		return &problem.Error{Type: problem.MediaType, Field: fiber.HeaderContentEncoding, Detail: "Content-Encoding: must not be used"}
	}
	return c.Next()
}

// scan reads header lines; it is not ok when one of them is none.
func scan(raw []byte) (seen map[string]bool, ok bool) {
	seen = map[string]bool{}
	for line := range bytes.Lines(raw) {
		line = bytes.TrimRight(line, "\r\n")
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
		if seen[key] && singletons[key] {
			return nil, false
		}
		seen[key] = true
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
