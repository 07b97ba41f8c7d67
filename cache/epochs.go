package cache

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"github.com/portico-bff/portico/schema/commerce"
)

// epochs count what principals have written: once when a write starts and once
// when it ends. Nobody joins a load of a principal's that was begun in another
// epoch, so that who has written reads what was written. Several principals may
// share a count; that costs a load at times and gives nothing away.
type epochs struct {
	seed   maphash.Seed
	counts [4096]atomic.Uint64
}

func newEpochs() *epochs { return &epochs{seed: maphash.MakeSeed()} }

// of is the count of an owner: a principal or a cart.
func (e *epochs) of(owner any) *atomic.Uint64 {
	return &e.counts[maphash.Comparable(e.seed, owner)%uint64(len(e.counts))]
}

// write begins a write of s to a cart, which may be unknown, and answers how to end it.
func (e *epochs) write(s commerce.Shopper, cart commerce.CartID) (end func()) {
	bump := func() {
		if !s.Principal.Anonymous() {
			e.of(s.Principal.Key()).Add(1)
		}
		if cart != "" {
			e.of(cart).Add(1)
		}
	}
	bump()
	return bump
}

// The decorators of what changes carts and orders: everything passes through, between two epochs.

type carts struct {
	commerce.Carts
	epochs *epochs
}

func (d carts) Create(ctx context.Context, s commerce.Shopper) (*commerce.Cart, error) {
	defer d.epochs.write(s, "")()
	return d.Carts.Create(ctx, s)
}

func (d carts) Merge(ctx context.Context, s commerce.Shopper, guest commerce.CartID) (*commerce.Cart, error) {
	defer d.epochs.write(s, guest)()
	return d.Carts.Merge(ctx, s, guest)
}

type cartLines struct {
	next   commerce.CartLines
	epochs *epochs
}

func (d cartLines) AddLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, sku commerce.SKU, quantity int) (*commerce.Cart, error) {
	defer d.epochs.write(s, id)()
	return d.next.AddLine(ctx, s, id, sku, quantity)
}

func (d cartLines) SetLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, line commerce.LineID, quantity int) (*commerce.Cart, error) {
	defer d.epochs.write(s, id)()
	return d.next.SetLine(ctx, s, id, line, quantity)
}

func (d cartLines) RemoveLine(ctx context.Context, s commerce.Shopper, id commerce.CartID, line commerce.LineID) (*commerce.Cart, error) {
	defer d.epochs.write(s, id)()
	return d.next.RemoveLine(ctx, s, id, line)
}

type cartCoupons struct {
	next   commerce.CartCoupons
	epochs *epochs
}

func (d cartCoupons) ApplyCoupon(ctx context.Context, s commerce.Shopper, id commerce.CartID, code string) (*commerce.Cart, error) {
	defer d.epochs.write(s, id)()
	return d.next.ApplyCoupon(ctx, s, id, code)
}

func (d cartCoupons) RemoveCoupon(ctx context.Context, s commerce.Shopper, id commerce.CartID) (*commerce.Cart, error) {
	defer d.epochs.write(s, id)()
	return d.next.RemoveCoupon(ctx, s, id)
}

type checkoutOptions struct {
	commerce.CheckoutOptions
	epochs *epochs
}

func (d checkoutOptions) SetShipping(ctx context.Context, s commerce.Shopper, id commerce.CartID, choice commerce.ShippingChoice) (*commerce.Cart, error) {
	defer d.epochs.write(s, id)()
	return d.CheckoutOptions.SetShipping(ctx, s, id, choice)
}

type checkout struct {
	commerce.Checkout
	epochs *epochs
}

func (d checkout) Place(ctx context.Context, s commerce.Shopper, ref commerce.CheckoutRef, method string) (*commerce.PlacedOrder, error) {
	defer d.epochs.write(s, ref.Cart)()
	return d.Checkout.Place(ctx, s, ref, method)
}

func (d checkout) Reconcile(ctx context.Context, s commerce.Shopper, ref commerce.CheckoutRef) (*commerce.PlacedOrder, error) {
	defer d.epochs.write(s, ref.Cart)() // it may be the first to know of the order
	return d.Checkout.Reconcile(ctx, s, ref)
}

// changing puts the decorators before the ports that change something.
func (e *epochs) changing(p commerce.Ports) commerce.Ports {
	if p.Carts != nil {
		p.Carts = carts{p.Carts, e}
	}
	if p.CartLines != nil {
		p.CartLines = cartLines{p.CartLines, e}
	}
	if p.CartCoupons != nil {
		p.CartCoupons = cartCoupons{p.CartCoupons, e}
	}
	if p.CheckoutOptions != nil {
		p.CheckoutOptions = checkoutOptions{p.CheckoutOptions, e}
	}
	if p.Checkout != nil {
		p.Checkout = checkout{p.Checkout, e}
	}
	return p
}
