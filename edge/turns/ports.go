package turns

import (
	"context"

	"github.com/portico-bff/portico/schema/commerce"
)

type carts struct {
	commerce.Carts
	turns *Turns
}

// Merge takes the guest's cart's turn and then the customer's, always in this order.
func (c carts) Merge(ctx context.Context, s commerce.Shopper, guest commerce.CartID) (*commerce.Cart, error) {
	return during(ctx, c.turns, keyOf(s.Principal, guest), func(ctx context.Context) (*commerce.Cart, error) {
		return during(ctx, c.turns, keyOf(s.Principal, ""), func(ctx context.Context) (*commerce.Cart, error) {
			return c.Carts.Merge(ctx, s, guest)
		})
	})
}

type lines struct {
	next  commerce.CartLines
	turns *Turns
}

func (l lines) AddLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, sku commerce.SKU, quantity int) (*commerce.Cart, error) {
	return during(ctx, l.turns, keyOf(s.Principal, id), func(ctx context.Context) (*commerce.Cart, error) {
		return l.next.AddLine(ctx, s, id, sku, quantity)
	})
}

func (l lines) SetLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, line commerce.LineID, quantity int) (*commerce.Cart, error) {
	return during(ctx, l.turns, keyOf(s.Principal, id), func(ctx context.Context) (*commerce.Cart, error) {
		return l.next.SetLine(ctx, s, id, line, quantity)
	})
}

func (l lines) RemoveLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, line commerce.LineID) (*commerce.Cart, error) {
	return during(ctx, l.turns, keyOf(s.Principal, id), func(ctx context.Context) (*commerce.Cart, error) {
		return l.next.RemoveLine(ctx, s, id, line)
	})
}

type coupons struct {
	next  commerce.CartCoupons
	turns *Turns
}

func (c coupons) ApplyCoupon(ctx context.Context, s commerce.Shopper, id commerce.CartID, code string) (*commerce.Cart, error) {
	return during(ctx, c.turns, keyOf(s.Principal, id), func(ctx context.Context) (*commerce.Cart, error) {
		return c.next.ApplyCoupon(ctx, s, id, code)
	})
}

func (c coupons) RemoveCoupon(ctx context.Context, s commerce.Shopper, id commerce.CartID) (*commerce.Cart, error) {
	return during(ctx, c.turns, keyOf(s.Principal, id), func(ctx context.Context) (*commerce.Cart, error) {
		return c.next.RemoveCoupon(ctx, s, id)
	})
}

type options struct {
	commerce.CheckoutOptions
	turns *Turns
}

func (o options) SetShipping(ctx context.Context, s commerce.Shopper, id commerce.CartID, choice commerce.ShippingChoice) (*commerce.Cart, error) {
	return during(ctx, o.turns, keyOf(s.Principal, id), func(ctx context.Context) (*commerce.Cart, error) {
		return o.CheckoutOptions.SetShipping(ctx, s, id, choice)
	})
}
