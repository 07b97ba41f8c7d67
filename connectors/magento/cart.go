package magento

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/schema/commerce"
)

// opened is a cart that the shopper may use.
type opened struct {
	id    commerce.CartID
	store string
	key   string    // the masked id of a guest's cart, the quote id of a customer's
	owner string    // the Magento id of a customer's cart's customer; empty for a guest's
	quote *wireCart // as it was when ownership was checked; nil for a guest's, which needs no check
}

// path is the cart's REST path with more segments.
func (o *opened) path(more ...string) []string {
	base := []string{"carts", o.key}
	if o.owner == "" {
		base[0] = "guest-carts"
	}
	return append(base, more...)
}

var maskedPattern = regexp.MustCompile(`^[A-Za-z0-9]{24,64}$`)

// identify parses a cart id and finds out who asks, without asking for the cart.
// What cannot be the shopper's is of kind ErrNotFound.
func (c *connector) identify(ctx context.Context, op commerce.Operation, s commerce.Shopper, id commerce.CartID) (*opened, error) {
	store, err := c.store(s.Market)
	if err != nil {
		return nil, err
	}
	kind, key, _ := strings.Cut(string(id), "_")
	switch {
	case kind == "g" && maskedPattern.MatchString(key):
		return &opened{id: id, store: store, key: key}, nil
	case kind == "c" && numberPattern.MatchString(key):
		owner, err := c.customerID(ctx, op, s.Principal)
		if err != nil {
			return nil, err
		}
		return &opened{id: id, store: store, key: key, owner: owner}, nil
	}
	return nil, notFound(op)
}

// What is read of a cart: Magento's own answers repeat every line and the
// customer's whole profile.
const (
	addressFields = "firstname,lastname,company,street,city,region,region_code,postcode,country_id,telephone,email"
	quoteFields   = "id,is_active,items[item_id,sku,name,qty,price],customer[id],currency[quote_currency_code],billing_address[email]," +
		"extension_attributes[shipping_assignments[shipping[address[" + addressFields + "],method]]]"
	totalsFields = "subtotal,discount_amount,shipping_amount,tax_amount,grand_total,quote_currency_code,coupon_code," +
		"items[item_id,qty,row_total],total_segments[code,title]"
)

// look is a call that reads something of a cart.
func (o *opened) look(op commerce.Operation, fields string, path ...string) call {
	return call{traits: reading(op), store: o.store, method: http.MethodGet, path: o.path(path...), query: query{}.fields(fields)}
}

// open is identify, and for a customer's cart reads it to see whose it is. Nothing
// may be changed before it has answered.
func (c *connector) open(ctx context.Context, op commerce.Operation, s commerce.Shopper, id commerce.CartID) (*opened, error) {
	cart, err := c.identify(ctx, op, s, id)
	if err != nil {
		return nil, err
	}
	return cart, c.own(ctx, op, cart)
}

// own reads a customer's cart to see whose it is. A guest's id is proof enough.
func (c *connector) own(ctx context.Context, op commerce.Operation, cart *opened) (err error) {
	if cart.owner != "" {
		cart.quote, err = c.quote(ctx, op, cart)
	}
	return err
}

// quote reads the cart. Magento shows an integration every cart, placed ones too:
// one that is not active or not the owner's is not found.
func (c *connector) quote(ctx context.Context, op commerce.Operation, cart *opened) (*wireCart, error) {
	var quote wireCart
	k := cart.look(op, quoteFields)
	k.check = quote.check
	if err := c.send(ctx, k, &quote); err != nil {
		return nil, err
	}
	if !*quote.Active {
		return nil, notFound(op)
	}
	if cart.owner != "" && (string(quote.ID) != cart.key || string(quote.Customer.Value.ID) != cart.owner) {
		return nil, notFound(op)
	}
	return &quote, nil
}

// read answers the whole cart: quote and totals at once, then the payments when
// there is a shipping method to choose them for.
func (c *connector) read(ctx context.Context, op commerce.Operation, cart *opened) (*commerce.Cart, error) {
	var quote *wireCart
	var totals wireTotals
	var payments []wirePayment
	// A group without a context: cancelled by its sibling's refusal, a breaker's probe would tell nothing.
	var both errgroup.Group
	both.Go(func() (err error) {
		quote, err = c.quote(ctx, op, cart)
		return err
	})
	both.Go(func() error {
		k := cart.look(op, totalsFields, "totals")
		k.check = totals.check
		return c.send(ctx, k, &totals)
	})
	if err := both.Wait(); err != nil {
		return nil, err
	}
	if shipping := quote.shipping(); shipping.Method != "" {
		k := cart.look(op, "code,title", "payment-methods")
		k.check = func() error { return checkPayments(payments) }
		if err := c.send(ctx, k, &payments); err != nil {
			return nil, err
		}
	}
	result, err := toCart(cart.id, quote, &totals, payments)
	if err != nil {
		return nil, failed(op, commerce.ErrUpstream, err.Error())
	}
	return result, nil
}

// change runs do on a cart of the shopper's, alone among this process's writes to it, and
// answers the cart as it is then. When do went well but the cart cannot be read,
// the change has happened: the error is also ErrOutcomeUnknown.
func (c *connector) change(ctx context.Context, op commerce.Operation, s commerce.Shopper, id commerce.CartID, do func(*opened) error) (*commerce.Cart, error) {
	cart, err := c.identify(ctx, op, s, id)
	if err != nil {
		return nil, err
	}
	release, err := c.turns.take(ctx, op, cart)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := c.own(ctx, op, cart); err != nil {
		return nil, err
	}
	if err := do(cart); err != nil {
		return nil, err
	}
	result, err := c.read(ctx, op, cart)
	if err != nil {
		return nil, unknown(op, err)
	}
	return result, nil
}

// write makes a call that changes the cart. What it answers is not looked at:
// the cart is read afterwards.
func (c *connector) write(ctx context.Context, op commerce.Operation, cart *opened, method string, path []string, body any) error {
	var ignored any
	return c.send(ctx, call{traits: traitsOf(op), store: cart.store, method: method, path: path, body: body}, &ignored)
}

// Create implements [commerce.Carts].
func (c *connector) Create(ctx context.Context, s commerce.Shopper) (*commerce.Cart, error) {
	const op = commerce.OpCartCreate
	cart, err := c.create(ctx, op, s)
	if err != nil {
		return nil, err
	}
	result, err := c.read(ctx, op, cart)
	if err != nil {
		return nil, unknown(op, err)
	}
	return result, nil
}

func (c *connector) create(ctx context.Context, op commerce.Operation, s commerce.Shopper) (*opened, error) {
	store, err := c.store(s.Market)
	if err != nil {
		return nil, err
	}
	cart := &opened{store: store}
	path, prefix, pattern := []string{"guest-carts"}, "g_", maskedPattern
	if !s.Principal.Anonymous() {
		if cart.owner, err = c.customerID(ctx, op, s.Principal); err != nil {
			return nil, err
		}
		path, prefix, pattern = []string{"customers", cart.owner, "carts"}, "c_", numberPattern
	}
	var key text
	k := call{traits: traitsOf(op), store: store, method: http.MethodPost, path: path, check: func() error { return key.fits(pattern) }}
	if err := c.send(ctx, k, &key); err != nil {
		return nil, err
	}
	cart.key, cart.id = string(key), commerce.CartID(prefix+string(key))
	return cart, nil
}

// Cart implements [commerce.Carts].
func (c *connector) Cart(ctx context.Context, s commerce.Shopper, id commerce.CartID) (*commerce.Cart, error) {
	cart, err := c.identify(ctx, commerce.OpCartRead, s, id)
	if err != nil {
		return nil, err
	}
	return c.read(ctx, commerce.OpCartRead, cart)
}
