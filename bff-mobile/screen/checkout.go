package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// checkoutParts are two rounds of calls: the cart tells whether and where to it can be sent.
var checkoutParts = []part[checkout]{
	{Part{Name: "cart", Op: commerce.OpCartRead, Required: true, Share: firstTime}, (*checkout).loadCart},
	{Part{Name: "addresses", Op: commerce.OpCustomer, Priority: 1, Share: firstTime, Fields: []string{"addresses", "email", "shippingAddress", "shippingOptions"}}, (*checkout).loadAddresses},
	{Part{Name: "shippingOptions", Op: commerce.OpShippingOptions, Priority: 1, Share: wholeTime, After: "cart", With: "addresses", Fields: []string{"shippingAddress", "shippingOptions"}}, (*checkout).loadOptions},
}

type checkout struct {
	asked

	id       commerce.CartID
	found    *commerce.Cart
	customer *commerce.Customer // nil for a guest, or when nobody knows
	unknown  error              // why nobody knows
	settled  chan struct{}      // closed when the two above are
	to       *commerce.Address  // nil when nothing says where to
	options  []commerce.ShippingOption
}

// Checkout is a cart with all that is chosen before it is ordered: the ways to send it to the
// address that is set, or else to the customer's first, the ways to pay once shipping is set,
// and the customer's addresses. The cart is required; a guest has no addresses.
func (s *Screens) Checkout(ctx context.Context, v Viewer, id commerce.CartID) (*api.CheckoutScreen, error) {
	c := &checkout{asked: asked{s, v}, id: id, settled: make(chan struct{})}
	degraded, err := compose(ctx, s, wanted(v, checkoutParts), c)
	if err != nil {
		return nil, err
	}
	shown := &api.CheckoutScreen{Cart: Cart(c.found, v.Market.Locale), Degraded: degraded}
	if c.customer != nil {
		shown.Email, shown.Addresses = c.customer.Email, addresses(c.customer)
	}
	if c.to != nil {
		shown.ShippingAddress = address(*c.to)
		shown.ShippingOptions = ShippingOptions(c.options, v.Market.Locale).Options
	}
	return shown, nil
}

func (c *checkout) loadCart(ctx context.Context) (err error) {
	c.found, err = c.Ports.Carts.Cart(ctx, c.viewer.Shopper, c.id)
	return err
}

func (c *checkout) loadAddresses(ctx context.Context) error {
	defer close(c.settled)
	if c.viewer.Principal.Anonymous() {
		return nil
	}
	c.customer, c.unknown = c.Ports.Customers.Customer(ctx, c.viewer.Principal)
	return c.unknown
}

// loadOptions asks only once it is known where to. An address that the checkout does not
// take has no ways to be reached.
func (c *checkout) loadOptions(ctx context.Context) error {
	to, err := c.destination(ctx)
	if to == nil || len(c.found.Lines) == 0 {
		return err
	}
	options, err := c.Ports.CheckoutOptions.ShippingOptions(ctx, c.viewer.Shopper, c.id, *to)
	if err != nil && commerce.KindOf(err) != commerce.ErrInvalid {
		return err
	}
	c.to, c.options = to, options
	return nil
}

// destination is where the cart is to be sent as far as that is known, or nil.
func (c *checkout) destination(ctx context.Context) (*commerce.Address, error) {
	if c.found.Shipping != nil {
		return &c.found.Shipping.Address, nil
	}
	select {
	case <-c.settled:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.customer == nil || len(c.customer.Addresses) == 0 {
		return nil, c.unknown
	}
	return usable(c.customer.Addresses[0]), nil
}

// usable is an address that the checkout can be asked about, or nil: some were typed long ago.
func usable(a commerce.Address) *commerce.Address {
	if a.Validate("address") != nil {
		return nil
	}
	return &a
}
