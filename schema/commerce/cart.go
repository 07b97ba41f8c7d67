package commerce

import "context"

// Cart is what a shopper is about to buy. All money is in Currency.
type Cart struct {
	ID       CartID
	Currency string
	Lines    []CartLine
	Coupon   string // empty when none is applied
	Totals   Totals
	Shipping *SelectedShipping // nil until it was set
	Payments []PaymentMethod   // what can be chosen; empty until shipping is set
}

// Quantity is the number of pieces in the cart.
func (c *Cart) Quantity() int {
	n := 0
	for _, l := range c.Lines {
		n += l.Quantity
	}
	return n
}

// CartLine is a product in a cart.
type CartLine struct {
	ID       LineID
	SKU      SKU
	Name     string // as the checkout knows it
	Quantity int
	Unit     Money // per piece, after price rules, before discounts
	Total    Money // Unit × Quantity
}

// Totals is what a cart or an order adds up to.
type Totals struct {
	Subtotal Money
	Discount Money // 0 or less
	Shipping Money
	Tax      Money
	Total    Money
}

// SelectedShipping is how and where a cart will be sent.
type SelectedShipping struct {
	Code    string // of the ShippingOption
	Title   string
	Address Address
}

// Carts opens, reads and merges carts. In every port on carts a "g_…" cart is
// for whoever holds its id, a "c_…" cart for its customer only: for anyone else,
// and when it is gone, the answer is [ErrNotFound], before anything is changed.
type Carts interface {
	// Create opens a cart: a guest's when the shopper is anonymous, else the
	// customer's; a customer who has one already gets that.
	Create(ctx context.Context, s Shopper) (*Cart, error)
	// Cart reads a cart with its totals.
	Cart(ctx context.Context, s Shopper, id CartID) (*Cart, error)
	// Merge moves a guest cart's lines into the signed-in shopper's cart and answers that;
	// equal products add up. [ErrUnauthenticated] for an anonymous shopper.
	Merge(ctx context.Context, s Shopper, guest CartID) (*Cart, error)
}

// CartLines changes what is in a cart. Each method answers the whole cart.
// Input the checkout refuses is an [InputError] on "sku", "quantity" or "lineId".
type CartLines interface {
	// AddLine adds pieces of a product; a line for it that is there already grows.
	AddLine(ctx context.Context, s Shopper, id CartID, sku SKU, quantity int) (*Cart, error)
	// SetLine sets a line's quantity, 1 or more.
	SetLine(ctx context.Context, s Shopper, id CartID, line LineID, quantity int) (*Cart, error)
	// RemoveLine takes a line out.
	RemoveLine(ctx context.Context, s Shopper, id CartID, line LineID) (*Cart, error)
}

// CartCoupons applies coupons, one at a time.
type CartCoupons interface {
	// ApplyCoupon applies a code in place of any other; a code that is unknown or
	// does not fit the cart is an [InputError] on "code" with [CodeCouponInvalid].
	ApplyCoupon(ctx context.Context, s Shopper, id CartID, code string) (*Cart, error)
	// RemoveCoupon takes the coupon off; without one it changes nothing.
	RemoveCoupon(ctx context.Context, s Shopper, id CartID) (*Cart, error)
}
