package web

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
)

// Spans is where requests' spans come from.
type Spans interface {
	Tracing() bool
	StartRequest(ctx context.Context, method string, headers telemetry.TraceHeaders) (context.Context, telemetry.RequestSpan)
}

// Trace gives each request its span, within the trace that its headers name. It
// stands outside [Observe], so that the request's log line names the trace. Where
// traces are off it does nothing.
func Trace(spans Spans) fiber.Handler {
	if !spans.Tracing() {
		return func(c *fiber.Ctx) error { return c.Next() }
	}
	return func(c *fiber.Ctx) error {
		ctx, span := spans.StartRequest(c.UserContext(), c.Method(), telemetry.TraceHeaders{
			Traceparent: lines(c, "Traceparent"), Tracestate: lines(c, "Tracestate"),
		})
		c.SetUserContext(ctx)
		err := c.Next()
		span.End(route(c), c.Response().StatusCode(), requestid.From(c.UserContext()))
		return err
	}
}

// lines are copies of a header's values, in their order.
func lines(c *fiber.Ctx, name string) []string {
	var list []string
	for _, value := range c.Request().Header.PeekAll(name) {
		list = append(list, string(value))
	}
	return list
}
