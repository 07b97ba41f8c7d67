package rest

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/schema/commerce"
)

const maxIfMatch = 512 // bytes

// condition is what If-Match says a cart has to be for a write to happen (RFC 9110, 13.1.1). The
// zero value asks for nothing.
type condition struct {
	any  bool     // "*": that there is one
	tags []string // strong ones, of which one has to be the cart's; weak ones match nothing
	set  bool
}

// ifMatch reads If-Match, which may be there in several lines.
func ifMatch(c *fiber.Ctx) (condition, error) {
	lines := c.Request().Header.PeekAll(fiber.HeaderIfMatch)
	if len(lines) == 0 {
		return condition{}, nil
	}
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = string(line)
	}
	text := strings.Join(texts, ",")
	if len(text) > maxIfMatch {
		return condition{}, &commerce.InputError{Field: fiber.HeaderIfMatch, Code: commerce.CodeTooLong, Message: "must be at most 512 bytes long"}
	}
	if strings.Trim(text, " \t") == "*" {
		return condition{set: true, any: true}, nil
	}
	tags, ok := strongTags(text)
	if !ok {
		return condition{}, &commerce.InputError{Field: fiber.HeaderIfMatch, Code: commerce.CodeInvalid, Message: "must be * or entity tags in quotes, separated by commas"}
	}
	return condition{set: true, tags: tags}, nil
}

// strongTags are the strong ones of a list of entity tags, in quotes; not ok when it is no such list.
func strongTags(list string) (tags []string, ok bool) {
	seen := false
	for rest := list; ; {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return tags, seen
		}
		if rest[0] == ',' { // an empty item means nothing
			rest = rest[1:]
			continue
		}
		opaque, weak := strings.CutPrefix(rest, "W/")
		if opaque == "" || opaque[0] != '"' {
			return nil, false
		}
		end := strings.IndexByte(opaque[1:], '"') + 2
		if end < 2 || !etagChars(opaque[1:end-1]) {
			return nil, false
		}
		if seen = true; !weak {
			tags = append(tags, opaque[:end])
		}
		rest = strings.TrimLeft(opaque[end:], " \t")
		if rest != "" && rest[0] != ',' {
			return nil, false
		}
	}
}

// etagChars tells whether text may stand between the quotes of an entity tag.
func etagChars(text string) bool {
	for i := range len(text) {
		if b := text[i]; b < 0x21 || b == 0x7f {
			return false
		}
	}
	return true
}

// holds tells whether a cart is what was asked for.
func (cond condition) holds(etag string) bool {
	if cond.any {
		return true
	}
	for _, tag := range cond.tags {
		if tag == etag {
			return true
		}
	}
	return false
}

// text is the condition in one form, for a write's fingerprint; empty for none.
func (cond condition) text() string {
	if cond.any {
		return "*"
	}
	if cond.set {
		return "=" + strings.Join(cond.tags, ",")
	}
	return ""
}

// etagOf is the entity tag of a cart as a resource.
func etagOf(cart *commerce.Cart) string { return `"` + cart.Version() + `"` }

// tagOf is the entity tag of what a write answers; empty for what has none.
func tagOf(body any) string {
	if cart, ok := body.(api.Cart); ok {
		return `"` + cart.Version + `"`
	}
	return ""
}

// changedTo is the entity tag of what there is instead of what If-Match named; empty for other errors.
func changedTo(err error) string {
	if changed, ok := errors.AsType[*changedError](err); ok {
		return changed.etag
	}
	return ""
}

// changedError is that a cart is not what If-Match said.
type changedError struct {
	what *problem.Error
	etag string // what it is
}

// Error is what clients are told.
func (e *changedError) Error() string { return e.what.Error() }

// Unwrap gives it its type.
func (e *changedError) Unwrap() error { return e.what }

// guarded is a change of a cart that happens only while the cart is what cond says: read,
// compared and changed in one turn, so that nobody changes it in between.
func (a *API) guarded(cond condition, ch change) change {
	if !cond.set {
		return ch
	}
	do := ch.run
	ch.run = func(ctx context.Context, s commerce.Shopper) (int, any, error) {
		ctx, release, err := a.Turns.Hold(ctx, s, ch.cart)
		if err != nil {
			return 0, nil, err
		}
		defer release()
		cart, err := a.Ports.Carts.Cart(ctx, s, ch.cart)
		if err != nil {
			return 0, nil, err
		}
		if etag := etagOf(cart); !cond.holds(etag) {
			return 0, nil, &changedError{&problem.Error{
				Type: problem.Precondition, Field: fiber.HeaderIfMatch, Detail: "If-Match: the cart has changed; ETag names what it is now",
			}, etag}
		}
		return do(ctx, s)
	}
	ch.more++
	return ch
}
