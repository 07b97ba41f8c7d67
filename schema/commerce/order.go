package commerce

import (
	"context"
	"time"
)

// OrderStatus is where an order stands.
type OrderStatus string

// The states of an order.
const (
	OrderPending   OrderStatus = "PENDING"   // taken, not yet confirmed
	OrderConfirmed OrderStatus = "CONFIRMED" // confirmed, being prepared
	OrderShipped   OrderStatus = "SHIPPED"   // all or part of it is on its way
	OrderDelivered OrderStatus = "DELIVERED" // all of it is done
	OrderCancelled OrderStatus = "CANCELLED"
	OrderOnHold    OrderStatus = "ON_HOLD" // held back, for example until payment is reviewed
	OrderUnknown   OrderStatus = "UNKNOWN" // a state this version does not know
)

// Order is a placed order.
type Order struct {
	Number   OrderNumber
	PlacedAt time.Time
	Status   OrderStatus
	// PendingSync is true while only the checkout knows the order: the ERP has not taken it over yet.
	PendingSync bool
	Lines       []OrderLine
	Totals      Totals
	Shipping    *Address   // may be nil
	Shipments   []Shipment // may be empty
}

// OrderLine is a product in an order.
type OrderLine struct {
	SKU      SKU // empty when the product is gone
	Name     string
	Quantity int
	Unit     Money
	Total    Money
}

// ShipmentState is how far a parcel is.
type ShipmentState string

// The states of a parcel.
const (
	ShipmentPending ShipmentState = "PENDING" // being prepared, or waiting for stock
	ShipmentReady   ShipmentState = "READY"   // packed; the carrier does not have it yet
	ShipmentSent    ShipmentState = "SENT"    // handed over to the carrier
	ShipmentUnknown ShipmentState = "UNKNOWN" // a state this version does not know
)

// Shipment is a parcel.
type Shipment struct {
	State       ShipmentState
	Status      string    // the ERP's own word for the state
	Carrier     string    // name; empty when the ERP names none
	Tracking    string    // the carrier's number; may be empty
	TrackingURL string    // where the carrier shows the parcel, http or https; may be empty
	SentAt      time.Time // when it was handed over; zero when it was not, or the ERP does not say
}

// Cursor asks for a page: First rows (1 to MaxBatch) after the opaque After.
type Cursor struct {
	First int
	After string
}

// OrderPage is one page of orders, newest first.
type OrderPage struct {
	Orders    []*Order
	Cursors   []string // of each of Orders, in their order: goes into After to go on right behind it
	Total     int
	EndCursor string
	HasNext   bool
}

// OrderHistory reads placed orders. The ERP implements it; the checkout does too,
// for orders that the ERP does not have yet.
type OrderHistory interface {
	// Orders answers the principal's own orders, newest first. A principal that
	// the system does not know has none.
	Orders(ctx context.Context, p Principal, page Cursor) (*OrderPage, error)
	// Order answers the principal's own order, else [ErrNotFound].
	Order(ctx context.Context, p Principal, number OrderNumber) (*Order, error)
	// GuestOrder answers any order. The caller has checked the order's token.
	GuestOrder(ctx context.Context, number OrderNumber) (*Order, error)
}

// Invoice is a bill or a refund.
type Invoice struct {
	Number   string
	Order    OrderNumber // the checkout's number; empty when the ERP names none
	IssuedAt time.Time
	DueAt    time.Time // zero when there is no term
	Paid     bool
	Refund   bool
	Total    Money
	Due      Money // still to pay
}

// InvoicePage is one page of invoices, newest first.
type InvoicePage struct {
	Invoices  []*Invoice
	Cursors   []string // of each of Invoices, in their order: goes into After to go on right behind it
	Total     int
	EndCursor string
	HasNext   bool
}

// Invoices reads bills.
type Invoices interface {
	// Invoices answers the principal's own posted invoices and refunds, newest first.
	Invoices(ctx context.Context, p Principal, page Cursor) (*InvoicePage, error)
}
