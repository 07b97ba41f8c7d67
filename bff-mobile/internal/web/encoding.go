package web

import (
	"bytes"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
)

// EncodingOf is the coding that a request asks for its answer.
func EncodingOf(c *fiber.Ctx) encoding.Encoding {
	lines := c.Request().Header.PeekAll(fiber.HeaderAcceptEncoding)
	if len(lines) == 1 {
		return encoding.Choose(lines[0])
	}
	return encoding.Choose(bytes.Join(lines, []byte(",")))
}

// SendEncoded writes data, which is JSON in a coding, as the body of an answer.
func SendEncoded(c *fiber.Ctx, data []byte, in encoding.Encoding) {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	tellEncoding(&c.Response().Header, in)
	c.Response().SetBodyRaw(data)
}

// tellEncoding tells how the body is encoded, if it is.
func tellEncoding(header *fasthttp.ResponseHeader, in encoding.Encoding) {
	if in != encoding.Identity {
		set(header, fiber.HeaderContentEncoding, in.String())
	}
}
