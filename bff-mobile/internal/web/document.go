package web

import (
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
	"github.com/portico-bff/portico/edge/requestid"
)

// Document is an answer that is made beforehand, once in each coding, and is the same for
// everyone, whatever else a request says.
type Document struct {
	Path string
	// Edition is what the answer is now, to who asks for a coding.
	Edition func(asked encoding.Encoding) *Edition
}

// Edition is a document in one coding.
type Edition struct {
	Body     []byte
	Encoding encoding.Encoding // of the body
	Tag      string            // strong, with its quotes
	Control  string            // who may keep it, and for how long
}

// Register answers GET and HEAD of the document's path with it, as [Quick] does.
func (d *Document) Register(app *fiber.App) {
	app.Get(d.Path, func(c *fiber.Ctx) error {
		sendEdition(c.Context(), d.Edition(EncodingOf(c)))
		return nil
	})
}

// sendEdition answers with e, or that the client has it already.
func sendEdition(c *fasthttp.RequestCtx, e *Edition) {
	header := &c.Response.Header
	set(header, fiber.HeaderCacheControl, e.Control)
	set(header, fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	set(header, etagField, e.Tag)
	if noneMatch(&c.Request.Header, e.Tag) {
		c.Response.SetStatusCode(fasthttp.StatusNotModified)
		return
	}
	tellEncoding(header, e.Encoding)
	header.SetContentType(fiber.MIMEApplicationJSON)
	c.Response.SetBodyRaw(e.Body)
}

// tell answers with the document if that is what is asked for to the letter, or answers false.
func (q *Quick) tell(c *fasthttp.RequestCtx, h *head) bool {
	header := &c.Request.Header
	if q.Document == nil || string(header.RequestURI()) != q.Document.Path || !header.IsGet() && !header.IsHead() || h.again[fieldAcceptEncoding] {
		return false
	}
	id := requestid.New(viewed(h.first[fieldRequestID]))
	tellRequest(&c.Response.Header, id)
	sendEdition(c, q.Document.Edition(encoding.Choose(h.first[fieldAcceptEncoding])))
	q.observe(c, id, q.Document.Path, "")
	return true
}
