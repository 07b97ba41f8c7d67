package web

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
)

// The server's own times. A request's deadline is shorter than writeTimeout.
const (
	readTimeout  = 5 * time.Second
	writeTimeout = 15 * time.Second
	idleTimeout  = 30 * time.Second
)

// writeBuffer holds nearly every screen with its header: what does not fit costs the kernel
// a second call, which is a quarter of what a kept answer costs in all. Each connection has one.
const writeBuffer = 8 << 10

// methods that are known. Whoever stands before may take what follows a CONNECT
// for a tunnel, and TRACE would tell what was sent; neither is for us.
var methods = []string{
	fiber.MethodGet, fiber.MethodHead, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete, fiber.MethodOptions,
}

// NewServer is a fiber app that keeps nothing of a request's memory, routes
// strictly, bounds what it reads and answers every error as a problem.
func NewServer(to Observer) *fiber.App {
	return fiber.New(fiber.Config{
		AppName:                      "portico-mobile",
		Immutable:                    true,
		StrictRouting:                true,
		CaseSensitive:                true,
		BodyLimit:                    limits.MaxMobileBody,
		ReadBufferSize:               limits.MaxHeaderBytes,
		WriteBufferSize:              writeBuffer,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		DisableStartupMessage:        true,
		DisablePreParseMultipartForm: true,
		RequestMethods:               methods,
		ErrorHandler:                 broken(to),
	})
}

// broken answers what never reached a handler: fasthttp could not read it. Where
// the next request would begin is unknown, so the connection is closed; what the
// client still sends is read for a moment, so that it can read the answer.
func broken(to Observer) fiber.ErrorHandler {
	return func(c *fiber.Ctx, err error) error {
		if seen, _ := c.Locals(seenKey).(bool); seen {
			Fail(c, err)
			return nil
		}
		id := requestid.New("")
		ctx := requestid.With(context.Background(), id)
		c.SetUserContext(ctx)
		c.Set(requestid.Header, id)
		c.Context().SetConnectionClose()
		if conn, ok := c.Context().Conn().(interface{ Linger() }); ok {
			conn.Linger()
		}
		Fail(c, err)
		to.ObserveRequest(ctx, telemetry.Request{Method: "_OTHER", Route: "unreadable", Status: c.Response().StatusCode(), RequestID: id})
		return nil
	}
}
