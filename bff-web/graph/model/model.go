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
type Me struct {
	PriceGroup commerce.PriceGroup // whose prices the customer gets
}

// PageInfo says where a page begins and ends.
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string // nil on an empty page
	EndCursor       *string // nil on an empty page
}

// InfoOf makes the info of a page whose rows have these cursors, read behind after, which is
// empty for the first page; more tells whether another one follows.
func InfoOf(cursors []string, after string, more bool) *PageInfo {
	info := &PageInfo{HasNextPage: more, HasPreviousPage: after != ""}
	if n := len(cursors); n > 0 {
		info.StartCursor, info.EndCursor = &cursors[0], &cursors[n-1]
	}
	return info
}

// ProductConnection is one page of products. Its nodes are resolved apart, since
// the PIM, not the search engine, knows them.
type ProductConnection struct {
	SKUs       []commerce.SKU
	Cursors    []string // of each of SKUs
	PageInfo   *PageInfo
	TotalCount int
	Facets     []commerce.Facet
}

// ProductEdge is a product in a page.
type ProductEdge struct {
	Cursor string
	SKU    commerce.SKU // of the node, which is resolved apart
}

// OrderConnection is one page of orders.
type OrderConnection struct {
	Nodes      []*commerce.Order
	Edges      []OrderEdge
	PageInfo   *PageInfo
	TotalCount int
}

// OrderEdge is an order in a page.
type OrderEdge struct {
	Cursor string
	Node   *commerce.Order
}

// InvoiceConnection is one page of invoices and refunds.
type InvoiceConnection struct {
	Nodes      []*commerce.Invoice
	Edges      []InvoiceEdge
	PageInfo   *PageInfo
	TotalCount int
}

// InvoiceEdge is an invoice in a page.
type InvoiceEdge struct {
	Cursor string
	Node   *commerce.Invoice
}

// OptionAxis is a property in which variants differ, with all its choices.
type OptionAxis struct {
	Code   string
	Label  string
	Values []string
}

// RatingCount is how many reviews gave so many stars.
type RatingCount struct {
	Rating int
	Count  int
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

// ProductAvailability is what is in stock of a product.
type ProductAvailability struct {
	SKU commerce.SKU
}
