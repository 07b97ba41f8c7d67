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
	run       func(ctx context.Context, s commerce.Shopper) (status int, body any, err error)
}

// write runs a change, once per Idempotency-Key when there is one.
func (a *API) write(c *fiber.Ctx, ch change) error {
	if q := readQuery(c, ch.operation); q.err != nil {
		return q.err
	}
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
	if len(c.Request().Header.PeekAll(idempotency.Header)) == 0 { // an empty key is one that went wrong
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
	return a.once(c, caller.Shopper, key, ch)
}

// once answers a change through the idempotency store. Problems are answers as
// well: a refused write is refused again, with the same words.
func (a *API) once(c *fiber.Ctx, s commerce.Shopper, key string, ch change) error {
	var failed *problem.Problem
	var cause error
	request := idempotency.Request{Principal: s.Principal, Operation: ch.operation, Key: key, Body: fingerprint(c, s.Market)}
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
			return idempotency.Answer{Status: p.Status, ContentType: problem.ContentType, Body: p.JSON()}, nil
		}
		return idempotency.Answer{Status: status, ContentType: fiber.MIMEApplicationJSON, Body: data}, nil
	})
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
// on currency, and its body.
func fingerprint(c *fiber.Ctx, m commerce.Market) []byte {
	return bytes.Join([][]byte{
		[]byte(c.Method()), []byte(c.Path()), []byte(m.Channel), []byte(m.Currency), []byte(m.Country), c.Request().Body(),
	}, []byte{0})
}
