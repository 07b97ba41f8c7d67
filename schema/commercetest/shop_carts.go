package commercetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/portico-bff/portico/schema/commerce"
)

// shopCart is a cart with its owner's e-mail.
type shopCart struct {
	owner string // empty for a guest
	email string // for the order
	group commerce.PriceGroup
	commerce.Cart
}

type shopCarts struct{ *Shop }

// visible finds a cart that the shopper may use. The lock is held.
func (s *Shop) visible(p commerce.Principal, id commerce.CartID) (*shopCart, error) {
	cart, ok := s.carts[id]
	if !ok {
		return nil, commerce.ErrNotFound
	}
	if email, err := known(p); !id.Guest() && (err != nil || email != cart.owner) {
		return nil, commerce.ErrNotFound
	}
	return cart, nil
}

// change runs edit on a cart that the shopper may use and answers a copy of what it became.
func (s *Shop) change(ctx context.Context, op commerce.Operation, who commerce.Shopper, id commerce.CartID, edit func(*shopCart) error) (*commerce.Cart, error) {
	if err := s.begin(ctx, op); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cart, err := s.visible(who.Principal, id)
	if err != nil {
		return nil, err
	}
	if err := edit(cart); err != nil {
		return nil, err
	}
	return cart.total(), nil
}

// total adds the cart up and answers a copy.
func (c *shopCart) total() *commerce.Cart {
	var sum int64
	for i := range c.Lines {
		line := &c.Lines[i]
		unit := wholeCents(line.Unit)
		line.Total = cents(unit*int64(line.Quantity), c.Currency)
		sum += unit * int64(line.Quantity)
	}
	var discount, shipping int64
	if c.Coupon != "" {
		discount = sum / 10
	}
	if c.Shipping != nil {
		shipping = 500
	}
	off := cents(discount, c.Currency)
	if discount > 0 {
		off, _ = off.Mul("-1")
	}
	c.Totals = commerce.Totals{
		Subtotal: cents(sum, c.Currency), Discount: off, Shipping: cents(shipping, c.Currency),
		Tax: cents(0, c.Currency), Total: cents(sum-discount+shipping, c.Currency),
	}
	answer := c.Cart
	answer.Lines = slices.Clone(c.Lines)
	return &answer
}

func wholeCents(m commerce.Money) int64 {
	n, err := m.Int64()
	if err != nil {
		panic(err)
	}
	return n
}

func (s shopCarts) Create(ctx context.Context, who commerce.Shopper) (*commerce.Cart, error) {
	if err := s.begin(ctx, commerce.OpCartCreate); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	email, _ := known(who.Principal)
	for _, c := range s.carts {
		if email != "" && c.owner == email {
			return c.total(), nil
		}
	}
	s.serial++
	id := commerce.CartID(fmt.Sprintf("g_%032d", s.serial))
	if email != "" {
		id = commerce.CartID("c_" + strconv.Itoa(s.serial))
	} else if !who.Principal.Anonymous() {
		return nil, commerce.ErrNotFound
	}
	cart := &shopCart{owner: email, group: who.Principal.PriceGroup}
	cart.ID, cart.Currency = id, who.Market.Currency
	s.carts[id] = cart
	return cart.total(), nil
}

func (s shopCarts) Cart(ctx context.Context, who commerce.Shopper, id commerce.CartID) (*commerce.Cart, error) {
	return s.change(ctx, commerce.OpCartRead, who, id, func(*shopCart) error { return nil })
}

func (s shopCarts) Merge(ctx context.Context, who commerce.Shopper, guest commerce.CartID) (*commerce.Cart, error) {
	if who.Principal.Anonymous() {
		return nil, commerce.ErrUnauthenticated
	}
	mine, err := s.Create(ctx, who)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, commerce.OpCartMerge, who, mine.ID, func(c *shopCart) error {
		theirs, ok := s.carts[guest]
		if !ok || !guest.Guest() {
			return commerce.ErrNotFound
		}
		for _, line := range theirs.Lines {
			if err := s.put(c, line.SKU, line.Quantity); err != nil {
				return err
			}
		}
		delete(s.carts, guest)
		return nil
	})
}

// put adds pieces to a cart. The lock is held.
func (s *Shop) put(c *shopCart, sku commerce.SKU, quantity int) error {
	g := s.good(sku)
	if g == nil {
		return &commerce.InputError{Field: "sku", Code: commerce.CodeUnknownProduct, Message: "is not a product that can be bought"}
	}
	at := slices.IndexFunc(c.Lines, func(l commerce.CartLine) bool { return l.SKU == sku })
	have := 0
	if at >= 0 {
		have = c.Lines[at].Quantity
	}
	if have+quantity > g.stock {
		return &commerce.InputError{Field: "quantity", Code: commerce.CodeOutOfStock, Message: "is more than there is"}
	}
	if at >= 0 {
		c.Lines[at].Quantity += quantity
		return nil
	}
	s.serial++
	c.Lines = append(c.Lines, commerce.CartLine{
		ID: commerce.LineID(strconv.Itoa(s.serial)), SKU: sku, Name: g.product.Name, Quantity: quantity,
		Unit: cents(g.unit(c.group, quantity), c.Currency),
	})
	return nil
}

func (s shopCarts) AddLine(ctx context.Context, who commerce.Shopper, id commerce.CartID, sku commerce.SKU, quantity int) (*commerce.Cart, error) {
	return s.change(ctx, commerce.OpLineAdd, who, id, func(c *shopCart) error { return s.put(c, sku, quantity) })
}

func (c *shopCart) line(id commerce.LineID) (int, error) {
	at := slices.IndexFunc(c.Lines, func(l commerce.CartLine) bool { return l.ID == id })
	if at < 0 {
		return 0, &commerce.InputError{Field: "lineId", Code: commerce.CodeUnknownLine, Message: "is not a line of the cart", Kind: commerce.ErrNotFound}
	}
	return at, nil
}

func (s shopCarts) SetLine(ctx context.Context, who commerce.Shopper, id commerce.CartID, line commerce.LineID, quantity int) (*commerce.Cart, error) {
	return s.change(ctx, commerce.OpLineSet, who, id, func(c *shopCart) error {
		at, err := c.line(line)
		if err != nil {
			return err
		}
		c.Lines[at].Quantity = quantity
		return nil
	})
}

func (s shopCarts) RemoveLine(ctx context.Context, who commerce.Shopper, id commerce.CartID, line commerce.LineID) (*commerce.Cart, error) {
	return s.change(ctx, commerce.OpLineRemove, who, id, func(c *shopCart) error {
		at, err := c.line(line)
		if err != nil {
			return err
		}
		c.Lines = slices.Delete(c.Lines, at, at+1)
		return nil
	})
}

func (s shopCarts) ApplyCoupon(ctx context.Context, who commerce.Shopper, id commerce.CartID, code string) (*commerce.Cart, error) {
	return s.change(ctx, commerce.OpCouponApply, who, id, func(c *shopCart) error {
		if code != "WELCOME10" {
			return &commerce.InputError{Field: "code", Code: commerce.CodeCouponInvalid, Message: "is not a coupon that fits the cart"}
		}
		c.Coupon = code
		return nil
	})
}

func (s shopCarts) RemoveCoupon(ctx context.Context, who commerce.Shopper, id commerce.CartID) (*commerce.Cart, error) {
	return s.change(ctx, commerce.OpCouponRemove, who, id, func(c *shopCart) error {
		c.Coupon = ""
		return nil
	})
}

func (s shopCarts) ShippingOptions(ctx context.Context, who commerce.Shopper, id commerce.CartID, _ commerce.Address) ([]commerce.ShippingOption, error) {
	cart, err := s.change(ctx, commerce.OpShippingOptions, who, id, func(*shopCart) error { return nil })
	if err != nil {
		return nil, err
	}
	return []commerce.ShippingOption{{Code: "post.ground", Carrier: "Post", Title: "Ground", Price: cents(500, cart.Currency)}}, nil
}

func (s shopCarts) SetShipping(ctx context.Context, who commerce.Shopper, id commerce.CartID, choice commerce.ShippingChoice) (*commerce.Cart, error) {
	return s.change(ctx, commerce.OpShippingSet, who, id, func(c *shopCart) error {
		if choice.Code != "post.ground" {
			return &commerce.InputError{Field: "methodCode", Code: commerce.CodeShippingMethod, Message: "is not offered for this cart and address"}
		}
		c.email = choice.Email
		c.Shipping = &commerce.SelectedShipping{Code: choice.Code, Title: "Ground", Address: choice.Shipping}
		c.Payments = []commerce.PaymentMethod{{Code: "checkmo", Title: "Check / Money order"}}
		return nil
	})
}

type shopCheckout struct{ *Shop }

func (s shopCheckout) Prepare(ctx context.Context, who commerce.Shopper, id commerce.CartID) (commerce.CheckoutRef, error) {
	_, err := s.change(ctx, commerce.OpPrepare, who, id, func(c *shopCart) error {
		if len(c.Lines) == 0 {
			return &commerce.InputError{Field: "cartId", Code: commerce.CodeCartEmpty, Message: "has no lines"}
		}
		if c.Shipping == nil {
			return &commerce.InputError{Field: "cartId", Code: commerce.CodeShippingMissing, Message: "has no shipping method"}
		}
		return nil
	})
	if err != nil {
		return commerce.CheckoutRef{}, err
	}
	return commerce.CheckoutRef{Cart: id, Key: string(id[2:])}, nil
}

func (s shopCheckout) Place(ctx context.Context, who commerce.Shopper, ref commerce.CheckoutRef, payment string) (*commerce.PlacedOrder, error) {
	var placed *commerce.PlacedOrder
	_, err := s.change(ctx, commerce.OpPlace, who, ref.Cart, func(c *shopCart) error {
		if payment != "checkmo" {
			return &commerce.InputError{Field: "paymentMethod", Code: commerce.CodePaymentMethod, Message: "is not offered for this cart"}
		}
		s.serial++
		order := &shopOrder{email: c.owner, cart: ref.Cart, Order: commerce.Order{
			Number: commerce.OrderNumber(fmt.Sprintf("%09d", s.serial)), Status: commerce.OrderPending,
			PlacedAt: opened.AddDate(0, 6, s.serial), Totals: c.total().Totals, Shipping: &c.Shipping.Address,
		}}
		for _, l := range c.Lines {
			order.Lines = append(order.Lines, commerce.OrderLine{SKU: l.SKU, Name: l.Name, Quantity: l.Quantity, Unit: l.Unit, Total: l.Total})
			s.good(l.SKU).stock -= l.Quantity
		}
		s.orders = append(s.orders, order)
		delete(s.carts, ref.Cart)
		placed = order.placed(c.email)
		return nil
	})
	return placed, err
}

func (o *shopOrder) placed(email string) *commerce.PlacedOrder {
	return &commerce.PlacedOrder{Number: o.Number, PlacedAt: o.PlacedAt, Total: o.Totals.Total, Email: email}
}

func (s shopCheckout) Reconcile(ctx context.Context, _ commerce.Shopper, ref commerce.CheckoutRef) (*commerce.PlacedOrder, error) {
	if err := s.begin(ctx, commerce.OpReconcile); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if o.cart == ref.Cart {
			return o.placed(""), nil
		}
	}
	return nil, commerce.ErrNotFound
}
