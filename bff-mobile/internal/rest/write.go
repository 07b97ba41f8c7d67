package rest

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/schema/commerce"
)

// change is a write that was checked and may run.
type change struct {
	operation string          // the contract's operationId
	cart      commerce.CartID // empty for the write that opens one
	guess     bool            // of something that could be found by trying
	edits     bool            // the cart, so that If-Match can be asked of it
	reads     bool            // and changes nothing, so that it needs no key
	more      int             // calls of systems beside its own
	run       func(ctx context.Context, s commerce.Shopper) (status int, body any, err error)
}

// write runs a change once per Idempotency-Key, which only what changes nothing can do without.
func (a *API) write(c *fiber.Ctx, ch change) error {
	if q := readQuery(c, ch.operation); q.err != nil {
		return q.err
	}
	cond, err := ifMatch(c)
	switch {
	case err != nil:
		return err
	case cond.set && !ch.edits: // to ignore it would be to break a promise
		return &commerce.InputError{Field: fiber.HeaderIfMatch, Code: commerce.CodeUnsupported, Message: "is not known by this write"}
	}
	ch = a.guarded(cond, ch)
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	caller := web.CallerOf(c)
	do := ch.run
	ch.run = func(ctx context.Context, s commerce.Shopper) (int, any, error) {
		if err := ch.charge(c); err != nil { // here: what is replayed is neither a call nor a try
			return 0, nil, err
		}
		status, body, err := do(ctx, s)
		return status, body, named(err, writeNames)
	}
	key := c.Get(idempotency.Header)
	if ch.reads && len(c.Request().Header.PeekAll(idempotency.Header)) == 0 { // an empty key is one that went wrong
		status, body, err := ch.run(c.UserContext(), caller.Shopper)
		if err != nil {
			return err
		}
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		return sendBytes(c, status, fiber.MIMEApplicationJSON, data)
	}
	if _, err := commerce.ParseIdempotencyKey(idempotency.Header, key); err != nil {
		return err
	}
	return a.once(c, caller.Shopper, key, ch, cond)
}

// once answers a change through the idempotency store. Problems are answers as
// well: a refused write is refused again, with the same words.
func (a *API) once(c *fiber.Ctx, s commerce.Shopper, key string, ch change, cond condition) error {
	var failed *problem.Problem
	var cause error
	request := idempotency.Request{Principal: s.Principal, Operation: ch.operation, Key: key, Body: fingerprint(c, s.Market, cond)}
	if s.Principal.Anonymous() {
		request.Guest = string(ch.cart)
	}
	id := requestid.From(c.UserContext())
	answer, replayed, err := a.Idempotency.Do(c.UserContext(), request, func(ctx context.Context) (idempotency.Answer, error) {
		status, body, err := ch.run(ctx, s)
		var data []byte
		if err == nil {
			data, err = json.Marshal(body)
		}
		if err != nil {
			p := problem.From(err, id)
			failed, cause = &p, err
			return idempotency.Answer{Status: p.Status, ContentType: problem.ContentType, ETag: changedTo(err), Body: p.JSON()}, nil
		}
		return idempotency.Answer{Status: status, ContentType: fiber.MIMEApplicationJSON, ETag: tagOf(body), Body: data}, nil
	})
	if err == nil && answer.ETag != "" {
		c.Set(fiber.HeaderETag, answer.ETag)
	}
	switch {
	case err != nil:
		return err
	case failed != nil:
		return cause
	case replayed:
		c.Set(idempotency.ReplayedHeader, "true")
	}
	if answer.ContentType == problem.ContentType {
		web.OfNoMarket(c)
	}
	return sendBytes(c, answer.Status, answer.ContentType, answer.Body)
}

// fingerprint is what a write does: its method, its path, the market that decides
// on currency, what it is done on condition of, and its body.
func fingerprint(c *fiber.Ctx, m commerce.Market, cond condition) []byte {
	return bytes.Join([][]byte{
		[]byte(c.Method()), []byte(c.Path()), []byte(m.Channel), []byte(m.Currency), []byte(m.Country), []byte(cond.text()), c.Request().Body(),
	}, []byte{0})
}
