package rest

import (
	"context"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/schema/commerce"
)

func (a *API) home(c *fiber.Ctx) error {
	q := readQuery(c, "homeScreen")
	v := viewer(c, q)
	if q.err != nil {
		return q.err
	}
	return a.shared(c, v, looks(v), func(ctx context.Context, v screen.Viewer) (composed, error) {
		shown, err := a.Screens.Home(ctx, v)
		if err != nil {
			return composed{}, err
		}
		return composed{shown, shown.Degraded}, nil
	})
}

func (a *API) category(c *fiber.Ctx) error {
	id, err := commerce.ParseCategoryID("id", c.Params("id"))
	if err != nil {
		return err
	}
	q := readQuery(c, "categoryScreen")
	search, v := q.products(), viewer(c, q)
	if q.err != nil {
		return q.err
	}
	what := slices.Concat([]string{string(id)}, looks(v), plain(search))
	return a.shared(c, v, what, func(ctx context.Context, v screen.Viewer) (composed, error) {
		shown, err := a.Screens.Category(ctx, v, id, search)
		if err != nil {
			return composed{}, named(err, listNames)
		}
		return composed{shown, shown.Degraded}, nil
	})
}

func (a *API) search(c *fiber.Ctx) error {
	q := readQuery(c, "searchScreen")
	search, v := q.products(), viewer(c, q)
	if q.err != nil {
		return q.err
	}
	search.Text = strings.TrimSpace(search.Text)
	return a.shared(c, v, append(looks(v), plain(search)...), func(ctx context.Context, v screen.Viewer) (composed, error) {
		shown, err := a.Screens.Search(ctx, v, search)
		if err != nil {
			return composed{}, named(err, listNames)
		}
		return composed{shown, shown.Degraded}, nil
	})
}

func (a *API) product(c *fiber.Ctx) error {
	sku, err := commerce.ParseSKU("sku", c.Params("sku"))
	if err != nil {
		return err
	}
	q := readQuery(c, "productScreen")
	v := viewer(c, q)
	if q.err != nil {
		return q.err
	}
	return a.shared(c, v, append(looks(v), string(sku)), func(ctx context.Context, v screen.Viewer) (composed, error) {
		shown, err := a.Screens.Product(ctx, v, sku)
		if err != nil {
			return composed{}, err
		}
		return composed{shown, shown.Degraded}, nil
	})
}

func (a *API) cart(c *fiber.Ctx) error {
	id, err := commerce.ParseCartID("cartId", c.Params("cartId"))
	if err != nil {
		return err
	}
	q := readQuery(c, "cartScreen")
	v := viewer(c, q)
	if q.err != nil {
		return q.err
	}
	if err := charge(c, v.Fields); err != nil {
		return err
	}
	shown, err := a.Screens.Cart(c.UserContext(), v, id)
	if err != nil {
		return err
	}
	v.Fields.Trim(shown)
	return a.sendOwn(c, shown, shown.Degraded)
}

func (a *API) checkout(c *fiber.Ctx) error {
	id, err := commerce.ParseCartID("cartId", c.Params("cartId"))
	if err != nil {
		return err
	}
	q := readQuery(c, "checkoutScreen")
	v := viewer(c, q)
	if q.err != nil {
		return q.err
	}
	if err := charge(c, v.Fields); err != nil {
		return err
	}
	shown, err := a.Screens.Checkout(c.UserContext(), v, id)
	if err != nil {
		return err
	}
	v.Fields.Trim(shown)
	return a.sendOwn(c, shown, shown.Degraded)
}

func (a *API) account(c *fiber.Ctx) error {
	q := readQuery(c, "accountScreen")
	v := viewer(c, q)
	if q.err != nil {
		return q.err
	}
	if err := charge(c, v.Fields); err != nil {
		return err
	}
	shown, err := a.Screens.Account(c.UserContext(), v)
	if err != nil {
		return err
	}
	v.Fields.Trim(shown)
	return a.sendOwn(c, shown, shown.Degraded)
}

func (a *API) orders(c *fiber.Ctx) error {
	q := readQuery(c, "listOrders")
	v, page := viewer(c, q), q.page()
	if q.err != nil {
		return q.err
	}
	if v.Principal.Anonymous() {
		return commerce.ErrUnauthenticated
	}
	if err := charge(c, v.Fields); err != nil {
		return err
	}
	shown, err := a.Screens.OrderList(c.UserContext(), v, page)
	if err != nil {
		return err
	}
	v.Fields.Trim(shown)
	return a.sendOwn(c, shown, shown.Degraded)
}

func (a *API) order(c *fiber.Ctx) error {
	number, err := commerce.ParseOrderNumber("number", c.Params("number"))
	if err != nil {
		return err
	}
	token := c.Get("X-Order-Token")
	q := readQuery(c, "readOrder")
	v := viewer(c, q)
	if q.err != nil {
		return q.err
	}
	if err := charge(c, v.Fields); err != nil {
		return err
	}
	shown, err := a.Screens.Order(c.UserContext(), v, number, token)
	if err != nil {
		return err
	}
	v.Fields.Trim(shown)
	return a.sendOwn(c, shown, shown.Degraded)
}
