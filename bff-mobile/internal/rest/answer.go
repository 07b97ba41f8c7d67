package rest

import (
	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/pen"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/cache"
)

// sendOwn answers what is the caller's alone.
func (a *API) sendOwn(c *fiber.Ctx, body any) error {
	if a.Answers != nil {
		web.NoteAnswer(c, string(cache.Bypass))
		a.Answers.Count(cache.Bypass)
	}
	return send(c, body, ownersOnly)
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

func send(c *fiber.Ctx, body any, cacheControl string) error {
	data, err := pen.Marshal(body)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, cacheControl)
	return sendBytes(c, fiber.StatusOK, fiber.MIMEApplicationJSON, data)
}

func sendBytes(c *fiber.Ctx, status int, contentType string, data []byte) error {
	c.Set(fiber.HeaderContentType, contentType)
	c.Status(status)
	c.Response().SetBodyRaw(data)
	return nil
}
