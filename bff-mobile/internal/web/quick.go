package web

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/schema/commerce"
)

// Quick answers what is kept for anonymous callers before anything is routed: it finds the
// answer by the letters of the request, resolves no market and reads no query. Who asks so
// is limited, logged and counted as ever, and gets the same bytes. Whatever it does not
// answer goes the whole way. A nil one answers nothing.
type Quick struct {
	Document *Document      // is answered as well, to everyone; nil is none
	Answers  *cache.Answers // nil keeps nothing
	Limiter  *ratelimit.Limiter
	Observer Observer
	Counted  func() // counts a request that is answered from the ports
	Log      *slog.Logger
}

// NewQuick is q, or nil where requests are traced: their spans belong around all that is done.
func NewQuick(q Quick, spans Spans) *Quick {
	if spans.Tracing() {
		return nil
	}
	return &q
}

// Shown is what has to be known of a kept answer beside the answer itself.
type Shown struct {
	Route    string // the template of the operation that made it
	Market   commerce.Market
	Encoding encoding.Encoding // of the body, as it is kept

	header *fasthttp.ResponseHeader // what the header of such an answer begins with; shared and read-only
}

// headers are what the headers of kept answers begin with, put together once for each market
// and encoding.
var headers sync.Map

// alike is what answers have in common whose headers begin alike.
type alike struct {
	market   commerce.Market
	encoding encoding.Encoding
}

// NewShown is what has to be known of an answer.
func NewShown(route string, market commerce.Market, in encoding.Encoding) *Shown {
	known, ok := headers.Load(alike{market, in})
	if !ok {
		made := new(fasthttp.ResponseHeader)
		tellRequest(made, "")
		tellMarket(made, market)
		tellKept(made, cache.Hit)
		tellEncoding(made, in)
		known, _ = headers.LoadOrStore(alike{market, in}, made)
	}
	header, _ := known.(*fasthttp.ResponseHeader)
	return &Shown{Route: route, Market: market, Encoding: in, header: header}
}

const (
	// maxTarget is how long a request's target may be, in bytes, for it to be known to the letter.
	maxTarget = 1 << 10
	// lettersRoom is room for the letters of most requests, in bytes.
	lettersRoom = 512
)

// lettered are the fields of a header that an answer to an anonymous caller may depend on.
// Of Accept-Encoding it is only what it comes to that counts: there are a hundred ways to
// write it.
var lettered = [...]field{
	fieldChannel, fieldAcceptLanguage, fieldCurrency, fieldCountry, fieldPlatform, fieldDensity, fieldAppVersion,
}

// letters appends all of a request that its answer may depend on, or answers false: it is
// not to be read from what is kept, or not by an anonymous caller, or is too long. Whether
// the client has an answer already is no matter of which one it is.
func (h *head) letters(b []byte, header *fasthttp.RequestHeader) ([]byte, bool) {
	target := header.RequestURI()
	if !header.IsGet() && !header.IsHead() || len(target) > maxTarget || h.refusal() != nil ||
		h.has(fieldAuthorization) || h.again[fieldAcceptEncoding] || h.again[fieldIfNoneMatch] || h.has(fieldIfMatch) || h.has(fieldContentLength) || h.has(fieldTransferEncoding) {
		return nil, false
	}
	var parts [2 + len(lettered)][]byte
	parts[0], parts[1] = target, bytesOf(encoding.Choose(h.first[fieldAcceptEncoding]).String())
	for i, f := range lettered {
		parts[2+i] = h.first[f]
		if n := len(parts[2+i]); n > maxTarget || n == 0 && h.has(f) { // empty is not the same as absent
			return nil, false
		}
	}
	return cache.AppendLetters(b, parts[:]...), true
}

// OfRequest says that the answer's header tells something of the request itself, which
// nobody would who answers it by its letters.
func OfRequest(c *fiber.Ctx) { c.Locals(ofRequestKey, true) }

// Note has an answer found by the letters of the request, if it may be. It answers false
// when not: then it has to be found in another way.
func (q *Quick) Note(c *fiber.Ctx, answer *cache.Answer) bool {
	if q == nil || !answer.Public() || c.Locals(ofRequestKey) != nil {
		return false
	}
	header := &c.Request().Header
	var h head
	h.look(header)
	letters, ok := h.letters(nil, header)
	if ok {
		q.Answers.AliasLetters(letters, answer)
	}
	return ok
}

// answer answers a request, or answers false: then nothing was done.
func (q *Quick) answer(c *fasthttp.RequestCtx, h *head) (done bool) {
	if q == nil {
		return false
	}
	defer func() {
		if r := recover(); r != nil { // fasthttp would end the process
			q.Log.LogAttrs(context.Background(), slog.LevelError, "panic", slog.Any("cause", r), slog.String("stack", string(debug.Stack())))
			c.Response.Reset()
			done = false
		}
	}()
	return q.tell(c, h) || q.answerKept(c, h)
}

// answerKept answers with what is kept under the request's letters, or what is proven by them.
func (q *Quick) answerKept(c *fasthttp.RequestCtx, h *head) bool {
	if q.Answers == nil {
		return false
	}
	var room [lettersRoom]byte
	letters, ok := h.letters(room[:0], &c.Request.Header)
	if !ok {
		return false
	}
	field, now := h.first[fieldIfNoneMatch], c.Time()
	if answer := q.Answers.KeptLetters(letters, now); answer != nil {
		if len(field) > 0 {
			if r := renewalOf(answer, now); r.matches(field) {
				return q.renew(c, h, answer.Of, r, cache.Hit)
			}
		}
		return q.send(c, h, answer, now)
	}
	if len(field) == 0 {
		return false
	}
	proof := q.Answers.ProofLetters(letters, now)
	if proof == nil {
		return false
	}
	r := renewalBy(proof)
	return r.matches(field) && q.renew(c, h, proof.Of(), r, cache.Proven)
}

// send answers with what is kept, unless the budget of the address has nothing left.
func (q *Quick) send(c *fasthttp.RequestCtx, h *head, answer *cache.Answer, now time.Time) bool {
	shown, ok := answer.Of.(*Shown)
	if !ok || !AdmitAddress(q.Limiter, c) {
		return false
	}
	id := requestid.New(viewed(h.first[fieldRequestID]))
	header := &c.Response.Header
	shown.header.CopyTo(header)
	set(header, requestid.Header, id)
	tellAnswer(header, answer, now)
	header.SetContentType(answer.ContentType)
	c.Response.SetBodyRaw(answer.Body)
	q.count(c, id, shown, cache.Hit)
	return true
}

// renew answers that the client has what of tells, unless the budget of the address has
// nothing left.
func (q *Quick) renew(c *fasthttp.RequestCtx, h *head, of any, r renewal, result cache.Result) bool {
	shown, ok := of.(*Shown)
	if !ok || !AdmitAddress(q.Limiter, c) {
		return false
	}
	id := requestid.New(viewed(h.first[fieldRequestID]))
	header := &c.Response.Header
	tellRequest(header, id)
	set(header, fiber.HeaderVary, vary)
	tellKept(header, result)
	r.write(&c.Response)
	q.count(c, id, shown, result)
	return true
}

// count tells about a request that was answered as result.
func (q *Quick) count(c *fasthttp.RequestCtx, id string, shown *Shown, result cache.Result) {
	q.Answers.Count(result)
	q.Counted()
	q.observe(c, id, shown.Route, result)
}

func (q *Quick) observe(c *fasthttp.RequestCtx, id, route string, result cache.Result) {
	method := fiber.MethodGet
	if c.IsHead() {
		method = fiber.MethodHead
	}
	now := time.Now()
	q.Observer.ObserveRequest(context.Background(), telemetry.Request{
		Method: method, Route: route, Status: c.Response.StatusCode(), Duration: now.Sub(c.Time()), At: now,
		Bytes: int64(len(c.Response.Body())), RequestID: id, Answer: string(result),
	})
}

// SendBody writes an answer's body with what it is.
func SendBody(to *fasthttp.Response, answer *cache.Answer) {
	if shown, ok := answer.Of.(*Shown); ok {
		tellEncoding(&to.Header, shown.Encoding)
	}
	to.Header.SetContentType(answer.ContentType)
	to.SetBodyRaw(answer.Body)
}

// set sets a field whose name is written as fasthttp writes it: "X-Request-Id".
func set(header *fasthttp.ResponseHeader, name, value string) {
	header.SetCanonical(bytesOf(name), bytesOf(value))
}
