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
	unchanged(c)
}

// SendProof answers an anonymous caller that it has what it asks for, which was proven.
func SendProof(c *fiber.Ctx, proof *cache.Proof) {
	renewalBy(proof).write(c.Response())
	unchanged(c)
}

// SendShared writes a public answer with what caches are told of it at now, or that the
// client has it already.
func SendShared(c *fiber.Ctx, answer *cache.Answer, now time.Time) {
	if r := renewalOf(answer, now); r.etag != "" && NoneMatchOf(c, r.etag) {
		r.write(c.Response())
		unchanged(c)
		return
	}
	tellAnswer(&c.Response().Header, answer, now)
	SendBody(c.Response(), answer)
}

// entityOf is the entity tag of a public answer; empty where it has none.
func entityOf(answer *cache.Answer) string {
	if answer.Entity == nil {
		return ""
	}
	return answer.Entity()[0]
}

// tellAnswer tells caches of a public answer.
func tellAnswer(header *fasthttp.ResponseHeader, answer *cache.Answer, now time.Time) {
	for _, f := range answer.Fields() {
		set(header, f.Name, f.Value)
	}
	age := answer.AgeFieldAt(now)
	set(header, age.Name, age.Value)
	if etag := entityOf(answer); etag != "" {
		set(header, etagField, etag)
	}
}

// renewal is what a 304 says of the answer that the client has: for how long it is good from now
// on. What that was made of is as it was, so the tags to purge it by are not told again.
type renewal struct {
	fields []cache.Field // of the answer
	age    cache.Field
	etag   string // empty where it has none
}

func renewalOf(answer *cache.Answer, now time.Time) renewal {
	return renewal{answer.Fields(), answer.AgeFieldAt(now), entityOf(answer)}
}

func renewalBy(proof *cache.Proof) renewal {
	return renewal{proof.Fields(), proof.AgeField(), proof.Entity()}
}

// matches tells whether an If-None-Match field names the answer.
func (r renewal) matches(field []byte) bool { return r.etag != "" && NoneMatch(field, r.etag) }

func (r renewal) write(to *fasthttp.Response) {
	to.SetStatusCode(fasthttp.StatusNotModified)
	for _, f := range r.fields {
		if f.Name == fiber.HeaderCacheControl {
			set(&to.Header, f.Name, f.Value)
		}
	}
	set(&to.Header, r.age.Name, r.age.Value)
	set(&to.Header, etagField, r.etag)
}

// unchanged makes the answer a 304: without a body, and without what describes the answer that
// the client has (RFC 9110, 15.4.5), which is that of the same market.
func unchanged(c *fiber.Ctx) {
	c.Status(fiber.StatusNotModified)
	header := &c.Response().Header
	for _, name := range ofMarket {
		header.Del(name)
	}
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
