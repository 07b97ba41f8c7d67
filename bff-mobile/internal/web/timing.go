package web

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// Timed tells with each answer that is no problem where the request's time went, unless its
// handler has told. It stands right before the handlers: who the caller is costs time of our own.
func Timed(c *fiber.Ctx) error {
	ctx, sink := commerce.WithSink(c.UserContext())
	ctx, _ = commerce.WithTrail(ctx) // for calls past the cache
	c.SetUserContext(ctx)
	err := c.Next()
	if err == nil && c.Response().StatusCode() < fiber.StatusBadRequest && len(c.Response().Header.Peek(timing.Header)) == 0 {
		TellTime(c, timing.Of(ctx, sink.Lists(nil)), "")
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
