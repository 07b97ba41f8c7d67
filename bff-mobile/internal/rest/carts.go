package rest

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/fields"
	"github.com/portico-bff/portico/bff-mobile/internal/rules"
	"github.com/portico-bff/portico/bff-mobile/internal/strict"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/schema/commerce"
)

// contract is what clients may send, compiled once.
var contract = rules.MustCompile(api.Operations)

// body decodes an operation's body into target and holds it against the contract. What
// the domain asks beyond that is checked behind it.
func body(c *fiber.Ctx, operation string, target any) error {
	data, err := web.JSONBody(c)
	if err != nil {
		return err
	}
	return strict.Decode(data, contract.Operation(operation).Body, target)
}

// empty accepts {} or nothing.
func empty(c *fiber.Ctx, operation string) error {
	if len(c.Request().Body()) == 0 {
		return nil
	}
	return body(c, operation, &struct{}{})
}

func cartID(c *fiber.Ctx) (commerce.CartID, error) { return commerce.ParseCartID("id", c.Params("id")) }

// edit is a change that answers the cart.
func edit(operation string, id commerce.CartID, do func(context.Context, commerce.Shopper) (*commerce.Cart, error)) change {
	return change{operation: operation, cart: id, edits: true, run: func(ctx context.Context, s commerce.Shopper) (int, any, error) {
		cart, err := do(ctx, s)
		if err != nil {
			return 0, nil, err
		}
		return fiber.StatusOK, screen.Cart(cart, s.Market.Locale), nil
	}}
}

// readCart answers the cart as a resource, with the tag that If-Match takes.
func (a *API) readCart(c *fiber.Ctx) error {
	id, err := cartID(c)
	if err != nil {
		return err
	}
	if q := readQuery(c, "readCart"); q.err != nil {
		return q.err
	}
	if err := charge(c, fields.Set{}); err != nil {
		return err
	}
	s := web.CallerOf(c).Shopper
	cart, err := a.Ports.Carts.Cart(c.UserContext(), s, id)
	if err != nil {
		return named(err, writeNames)
	}
	c.Set(fiber.HeaderETag, etagOf(cart))
	return a.sendOwn(c, screen.Cart(cart, s.Market.Locale), nil)
}

func (a *API) createCart(c *fiber.Ctx) error {
	if err := empty(c, "createCart"); err != nil {
		return err
	}
	return a.write(c, change{operation: "createCart", run: func(ctx context.Context, s commerce.Shopper) (int, any, error) {
		cart, err := a.Ports.Carts.Create(ctx, s)
		if err != nil {
			return 0, nil, err
		}
		return fiber.StatusCreated, screen.Cart(cart, s.Market.Locale), nil
	}})
}

func (a *API) addLine(c *fiber.Ctx) error {
	id, err := cartID(c)
	if err != nil {
		return err
	}
	var in api.AddLine
	if err := body(c, "addLine", &in); err != nil {
		return err
	}
	sku, err := commerce.ParseSKU("sku", in.Sku)
	if err != nil {
		return err
	}
	quantity, err := commerce.ParseQuantity("quantity", in.Quantity)
	if err != nil {
		return err
	}
	return a.write(c, edit("addLine", id, func(ctx context.Context, s commerce.Shopper) (*commerce.Cart, error) {
		return a.Ports.CartLines.AddLine(ctx, s, id, sku, quantity)
	}))
}

// lineOf is the cart and the line that a path names.
func lineOf(c *fiber.Ctx) (commerce.CartID, commerce.LineID, error) {
	id, err := cartID(c)
	if err != nil {
		return "", "", err
	}
	line, err := commerce.ParseLineID("lineId", c.Params("lineId"))
	return id, line, err
}

func (a *API) setLine(c *fiber.Ctx) error {
	id, line, err := lineOf(c)
	if err != nil {
		return err
	}
	var in api.SetLine
	if err := body(c, "setLine", &in); err != nil {
		return err
	}
	quantity, err := commerce.ParseQuantity("quantity", in.Quantity)
	if err != nil {
		return err
	}
	return a.write(c, edit("setLine", id, func(ctx context.Context, s commerce.Shopper) (*commerce.Cart, error) {
		return a.Ports.CartLines.SetLine(ctx, s, id, line, quantity)
	}))
}

func (a *API) removeLine(c *fiber.Ctx) error {
	id, line, err := lineOf(c)
	if err != nil {
		return err
	}
	if err := web.NoBody(c); err != nil {
		return err
	}
	return a.write(c, edit("removeLine", id, func(ctx context.Context, s commerce.Shopper) (*commerce.Cart, error) {
		return a.Ports.CartLines.RemoveLine(ctx, s, id, line)
	}))
}

func (a *API) applyCoupon(c *fiber.Ctx) error {
	id, err := cartID(c)
	if err != nil {
		return err
	}
	var in api.ApplyCoupon
	if err := body(c, "applyCoupon", &in); err != nil {
		return err
	}
	code, err := commerce.ParseCoupon("code", in.Code)
	if err != nil {
		return err
	}
	ch := edit("applyCoupon", id, func(ctx context.Context, s commerce.Shopper) (*commerce.Cart, error) {
		return a.Ports.CartCoupons.ApplyCoupon(ctx, s, id, code)
	})
	ch.guess = true
	return a.write(c, ch)
}

func (a *API) removeCoupon(c *fiber.Ctx) error {
	id, err := cartID(c)
	if err != nil {
		return err
	}
	if err := web.NoBody(c); err != nil {
		return err
	}
	return a.write(c, edit("removeCoupon", id, func(ctx context.Context, s commerce.Shopper) (*commerce.Cart, error) {
		return a.Ports.CartCoupons.RemoveCoupon(ctx, s, id)
	}))
}

// mergeCart takes the guest's cart from the path. Only a customer can own what
// it becomes.
func (a *API) mergeCart(c *fiber.Ctx) error {
	id, err := cartID(c)
	if err != nil {
		return err
	}
	if err := empty(c, "mergeCart"); err != nil {
		return err
	}
	switch {
	case web.CallerOf(c).Principal.Anonymous():
		return commerce.ErrUnauthenticated
	case !id.Guest():
		return &commerce.InputError{Field: "id", Code: commerce.CodeInvalid, Message: "must be a guest's cart, beginning with g_"}
	}
	return a.write(c, edit("mergeCart", id, func(ctx context.Context, s commerce.Shopper) (*commerce.Cart, error) {
		return a.Ports.Carts.Merge(ctx, s, id)
	}))
}
