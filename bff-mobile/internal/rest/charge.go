package rest

import (
	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/fields"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/bff-mobile/screen"
)

// readCalls says of each route that is read how many calls of systems its answer can come
// to. That is what it costs beside the request itself; what is kept costs no more than that. A
// route needs its row.
var readCalls = map[string]screen.Calls{
	"/v1/screens/home":             screen.HomeCalls,
	"/v1/screens/categories/:id":   screen.CategoryCalls,
	"/v1/screens/search":           screen.SearchCalls,
	"/v1/screens/products/:sku":    screen.ProductCalls,
	"/v1/screens/cart/:cartId":     screen.CartCalls,
	"/v1/screens/checkout/:cartId": screen.CheckoutCalls,
	"/v1/screens/account":          screen.AccountCalls,
	"/v1/orders":                   screen.OrderListCalls,
	"/v1/orders/:number":           screen.OrderCalls,
	"/v1/carts/:id":                func(fields.Set) int { return 1 },
	"/v1/sync":                     func(fields.Set) int { return 4 }, // the journal or lists, and what is on them
}

// writeCalls are the calls of systems that a write comes to where those are more than one.
var writeCalls = map[string]int{
	"mergeCart":  2, // both carts
	"placeOrder": 4, // the cart twice, the order, and what became of it
}

// charge charges to the caller what is about to be read, of which so much is wanted.
func charge(c *fiber.Ctx, of fields.Set) error { return web.Charge(c, readCalls[c.Route().Path](of)) }

// charge charges a write that is about to run, and a try apart, to the caller.
func (ch change) charge(c *fiber.Ctx) error {
	if ch.guess {
		if err := web.ChargeCoupon(c); err != nil {
			return err
		}
	}
	return web.Charge(c, max(writeCalls[ch.operation], 1)+ch.more)
}
