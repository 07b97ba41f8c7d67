// Package model holds the GraphQL types that the domain has no counterpart for.
// Everything else is bound to package commerce.
package model

import (
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// Image is one rendition of a picture.
type Image struct {
	URL string
	Alt string
}

// Profile is who a customer is.
type Profile = commerce.Customer

// Me stands for the signed-in customer; its parts are resolved one by one.
type Me struct{}

// PageInfo says where a page ends.
type PageInfo struct {
	HasNextPage bool
	EndCursor   *string // nil on an empty page
}

// Page makes the info of a page; end is empty on an empty page.
func Page(end string, more bool) *PageInfo {
	info := &PageInfo{HasNextPage: more}
	if end != "" {
		info.EndCursor = &end
	}
	return info
}

// ProductConnection is one page of products. Its nodes are resolved apart, since
// the PIM, not the search engine, knows them.
type ProductConnection struct {
	SKUs       []commerce.SKU
	PageInfo   *PageInfo
	TotalCount int
	Facets     []commerce.Facet
}

// ProductEdge is a product in a page.
type ProductEdge struct {
	Cursor *string
	SKU    commerce.SKU // of the node, which is resolved apart
}

// OrderConnection is one page of orders.
type OrderConnection struct {
	Nodes      []*commerce.Order
	PageInfo   *PageInfo
	TotalCount int
}

// UserError is something the caller can put right.
type UserError struct {
	Code    string
	Message string
	Field   *string // nil when it is about none
}

// CartPayload is what became of a cart.
type CartPayload struct {
	Cart       *commerce.Cart // nil when it could not be changed
	UserErrors []UserError
}

// PlacedOrder is an order that was taken.
type PlacedOrder struct {
	Number   commerce.OrderNumber `json:"number"`
	PlacedAt time.Time            `json:"placedAt"`
	Total    commerce.Money       `json:"total"`
	Email    string               `json:"email"`
}

// OrderPlacePayload is what became of an order.
type OrderPlacePayload struct {
	Order      *PlacedOrder // nil when none was placed
	OrderToken *string      // nil for customers
	UserErrors []UserError
}
