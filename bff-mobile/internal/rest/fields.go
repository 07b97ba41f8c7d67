package rest

import (
	"strconv"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/fields"
	"github.com/portico-bff/portico/bff-mobile/screen"
)

// Screens is what each screen can be asked for by fields, by the contract's operation.
var Screens = map[string]*fields.Tree{
	"homeScreen":     fields.Of(api.HomeScreen{}),
	"categoryScreen": fields.Of(api.CategoryScreen{}),
	"searchScreen":   fields.Of(api.SearchScreen{}),
	"productScreen":  fields.Of(api.ProductScreen{}),
	"cartScreen":     fields.Of(api.CartScreen{}),
	"checkoutScreen": fields.Of(api.CheckoutScreen{}),
	"accountScreen":  fields.Of(api.AccountScreen{}),
	"listOrders":     fields.Of(api.OrderList{}),
	"readOrder":      fields.Of(api.OrderDetails{}),
}

// looks is how a viewer wants to see a screen, in a form of its own: what a kept screen
// depends on beside the question.
func looks(v screen.Viewer) []string {
	return []string{strconv.Itoa(v.Tile), strconv.Itoa(v.Hero), v.Fields.String()}
}
