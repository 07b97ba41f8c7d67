// Package rest is the handlers of the mobile channel: each reads what a client
// sent, checks it all before anything is asked, calls one method and answers.
package rest

import (
	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/bff-mobile/syncing"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/edge/turns"
	"github.com/portico-bff/portico/schema/commerce"
)

// API is what the handlers call.
type API struct {
	Screens     *screen.Screens
	Ports       commerce.Ports // every port it uses is set
	Syncing     *syncing.Catalogue
	Orders      *ordering.Service
	Idempotency *idempotency.Store
	Turns       *turns.Turns   // at carts; the same as the Ports take
	Answers     *cache.Answers // whole screens that are the same for everyone; nil keeps none
	Quick       *web.Quick     // the way to them that anonymous callers take; may be nil
	// Surrogates is the bound of the header that names a screen's tags, in bytes, where
	// no screens are kept here; 0 names none.
	Surrogates int
}

// Route is an operation of the contract.
type Route struct {
	Method, Path string
	Handle       fiber.Handler
}

// Routes is every operation of the contract, in its order.
func (a *API) Routes() []Route {
	list := []Route{
		{fiber.MethodGet, "/v1/screens/home", a.home},
		{fiber.MethodGet, "/v1/screens/categories/:id", a.category},
		{fiber.MethodGet, "/v1/screens/search", a.search},
		{fiber.MethodGet, "/v1/screens/products/:sku", a.product},
		{fiber.MethodGet, "/v1/screens/cart/:cartId", a.cart},
		{fiber.MethodGet, "/v1/screens/checkout/:cartId", a.checkout},
		{fiber.MethodGet, "/v1/screens/account", a.account},
		{fiber.MethodGet, "/v1/sync", a.sync},
		{fiber.MethodGet, "/v1/orders", a.orders},
		{fiber.MethodGet, "/v1/orders/:number", a.order},
		{fiber.MethodPost, "/v1/carts", a.createCart},
		{fiber.MethodGet, "/v1/carts/:id", a.readCart},
		{fiber.MethodPost, "/v1/carts/:id/lines", a.addLine},
		{fiber.MethodPatch, "/v1/carts/:id/lines/:lineId", a.setLine},
		{fiber.MethodDelete, "/v1/carts/:id/lines/:lineId", a.removeLine},
		{fiber.MethodPut, "/v1/carts/:id/coupon", a.applyCoupon},
		{fiber.MethodDelete, "/v1/carts/:id/coupon", a.removeCoupon},
		{fiber.MethodPost, "/v1/carts/:id/shipping-options", a.shippingOptions},
		{fiber.MethodPut, "/v1/carts/:id/shipping", a.setShipping},
		{fiber.MethodPost, "/v1/carts/:id/merge", a.mergeCart},
		{fiber.MethodPost, "/v1/carts/:id/order", a.placeOrder},
	}
	for i, r := range list {
		if r.Method == fiber.MethodGet && sharedRoutes[r.Path] {
			list[i].Handle = a.kept(r.Handle)
		}
	}
	return list
}

// viewer is the caller as a screen sees it.
func viewer(c *fiber.Ctx, q *query) screen.Viewer {
	caller := web.CallerOf(c)
	return screen.Viewer{Shopper: caller.Shopper, Group: caller.Group, Pictures: q.pictures(c), Fields: q.fields()}
}
