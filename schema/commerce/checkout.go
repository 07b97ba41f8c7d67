package commerce

import (
	"context"
	"time"
)

// ShippingOption is a way to send a cart to an address.
type ShippingOption struct {
	Code    string // opaque; goes into ShippingChoice.Code
	Carrier string
	Title   string
	Price   Money
}

// PaymentMethod is a way to pay.
type PaymentMethod struct {
	Code  string
	Title string
}

// ShippingChoice is what a shopper settles before paying.
type ShippingChoice struct {
	Email    string // where the order's confirmation goes
	Shipping Address
	Billing  *Address // nil means the shipping address
	Code     string   // of a ShippingOption
}

// CheckoutOptions answers and sets how a cart is sent.
type CheckoutOptions interface {
	// ShippingOptions answers the ways to send the cart to the address, cheapest first.
	ShippingOptions(ctx context.Context, s Shopper, id CartID, to Address) ([]ShippingOption, error)
	// SetShipping settles addresses and method. A method that is not offered is an
	// [InputError] on "methodCode".
	SetShipping(ctx context.Context, s Shopper, id CartID, choice ShippingChoice) (*Cart, error)
}

// CheckoutRef names an attempt to place a cart's order. It outlives the cart, so
// that the order can be found after an answer was lost.
type CheckoutRef struct {
	Cart CartID
	Key  string // the checkout's own lasting id of the cart
}

// PlacedOrder is an order that the checkout has taken.
type PlacedOrder struct {
	Number   OrderNumber
	PlacedAt time.Time
	Total    Money
	Email    string
}

// Checkout places orders.
type Checkout interface {
	// Prepare checks that the cart can be placed and answers its reference.
	// A cart without lines or shipping is an [InputError].
	Prepare(ctx context.Context, s Shopper, id CartID) (CheckoutRef, error)
	// Place asks the checkout for the order, at most once on the wire. An error that
	// is [ErrOutcomeUnknown] leaves open whether the order exists: call Reconcile.
	Place(ctx context.Context, s Shopper, ref CheckoutRef, paymentMethod string) (*PlacedOrder, error)
	// Reconcile finds the order that ref led to, or answers [ErrNotFound].
	Reconcile(ctx context.Context, s Shopper, ref CheckoutRef) (*PlacedOrder, error)
}
