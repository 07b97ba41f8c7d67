package magento

import (
	"context"
	"errors"

	"github.com/portico-bff/portico/schema/commerce"
)

// Merge implements [commerce.Carts]. Magento's own merge wants the customer's
// token, so lines move one by one: added to the customer's cart, then taken out of
// the guest's. A call that is repeated after a failure goes on where it stopped.
// A line that the customer's cart refuses (out of stock) stays where it is, the
// others move, and the refusal is the answer.
func (c *connector) Merge(ctx context.Context, s commerce.Shopper, guest commerce.CartID) (*commerce.Cart, error) {
	const op = commerce.OpCartMerge
	if s.Principal.Anonymous() {
		return nil, &commerce.InputError{Code: commerce.CodeSignInRequired, Message: "sign in to merge carts", Kind: commerce.ErrUnauthenticated}
	}
	if !guest.Guest() {
		return nil, notFound(op)
	}
	from, err := c.identify(ctx, op, s, guest)
	if err != nil {
		return nil, err
	}
	release, err := c.turns.take(ctx, op, from)
	if err != nil {
		return nil, err
	}
	defer release()
	if from.quote, err = c.quote(ctx, op, from); err != nil {
		return nil, err
	}
	into, err := c.create(ctx, op, s)
	if err != nil {
		return nil, err
	}
	return c.moveAll(ctx, op, from, into)
}

// moveAll holds the guest cart's turn already. A guest's cart is always taken
// before a customer's, so two merges cannot wait for each other.
func (c *connector) moveAll(ctx context.Context, op commerce.Operation, from, into *opened) (*commerce.Cart, error) {
	release, err := c.turns.take(ctx, op, into)
	if err != nil {
		return nil, err
	}
	defer release()
	var refusal error
	for _, item := range from.quote.Items {
		err := c.move(ctx, op, item, from, into)
		if _, refused := errors.AsType[*commerce.InputError](err); refused {
			refusal = errors.Join(refusal, err)
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	if refusal != nil {
		first, _ := errors.AsType[*commerce.InputError](refusal)
		return nil, first
	}
	result, err := c.read(ctx, op, into)
	if err != nil {
		return nil, unknown(op, err)
	}
	return result, nil
}

func (c *connector) move(ctx context.Context, op commerce.Operation, item wireItem, from, into *opened) error {
	quantity, err := pieces(item.Qty)
	if err != nil || quantity == 0 {
		return failed(op, commerce.ErrUpstream, errWire.Error())
	}
	if err := c.add(ctx, op, into, commerce.SKU(item.SKU), quantity); err != nil {
		return err
	}
	return c.remove(ctx, op, from, commerce.LineID(item.ItemID))
}
