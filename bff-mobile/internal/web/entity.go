package web

import (
	"bytes"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/cache"
)

// maxNoneMatch is how much of an If-None-Match field is looked at, in bytes. More asks for
// nothing: the answer is 200.
const maxNoneMatch = 512

const etagField = "Etag" // as fasthttp writes it

// Conditional tells whether a request has an If-None-Match field.
func Conditional(c *fiber.Ctx) bool {
	return len(c.Request().Header.Peek(fiber.HeaderIfNoneMatch)) > 0
}

// NoneMatchOf is [NoneMatch] of a request, in whose header the field may be in several lines.
func NoneMatchOf(c *fiber.Ctx, etag string) bool { return noneMatch(&c.Request().Header, etag) }

func noneMatch(header *fasthttp.RequestHeader, etag string) bool {
	lines := header.PeekAll(fiber.HeaderIfNoneMatch)
	if len(lines) == 1 {
		return NoneMatch(lines[0], etag)
	}
	return NoneMatch(bytes.Join(lines, []byte(",")), etag)
}

// SendUnchanged answers that the client has what it asks for: etag is its tag, and control
// says who may keep it.
func SendUnchanged(c *fiber.Ctx, etag, control string) {
	set(&c.Response().Header, etagField, etag)
	set(&c.Response().Header, fiber.HeaderCacheControl, control)
	unchanged(c.Response())
}

// SendProof answers an anonymous caller that it has what it asks for, which was proven.
func SendProof(c *fasthttp.RequestCtx, proof *cache.Proof) {
	tell(&c.Response.Header, proof.Fields(), proof.AgeField(), proof.Entity())
	unchanged(&c.Response)
}

// SendShared writes a public answer with what caches are told of it at now, or that the
// client has it already.
func SendShared(c *fasthttp.RequestCtx, answer *cache.Answer, now time.Time) {
	etag := ""
	if answer.Entity != nil {
		etag = answer.Entity()[0]
	}
	tell(&c.Response.Header, answer.Fields(), answer.AgeFieldAt(now), etag)
	if etag != "" && noneMatch(&c.Request.Header, etag) {
		unchanged(&c.Response)
		return
	}
	SendBody(&c.Response, answer)
}

// tell tells caches of a public answer. It may have no tag.
func tell(header *fasthttp.ResponseHeader, fields []cache.Field, age cache.Field, etag string) {
	for _, f := range fields {
		set(header, f.Name, f.Value)
	}
	set(header, age.Name, age.Value)
	if etag != "" {
		set(header, etagField, etag)
	}
}

// unchanged makes the answer a 304: without a body, and without what would describe one (RFC
// 9110, 15.4.5).
func unchanged(to *fasthttp.Response) {
	to.SetStatusCode(fasthttp.StatusNotModified)
	to.Header.Del(fiber.HeaderContentLanguage)
}

// NoneMatch tells whether an If-None-Match field names etag, a strong entity tag with its
// quotes: then the answer is 304. Tags are compared weakly, as RFC 9110 (13.1.2) wants it
// here; * matches everything. What is no list of tags matches nothing from there on.
func NoneMatch(field []byte, etag string) bool {
	if len(field) > maxNoneMatch {
		return false
	}
	field = bytes.TrimSpace(field)
	if string(field) == "*" {
		return true
	}
	for len(field) > 0 {
		tag, rest, ok := cutTag(field)
		if !ok {
			return false
		}
		if string(tag) == etag {
			return true
		}
		field = rest
	}
	return false
}

// cutTag cuts the first entity tag of a list off, without its weakness.
func cutTag(list []byte) (tag, rest []byte, ok bool) {
	list = bytes.TrimLeft(list, ", \t")
	list = bytes.TrimPrefix(list, []byte("W/"))
	if len(list) == 0 || list[0] != '"' {
		return nil, nil, false
	}
	end := bytes.IndexByte(list[1:], '"')
	if end < 0 {
		return nil, nil, false
	}
	return list[:end+2], list[end+2:], true
}
