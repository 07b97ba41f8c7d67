package rest

import (
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/cache"
)

// sharedSeconds is how long caches may share what anonymous shoppers see.
const sharedSeconds = "60"

// sendShared answers what every anonymous caller in the market sees alike; a
// customer's answer is their own.
func sendShared(c *fiber.Ctx, body any, degraded []api.Degraded) error {
	return send(c, body, freshness(web.CallerOf(c).Principal.Anonymous(), degraded))
}

// sendOwn answers what is the caller's alone.
func (a *API) sendOwn(c *fiber.Ctx, body any) error {
	if a.Answers != nil {
		web.NoteAnswer(c, string(cache.Bypass))
		a.Answers.Count(cache.Bypass)
	}
	return send(c, body, "private, no-store")
}

// freshness is what caches may do with an answer, by its worst part.
func freshness(shared bool, degraded []api.Degraded) string {
	stale := false
	for _, d := range degraded {
		if d.State != api.DegradedStale {
			return "no-store"
		}
		stale = true
	}
	switch {
	case !shared:
		return "private, no-store"
	case stale:
		return "public, max-age=0"
	default:
		return "public, max-age=" + sharedSeconds
	}
}

func send(c *fiber.Ctx, body any, cacheControl string) error {
	data, err := json.Marshal(body)
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
