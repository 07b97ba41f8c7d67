package web

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/edge/limits"
)

// Front stands before the server's router: it looks at each request's header, once, before
// anything else does. What must not be served is answered by [Guard]. What is kept is
// answered by quick, which may be nil. The rest is served when gate lets it in; what it does
// not is refused at next to no cost.
func Front(app *fiber.App, quick *Quick, gate *Gate) {
	server := app.Server()
	next := server.Handler
	server.Handler = func(c *fasthttp.RequestCtx) {
		var h head
		h.look(&c.Request.Header)
		at := c.Time() // which is now, where nothing was waited for
		switch err := h.refusal(); {
		case !slices.Contains(methods, string(c.Method())):
			server.ErrorHandler(c, errMethod) // fiber would answer such methods itself, past all that stands before a handler
		case err != nil:
			c.SetUserValue(refusalKey{}, err)
			next(c)
		case !quick.answer(c, &h):
			gate.serve(c, &h, next)
			at = time.Now()
		}
		if h.last { // a handler that names another option of Connection would have taken it back
			c.SetConnectionClose()
		}
		if timed, ok := c.Conn().(*conn); ok {
			timed.answer(at)
		}
	}
}

var errMethod = errors.New("unknown method")

// classOf tells how much a request would be missed. Cheap is what asks no system: our own
// pages, and what no operation answers.
func classOf(c *fasthttp.RequestCtx) limits.Class {
	path, header := c.URI().PathOriginal(), &c.Request.Header
	switch {
	case !bytes.HasPrefix(path, []byte("/v1/")), string(path) == "/v1/config":
		return limits.Cheap
	case header.IsGet(), header.IsHead(), header.IsOptions():
		return limits.Read
	case header.IsPost() && bytes.HasSuffix(path, []byte("/order")):
		return limits.Order
	default:
		return limits.Write
	}
}
