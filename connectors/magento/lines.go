package magento

import (
	"context"
	"errors"
	"net/http"

	"github.com/portico-bff/portico/schema/commerce"
)

// AddLine implements [commerce.CartLines].
func (c *connector) AddLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, sku commerce.SKU, quantity int) (*commerce.Cart, error) {
	const op = commerce.OpLineAdd
	return c.change(ctx, op, s, id, func(cart *opened) error { return c.add(ctx, op, cart, sku, quantity) })
}

func (c *connector) add(ctx context.Context, op commerce.Operation, cart *opened, sku commerce.SKU, quantity int) error {
	body := sendItem{sendCartItem{SKU: string(sku), Qty: quantity, QuoteID: cart.key}}
	return c.write(ctx, op, cart, http.MethodPost, cart.path("items"), body)
}

// SetLine implements [commerce.CartLines].
func (c *connector) SetLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, line commerce.LineID, quantity int) (*commerce.Cart, error) {
	const op = commerce.OpLineSet
	return c.change(ctx, op, s, id, func(cart *opened) error {
		if err := checkLine(line); err != nil {
			return err
		}
		body := sendItem{sendCartItem{ItemID: string(line), Qty: quantity, QuoteID: cart.key}}
		return c.write(ctx, op, cart, http.MethodPut, cart.path("items", string(line)), body)
	})
}

// RemoveLine implements [commerce.CartLines].
func (c *connector) RemoveLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, line commerce.LineID) (*commerce.Cart, error) {
	const op = commerce.OpLineRemove
	return c.change(ctx, op, s, id, func(cart *opened) error { return c.remove(ctx, op, cart, line) })
}

func (c *connector) remove(ctx context.Context, op commerce.Operation, cart *opened, line commerce.LineID) error {
	if err := checkLine(line); err != nil {
		return err
	}
	return c.write(ctx, op, cart, http.MethodDelete, cart.path("items", string(line)), nil)
}

// checkLine refuses what cannot be a quote item's id before it gets into a path.
func checkLine(line commerce.LineID) error {
	if numberPattern.MatchString(string(line)) {
		return nil
	}
	return &commerce.InputError{Field: "lineId", Code: commerce.CodeUnknownLine, Message: "is not a line of this cart"}
}

// ApplyCoupon implements [commerce.CartCoupons].
func (c *connector) ApplyCoupon(ctx context.Context, s commerce.Shopper, id commerce.CartID, code string) (*commerce.Cart, error) {
	const op = commerce.OpCouponApply
	return c.change(ctx, op, s, id, func(cart *opened) error {
		if _, err := commerce.ParseCoupon("code", code); err != nil {
			return err
		}
		return c.write(ctx, op, cart, http.MethodPut, cart.path("coupons", code), nil)
	})
}

// RemoveCoupon implements [commerce.CartCoupons]. Magento refuses it for a cart
// without lines, which has no coupon either.
func (c *connector) RemoveCoupon(ctx context.Context, s commerce.Shopper, id commerce.CartID) (*commerce.Cart, error) {
	const op = commerce.OpCouponRemove
	return c.change(ctx, op, s, id, func(cart *opened) error {
		err := c.write(ctx, op, cart, http.MethodDelete, cart.path("coupons"), nil)
		if input, ok := errors.AsType[*commerce.InputError](err); ok && input.Code == commerce.CodeCartEmpty {
			return nil
		}
		return err
	})
}
