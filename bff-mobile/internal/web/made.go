package web

import (
	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/edge/recent"
	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// known is what is known of an answer that was made for a request, or nil.
func known(c *fiber.Ctx) *recent.Made {
	m, _ := c.Locals(madeKey).(*recent.Made)
	return m
}

// made is what gets to be known of the answer that is made for a request.
func made(c *fiber.Ctx) *recent.Made {
	m := known(c)
	if m == nil {
		m = &recent.Made{Market: CallerOf(c).Market}
		c.Locals(madeKey, m)
	}
	return m
}

// noteSpent says what making the answer took, for who looks at slow requests.
func noteSpent(c *fiber.Ctx, spent *timing.Elapsed) { made(c).Spent = spent }

// NoteDegraded says which parts of a screen are not fresh, for who looks at such requests.
func NoteDegraded(c *fiber.Ctx, degraded []api.Degraded) {
	if len(degraded) == 0 {
		return
	}
	m := made(c)
	m.Degraded = true
	m.Tell = func() (told recent.Told) {
		for _, d := range degraded {
			told.Parts = append(told.Parts, recent.Part{
				Part: d.Part, System: d.Source, State: commerce.State(d.State), Reason: commerce.Reason(d.Reason),
				AgeMS: d.AgeMs, RetryAfterMS: d.RetryAfterMs, Count: 1,
			})
		}
		return told
	}
}
