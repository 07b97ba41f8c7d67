package magento

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// unknown marks an error after which a write may have happened. An error that is
// marked already stays as it is.
func unknown(op commerce.Operation, err error) error {
	if errors.Is(err, commerce.ErrOutcomeUnknown) {
		return err
	}
	kind := commerce.ErrUnavailable
	if errors.Is(err, commerce.ErrTimeout) {
		kind = commerce.ErrTimeout
	}
	return &commerce.CallError{
		System: System, Operation: op, Kind: kind, Reason: commerce.ReasonOf(err),
		Err: fmt.Errorf("%w: %w", commerce.ErrOutcomeUnknown, causeOf(err)),
	}
}

// causeOf keeps of an error what goes into another one's text: not its kind,
// which would contradict the new one's ("not found", but the write may have happened).
func causeOf(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return opaque{err.Error()}
}

// opaque is an error's text without its identity.
type opaque struct{ text string }

func (o opaque) Error() string { return o.text }

// Prepare implements [commerce.Checkout]. The key is the numeric quote id, under
// which the order can be found when the cart is gone.
func (c *connector) Prepare(ctx context.Context, s commerce.Shopper, id commerce.CartID) (commerce.CheckoutRef, error) {
	const op = commerce.OpPrepare
	cart, err := c.identify(ctx, op, s, id)
	if err != nil {
		return commerce.CheckoutRef{}, err
	}
	quote, err := c.ready(ctx, op, cart)
	if err != nil {
		return commerce.CheckoutRef{}, err
	}
	return commerce.CheckoutRef{Cart: id, Key: string(quote.ID)}, nil
}

// ready reads a cart and sees whether its order can be placed.
func (c *connector) ready(ctx context.Context, op commerce.Operation, cart *opened) (*wireCart, error) {
	quote, err := c.quote(ctx, op, cart)
	if err != nil {
		return nil, err
	}
	switch shipping := quote.shipping(); {
	case len(quote.Items) == 0:
		return nil, &commerce.InputError{Field: "cartId", Code: commerce.CodeCartEmpty, Message: "holds no products"}
	case shipping.Method == "" || shipping.Address.Value.Country == "" || quote.email() == "":
		return nil, &commerce.InputError{Field: "cartId", Code: commerce.CodeShippingMissing, Message: "has no shipping method"}
	}
	return quote, nil
}

// Place implements [commerce.Checkout]. Once the order was asked for, only a
// refusal that names its reason proves that there is none: anything else, a cart
// that is said to be gone included, leaves it open.
func (c *connector) Place(ctx context.Context, s commerce.Shopper, ref commerce.CheckoutRef, paymentMethod string) (*commerce.PlacedOrder, error) {
	const op = commerce.OpPlace
	cart, err := c.identify(ctx, op, s, ref.Cart)
	if err != nil {
		return nil, err
	}
	release, err := c.turns.take(ctx, op, cart)
	if err != nil {
		return nil, err
	}
	defer release()
	quote, err := c.ready(ctx, op, cart)
	if err != nil {
		return nil, err
	}
	if string(quote.ID) != ref.Key {
		return nil, notFound(op)
	}
	entity, err := c.submit(ctx, cart, quote.email(), paymentMethod)
	if err != nil {
		return nil, err
	}
	placed, err := c.placed(ctx, entity, ref.Key)
	if err == nil {
		return placed, nil
	}
	if placed, again := c.Reconcile(ctx, s, ref); again == nil {
		return placed, nil
	}
	return nil, unknown(op, err)
}

// submit asks for the order and answers its entity id.
func (c *connector) submit(ctx context.Context, cart *opened, email, paymentMethod string) (string, error) {
	const op = commerce.OpPlace
	k := call{
		traits: traitsOf(op), store: cart.store, method: http.MethodPut, path: cart.path("order"),
		body: sendPayment{Payment: sendMethod{paymentMethod}},
	}
	if cart.owner == "" {
		k.method, k.path = http.MethodPost, cart.path("payment-information")
		k.body = sendPayment{Email: email, Payment: sendMethod{paymentMethod}}
	}
	var entity text
	k.check = func() error { return entity.fits(numberPattern) }
	if err := c.send(ctx, k, &entity); err != nil {
		return "", submitError(err)
	}
	return string(entity), nil
}

// submitError keeps what proves that there is no order: a refusal of the input, of
// our credentials or of the rate, and what never left. ErrUpstream and ErrNotFound
// are an answer that proves nothing.
func submitError(err error) error {
	if input, ok := errors.AsType[*commerce.InputError](err); ok && input.Field != "" {
		return err
	}
	if errors.Is(err, commerce.ErrInvalid) || errors.Is(err, commerce.ErrUpstream) || errors.Is(err, commerce.ErrNotFound) {
		return unknown(commerce.OpPlace, err)
	}
	return err
}

// placed reads an order back by its entity id.
func (c *connector) placed(ctx context.Context, entity, quoteID string) (placed *commerce.PlacedOrder, err error) {
	var order wireOrder
	err = c.send(ctx, call{
		traits: reading(commerce.OpPlace), store: adminStore, method: http.MethodGet, path: []string{"orders", entity},
		query: query{}.fields(orderFields),
		check: func() (err error) {
			if string(order.QuoteID) != quoteID {
				return errForeign
			}
			placed, err = order.placed()
			return err
		},
	}, &order)
	return placed, err
}

// Reconcile implements [commerce.Checkout]. Ref must be what Prepare answered: of a
// guest's cart nothing else connects the two ids once the order is placed.
func (c *connector) Reconcile(ctx context.Context, s commerce.Shopper, ref commerce.CheckoutRef) (*commerce.PlacedOrder, error) {
	const op = commerce.OpReconcile
	if !numberPattern.MatchString(ref.Key) {
		return nil, notFound(op)
	}
	owner := ""
	if !ref.Cart.Guest() {
		var err error
		if owner, err = c.customerID(ctx, op, s.Principal); err != nil {
			return nil, err
		}
		if strings.TrimPrefix(string(ref.Cart), "c_") != ref.Key {
			return nil, notFound(op)
		}
	}
	var placed *commerce.PlacedOrder
	search := criteria(filter{"quote_id", "eq", ref.Key}).sorted("entity_id", "ASC").paged(2)
	found, err := c.orders(ctx, op, search, func(found *wireOrders) (err error) {
		i := slices.IndexFunc(found.Items, func(w wireOrder) bool {
			return string(w.QuoteID) == ref.Key && string(w.CustomerID) == owner
		})
		if i >= 0 {
			placed, err = found.Items[i].placed()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(found.Items) > 1 {
		c.log.LogAttrs(ctx, slog.LevelWarn, "one cart led to several orders", slog.String("system", System), slog.String("quote", ref.Key))
	}
	if placed == nil {
		return nil, notFound(op)
	}
	return placed, nil
}
