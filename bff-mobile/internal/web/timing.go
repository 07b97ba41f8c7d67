package web

import (
	"cmp"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// Timed tells with each answer that is no problem where the request's time went, unless its
// handler has told, and notes it of all. It stands right before the handlers: who the caller is costs time of our own.
func Timed(c *fiber.Ctx) error {
	ctx, sink := commerce.WithSink(c.UserContext())
	ctx, _ = commerce.WithTrail(ctx) // for calls past the cache
	c.SetUserContext(ctx)
	err := c.Next()
	switch {
	case err == nil && len(c.Response().Header.Peek(timing.Header)) > 0:
	case err == nil && c.Response().StatusCode() < fiber.StatusBadRequest:
		TellTime(c, timing.Of(ctx, sink.Lists(nil)), "")
	default:
		noteSpent(c, cmp.Or(timing.OfError(err), timing.Of(ctx, sink.Lists(nil))))
	}
	return err
}

// TellTime tells where the request's time went when spent is what making its answer took,
// which may be nil, and the answer cache was used as result says.
func TellTime(c *fiber.Ctx, spent *timing.Elapsed, result cache.Result) {
	if result == cache.Hit || result == cache.Proven {
		tellKept(&c.Response().Header, result)
		return
	}
	noteSpent(c, spent)
	set(&c.Response().Header, timing.Header, spent.Text(c.Context().Time(), time.Now(), result))
}

// tellKept is [TellTime] of an answer that was kept, or proven: nothing was waited for.
func tellKept(header *fasthttp.ResponseHeader, result cache.Result) {
	said := timing.Hit
	if result == cache.Proven {
		said = timing.Proven
	}
	set(header, timing.Header, said)
}
