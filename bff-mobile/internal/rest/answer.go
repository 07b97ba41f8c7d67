package rest

import (
	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/pen"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/cache"
)

// encodedRoutes are those of the routes that answer what is the caller's own of which the
// answers are encoded. How long an encoded answer is tells a little of what is in it. That is
// no matter where only its owner can have it asked for, which is so where a token has to be
// sent: nothing sends one by itself, as browsers do cookies. What holds a guest's cart id,
// which opens the cart for anyone, is never encoded all the same, nor is the answer to a write.
var encodedRoutes = map[string]bool{
	"/v1/screens/account": true,
	"/v1/orders":          true,
	"/v1/orders/:number":  true,
}

// sendOwn answers what is the caller's alone.
func (a *API) sendOwn(c *fiber.Ctx, body any) error {
	if a.Answers != nil {
		web.NoteAnswer(c, string(cache.Bypass))
		a.Answers.Count(cache.Bypass)
	}
	data, err := pen.Marshal(body)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, ownersOnly)
	if !encodedRoutes[c.Route().Path] {
		return sendBytes(c, fiber.StatusOK, fiber.MIMEApplicationJSON, data)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	web.SendEncoded(c, data)
	return nil
}

const ownersOnly = "private, no-store"

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

func sendBytes(c *fiber.Ctx, status int, contentType string, data []byte) error {
	c.Set(fiber.HeaderContentType, contentType)
	c.Status(status)
	c.Response().SetBodyRaw(data)
	return nil
}
