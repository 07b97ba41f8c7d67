package rest

import (
	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/web"
)

// readCalls says of each route that is read how many calls of systems its answer can come
// to, each operation counting once a round. That is what it costs beside the request itself;
// what is kept costs no more than that. A route needs its row.
var readCalls = map[string]int{
	"/v1/screens/home":             6, // categories, page, search, and the cards' products, prices, stock
	"/v1/screens/categories/:id":   5,
	"/v1/screens/search":           4,
	"/v1/screens/products/:sku":    6, // product, categories, price, stock, reviews, related
	"/v1/sync":                     4, // the journal or lists, and what is on them
	"/v1/screens/cart/:cartId":     3, // cart, pictures, stock
	"/v1/screens/checkout/:cartId": 3, // cart, customer, ways to send
	"/v1/screens/account":          4, // profile, points, orders of the ERP and of the checkout
	"/v1/carts/:id":                1,
	"/v1/orders":                   2,
	"/v1/orders/:number":           2,
}

// writeCalls are the calls of systems that a write comes to where those are more than one.
var writeCalls = map[string]int{
	"mergeCart":  2, // both carts
	"placeOrder": 4, // the cart twice, the order, and what became of it
}

// charge charges what is about to be read to the caller.
func charge(c *fiber.Ctx) error { return web.Charge(c, readCalls[c.Route().Path]) }

// charge charges a write that is about to run, and a try apart, to the caller.
func (ch change) charge(c *fiber.Ctx) error {
	if ch.guess {
		if err := web.ChargeCoupon(c); err != nil {
			return err
		}
	}
	return web.Charge(c, max(writeCalls[ch.operation], 1)+ch.more)
}
