package rest

import (
	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
	"github.com/portico-bff/portico/bff-mobile/internal/pen"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/cache"
)

// own says what may be done with an answer that is its caller's own.
type own struct {
	tagged  bool // it has an entity tag, so that its owner may keep it and ask whether it is still the same
	encoded bool
}

// ownRoutes has a row for each route that is read and not shared.
//
// How long an encoded answer is tells a little of what is in it. That is no matter where only
// its owner can have it asked for, which is so where a token has to be sent: nothing sends one
// by itself, as browsers do cookies. What holds a guest's cart id, which opens the cart for
// anyone, is never encoded all the same, nor is the answer to a write.
var ownRoutes = map[string]own{
	"/v1/screens/cart/:cartId":     {tagged: true},
	"/v1/screens/checkout/:cartId": {tagged: true},
	"/v1/screens/account":          {tagged: true, encoded: true},
	"/v1/orders":                   {tagged: true, encoded: true},
	"/v1/orders/:number":           {tagged: true, encoded: true},
	// The cart's tag is its version, for If-Match: one for all languages, so nobody keeps the answer.
	"/v1/carts/:id": {},
}

// sendOwn answers what is the caller's alone, or that the caller has it already. degraded is
// what of it is not fresh: then it has no tag, and nobody keeps it.
func (a *API) sendOwn(c *fiber.Ctx, body any, degraded []api.Degraded) error {
	if a.Answers != nil {
		web.NoteAnswer(c, string(cache.Bypass))
		a.Answers.Count(cache.Bypass)
	}
	data, err := pen.Marshal(body)
	if err != nil {
		return err
	}
	may, in := ownRoutes[c.Route().Path], encoding.Identity
	if may.encoded {
		data, in = web.EncodingOf(c).Encode(data)
	}
	web.NoteDegraded(c, degraded)
	control := ownersOnly
	switch {
	case len(degraded) > 0:
		control = unproven(degraded)
	case !may.tagged:
	default:
		tag := tagOfOwn(c, web.CallerOf(c), in, data)
		if web.NoneMatchOf(c, tag) {
			web.SendUnchanged(c, tag, owners)
			return nil
		}
		c.Set(fiber.HeaderETag, tag)
		control = owners
	}
	c.Set(fiber.HeaderCacheControl, control)
	web.SendEncoded(c, data, in)
	return nil
}

// Who may keep what is somebody's own: nobody, or its owner's app, which asks whether it is
// still the same whenever it shows it.
const (
	owners     = "private, no-cache"
	ownersOnly = "private, no-store"
)

// unproven is what caches may do with an answer of which nothing proves that it is for
// others: it is a customer's, a part of it is stale, or no source says so. With a gap
// not even its owner keeps it.
func unproven(degraded []api.Degraded) string {
	for _, d := range degraded {
		if d.State != api.DegradedStale {
			return "no-store"
		}
	}
	return ownersOnly
}

// sendBytes answers what is neither encoded nor kept.
func sendBytes(c *fiber.Ctx, status int, contentType string, data []byte) error {
	c.Set(fiber.HeaderContentType, contentType)
	c.Status(status)
	c.Response().SetBodyRaw(data)
	return nil
}
