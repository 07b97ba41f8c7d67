package web

import (
	"errors"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Front stands before the server's router: it looks at each request's header, once, before
// anything else does. What must not be served is answered by [Guard], what is kept by quick,
// which may be nil.
func Front(app *fiber.App, quick *Quick) {
	server := app.Server()
	next := server.Handler
	server.Handler = func(c *fasthttp.RequestCtx) {
		// fiber would answer such methods itself, past all that stands before a handler.
		if !slices.Contains(methods, string(c.Method())) {
			server.ErrorHandler(c, errMethod)
			return
		}
		var h head
		h.look(&c.Request.Header)
		if h.last {
			c.SetConnectionClose()
		}
		if err := h.refusal(); err != nil {
			c.SetUserValue(refusalKey{}, err)
		} else if quick.answer(c, &h) {
			return
		}
		next(c)
	}
}

var errMethod = errors.New("unknown method")
