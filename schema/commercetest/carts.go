package commercetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Carts is the contract of the checkout's ports together: [commerce.Carts],
// [commerce.CartLines], [commerce.CartCoupons], [commerce.CheckoutOptions] and
// [commerce.Checkout]. It places orders, so stock goes down.
func Carts(t *testing.T, ports commerce.Ports, f Fixture) {
	k := cartKit{ports: ports, f: f}
	guest := commerce.Shopper{Market: f.Market}
	customer := commerce.Shopper{Market: f.Market, Principal: f.Customer}
	t.Run("lines", func(t *testing.T) { k.lines(t, guest) })
	t.Run("refused input changes nothing", func(t *testing.T) { k.refusals(t, guest) })
	t.Run("coupon", func(t *testing.T) { k.coupon(t, guest) })
	t.Run("a guest buys", func(t *testing.T) { k.buy(t, guest) })
	t.Run("a customer's cart is the customer's", func(t *testing.T) { k.ownership(t, customer) })
	t.Run("merge", func(t *testing.T) { k.merge(t, guest, customer) })
	t.Run("a customer buys", func(t *testing.T) { k.buy(t, customer) })
	t.Run("currencies", func(t *testing.T) {
		cart, err := ports.Carts.Create(t.Context(), commerce.Shopper{Market: f.Other})
		require.NoError(t, err)
		assert.Equal(t, f.Other.Currency, cart.Currency)
	})
}

type cartKit struct {
	ports commerce.Ports
	f     Fixture
}

func (k cartKit) create(t *testing.T, s commerce.Shopper) *commerce.Cart {
	t.Helper()
	cart, err := k.ports.Carts.Create(t.Context(), s)
	require.NoError(t, err)
	_, err = commerce.ParseCartID("id", string(cart.ID))
	require.NoError(t, err)
	assert.Equal(t, s.Principal.Anonymous(), cart.ID.Guest())
	assert.Equal(t, s.Market.Currency, cart.Currency)
	return cart
}

func (k cartKit) filled(t *testing.T, s commerce.Shopper) *commerce.Cart {
	t.Helper()
	cart := k.create(t, s)
	cart, err := k.ports.CartLines.AddLine(t.Context(), s, cart.ID, k.f.Products[0], 2)
	require.NoError(t, err)
	return cart
}

func (k cartKit) lines(t *testing.T, s commerce.Shopper) {
	empty := k.create(t, s)
	require.Empty(t, empty.Lines)
	require.GreaterOrEqual(t, len(empty.ID), 24, "a guest's cart id is a secret of at least 128 bits")
	cart, err := k.ports.CartLines.AddLine(t.Context(), s, empty.ID, k.f.Products[0], 2)
	require.NoError(t, err)
	require.Len(t, cart.Lines, 1)
	line := cart.Lines[0]
	assert.Equal(t, k.f.Products[0], line.SKU)
	assert.Equal(t, 2, line.Quantity)
	assert.True(t, line.Total.Equal(times(t, line.Unit, 2)))
	assert.True(t, cart.Totals.Subtotal.Equal(line.Total))
	cart, err = k.ports.CartLines.AddLine(t.Context(), s, cart.ID, k.f.Products[0], 1)
	require.NoError(t, err)
	require.Len(t, cart.Lines, 1, "the same product grows its line")
	assert.Equal(t, 3, cart.Lines[0].Quantity)
	cart, err = k.ports.CartLines.AddLine(t.Context(), s, cart.ID, k.f.Products[1], 1)
	require.NoError(t, err)
	require.Len(t, cart.Lines, 2)
	cart, err = k.ports.CartLines.SetLine(t.Context(), s, cart.ID, line.ID, 1)
	require.NoError(t, err)
	assert.Equal(t, 2, cart.Quantity())
	read, err := k.ports.Carts.Cart(t.Context(), s, cart.ID)
	require.NoError(t, err)
	assert.Equal(t, cart, read, "a write answers what a read would")
	cart, err = k.ports.CartLines.RemoveLine(t.Context(), s, cart.ID, line.ID)
	require.NoError(t, err)
	require.Len(t, cart.Lines, 1)
	assert.Equal(t, k.f.Products[1], cart.Lines[0].SKU)
}

func (k cartKit) refusals(t *testing.T, s commerce.Shopper) {
	cart := k.filled(t, s)
	_, err := k.ports.CartLines.AddLine(t.Context(), s, cart.ID, k.f.Unknown, 1)
	assert.Equal(t, commerce.CodeUnknownProduct, fieldOf(t, err, "sku").Code)
	_, err = k.ports.CartLines.AddLine(t.Context(), s, cart.ID, k.f.SoldOut, 1)
	assert.Equal(t, commerce.CodeOutOfStock, fieldOf(t, err, "quantity").Code)
	_, err = k.ports.CartLines.SetLine(t.Context(), s, cart.ID, "99999999", 1)
	assert.Equal(t, commerce.CodeUnknownLine, fieldOf(t, err, "lineId").Code)
	_, err = k.ports.CartLines.RemoveLine(t.Context(), s, cart.ID, "99999999")
	assert.Equal(t, commerce.CodeUnknownLine, fieldOf(t, err, "lineId").Code)
	_, err = k.ports.CartCoupons.ApplyCoupon(t.Context(), s, cart.ID, "NO-SUCH-COUPON")
	assert.Equal(t, commerce.CodeCouponInvalid, fieldOf(t, err, "code").Code)
	choice := commerce.ShippingChoice{Email: k.f.Email, Shipping: k.f.Address, Code: "no.such"}
	_, err = k.ports.CheckoutOptions.SetShipping(t.Context(), s, cart.ID, choice)
	assert.Equal(t, commerce.CodeShippingMethod, fieldOf(t, err, "methodCode").Code)
	_, err = k.ports.Checkout.Prepare(t.Context(), s, cart.ID)
	require.ErrorIs(t, err, commerce.ErrInvalid, "no shipping was chosen")
	after, err := k.ports.Carts.Cart(t.Context(), s, cart.ID)
	require.NoError(t, err)
	assert.Equal(t, cart, after)
	_, err = k.ports.Carts.Cart(t.Context(), s, commerce.CartID("g_"+strings.Repeat("x", 32)))
	kindOf(t, err, commerce.ErrNotFound)
}

func (k cartKit) coupon(t *testing.T, s commerce.Shopper) {
	cart := k.filled(t, s)
	with, err := k.ports.CartCoupons.ApplyCoupon(t.Context(), s, cart.ID, k.f.Coupon)
	require.NoError(t, err)
	assert.Equal(t, k.f.Coupon, with.Coupon)
	assert.True(t, with.Totals.Discount.IsNegative())
	order, err := with.Totals.Total.Cmp(cart.Totals.Total)
	require.NoError(t, err)
	assert.Negative(t, order)
	without, err := k.ports.CartCoupons.RemoveCoupon(t.Context(), s, cart.ID)
	require.NoError(t, err)
	assert.Empty(t, without.Coupon)
	assert.True(t, without.Totals.Total.Equal(cart.Totals.Total))
	_, err = k.ports.CartCoupons.RemoveCoupon(t.Context(), s, cart.ID)
	require.NoError(t, err, "taking off a coupon that is not there changes nothing")
}

func (k cartKit) ship(t *testing.T, s commerce.Shopper, id commerce.CartID) *commerce.Cart {
	t.Helper()
	options, err := k.ports.CheckoutOptions.ShippingOptions(t.Context(), s, id, k.f.Address)
	require.NoError(t, err)
	require.NotEmpty(t, options)
	for i := 1; i < len(options); i++ {
		order, err := options[i-1].Price.Cmp(options[i].Price)
		require.NoError(t, err)
		assert.LessOrEqual(t, order, 0, "cheapest first")
	}
	choice := commerce.ShippingChoice{Email: k.f.Email, Shipping: k.f.Address, Code: options[0].Code}
	cart, err := k.ports.CheckoutOptions.SetShipping(t.Context(), s, id, choice)
	require.NoError(t, err)
	require.NotNil(t, cart.Shipping)
	assert.Equal(t, options[0].Code, cart.Shipping.Code)
	assert.Equal(t, k.f.Address.City, cart.Shipping.Address.City)
	assert.NotEmpty(t, cart.Payments)
	total := add(t, cart.Totals.Subtotal, cart.Totals.Discount, cart.Totals.Shipping, cart.Totals.Tax)
	assert.True(t, total.Equal(cart.Totals.Total), "parts add up to %s, total is %s", total, cart.Totals.Total)
	return cart
}

func (k cartKit) buy(t *testing.T, s commerce.Shopper) {
	cart := k.ship(t, s, k.filled(t, s).ID)
	ref, err := k.ports.Checkout.Prepare(t.Context(), s, cart.ID)
	require.NoError(t, err)
	assert.Equal(t, cart.ID, ref.Cart)
	_, err = k.ports.Checkout.Reconcile(t.Context(), s, ref)
	kindOf(t, err, commerce.ErrNotFound)
	_, err = k.ports.Checkout.Place(t.Context(), s, ref, "no-such-method")
	assert.Equal(t, commerce.CodePaymentMethod, fieldOf(t, err, "paymentMethod").Code)
	placed, err := k.ports.Checkout.Place(t.Context(), s, ref, k.f.Payment)
	require.NoError(t, err)
	_, err = commerce.ParseOrderNumber("number", string(placed.Number))
	require.NoError(t, err)
	assert.True(t, placed.Total.Equal(cart.Totals.Total))
	found, err := k.ports.Checkout.Reconcile(t.Context(), s, ref)
	require.NoError(t, err)
	assert.Equal(t, placed.Number, found.Number)
	_, err = k.ports.Checkout.Place(t.Context(), s, ref, k.f.Payment)
	require.Error(t, err, "a cart is placed once")
	_, err = k.ports.Carts.Cart(t.Context(), s, cart.ID)
	kindOf(t, err, commerce.ErrNotFound)
	order, err := k.ports.PlacedOrders.GuestOrder(t.Context(), placed.Number)
	require.NoError(t, err)
	assert.Equal(t, k.f.Products[0], order.Lines[0].SKU)
	assert.True(t, order.Totals.Total.Equal(placed.Total))
	if !s.Principal.Anonymous() {
		own, err := k.ports.PlacedOrders.Order(t.Context(), s.Principal, placed.Number)
		require.NoError(t, err)
		assert.Equal(t, order.Number, own.Number)
	}
	_, err = k.ports.PlacedOrders.Order(t.Context(), k.f.Neighbor, placed.Number)
	kindOf(t, err, commerce.ErrNotFound)
}

// ownership tries every operation on a customer's cart as somebody else.
func (k cartKit) ownership(t *testing.T, owner commerce.Shopper) {
	cart := k.filled(t, owner)
	again := k.create(t, owner)
	assert.Equal(t, cart.ID, again.ID, "a customer has one cart")
	id, ctx := cart.ID, t.Context()
	line := cart.Lines[0].ID
	unverified := k.f.Customer
	unverified.EmailVerified = false
	unverified.Subject += "-other"
	for name, p := range map[string]commerce.Principal{"neighbor": k.f.Neighbor, "nobody": k.f.Nobody, "anonymous": {}, "unverified": unverified} {
		s := commerce.Shopper{Market: k.f.Market, Principal: p}
		for op, call := range map[string]func() error{
			"read":     func() error { _, err := k.ports.Carts.Cart(ctx, s, id); return err },
			"add":      func() error { _, err := k.ports.CartLines.AddLine(ctx, s, id, k.f.Products[1], 1); return err },
			"set":      func() error { _, err := k.ports.CartLines.SetLine(ctx, s, id, line, 5); return err },
			"remove":   func() error { _, err := k.ports.CartLines.RemoveLine(ctx, s, id, line); return err },
			"apply":    func() error { _, err := k.ports.CartCoupons.ApplyCoupon(ctx, s, id, k.f.Coupon); return err },
			"take off": func() error { _, err := k.ports.CartCoupons.RemoveCoupon(ctx, s, id); return err },
			"options":  func() error { _, err := k.ports.CheckoutOptions.ShippingOptions(ctx, s, id, k.f.Address); return err },
			"prepare":  func() error { _, err := k.ports.Checkout.Prepare(ctx, s, id); return err },
			"ship": func() error {
				choice := commerce.ShippingChoice{Email: k.f.Email, Shipping: k.f.Address, Code: "any"}
				_, err := k.ports.CheckoutOptions.SetShipping(ctx, s, id, choice)
				return err
			},
			"place": func() error {
				_, err := k.ports.Checkout.Place(ctx, s, commerce.CheckoutRef{Cart: id, Key: strings.TrimPrefix(string(id), "c_")}, k.f.Payment)
				return err
			},
		} {
			t.Run(name+" cannot "+op, func(t *testing.T) { kindOf(t, call(), commerce.ErrNotFound) })
		}
	}
	after, err := k.ports.Carts.Cart(ctx, owner, id)
	require.NoError(t, err)
	assert.Equal(t, cart, after)
	_, err = k.ports.CartLines.RemoveLine(ctx, owner, id, line)
	require.NoError(t, err)
}

func (k cartKit) merge(t *testing.T, guest, customer commerce.Shopper) {
	theirs := k.filled(t, guest)
	mine := k.create(t, customer)
	mine, err := k.ports.CartLines.AddLine(t.Context(), customer, mine.ID, k.f.Products[0], 1)
	require.NoError(t, err)
	_, err = k.ports.Carts.Merge(t.Context(), guest, theirs.ID)
	kindOf(t, err, commerce.ErrUnauthenticated)
	merged, err := k.ports.Carts.Merge(t.Context(), customer, theirs.ID)
	require.NoError(t, err)
	assert.Equal(t, mine.ID, merged.ID)
	require.Len(t, merged.Lines, 1)
	assert.Equal(t, 3, merged.Lines[0].Quantity)
	left, err := k.ports.Carts.Cart(t.Context(), guest, theirs.ID)
	if err == nil {
		assert.Empty(t, left.Lines, "what was moved is not there any more")
	} else {
		kindOf(t, err, commerce.ErrNotFound)
	}
	_, err = k.ports.CartLines.RemoveLine(t.Context(), customer, merged.ID, merged.Lines[0].ID)
	require.NoError(t, err)
}

func times(t *testing.T, m commerce.Money, n int) commerce.Money {
	t.Helper()
	sum := m
	for range n - 1 {
		sum = add(t, sum, m)
	}
	return sum
}

func add(t *testing.T, first commerce.Money, rest ...commerce.Money) commerce.Money {
	t.Helper()
	for _, m := range rest {
		var err error
		first, err = first.Add(m)
		require.NoError(t, err)
	}
	return first
}
