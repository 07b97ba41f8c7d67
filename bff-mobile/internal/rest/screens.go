package rest

import (
	"context"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/schema/commerce"
)

func (a *API) home(c *fiber.Ctx) error {
	q := readQuery(c, "homeScreen")
	v := viewer(c, q.width())
	if q.err != nil {
		return q.err
	}
	return a.shared(c, v, []string{strconv.Itoa(v.Width)}, func(ctx context.Context, v screen.Viewer) (composed, error) {
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
	search, v := q.products(), viewer(c, q.width())
	if q.err != nil {
		return q.err
	}
	what := append([]string{string(id)}, plain(search, v.Width)...)
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
	search, v := q.products(), viewer(c, q.width())
	if q.err != nil {
		return q.err
	}
	search.Text = strings.TrimSpace(search.Text)
	return a.shared(c, v, plain(search, v.Width), func(ctx context.Context, v screen.Viewer) (composed, error) {
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
	v := viewer(c, q.width())
	if q.err != nil {
		return q.err
	}
	return a.shared(c, v, []string{string(sku), strconv.Itoa(v.Width)}, func(ctx context.Context, v screen.Viewer) (composed, error) {
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
	v := viewer(c, q.width())
	if q.err != nil {
		return q.err
	}
	if err := charge(c); err != nil {
		return err
	}
	shown, err := a.Screens.Cart(c.UserContext(), v, id)
	if err != nil {
		return err
	}
	return a.sendOwn(c, shown)
}

func (a *API) account(c *fiber.Ctx) error {
	q := readQuery(c, "accountScreen")
	if q.err != nil {
		return q.err
	}
	if err := charge(c); err != nil {
		return err
	}
	shown, err := a.Screens.Account(c.UserContext(), viewer(c, 0))
	if err != nil {
		return err
	}
	return a.sendOwn(c, shown)
}

func (a *API) orders(c *fiber.Ctx) error {
	q := readQuery(c, "listOrders")
	v, page := viewer(c, 0), q.page()
	if q.err != nil {
		return q.err
	}
	if v.Principal.Anonymous() {
		return commerce.ErrUnauthenticated
	}
	if err := charge(c); err != nil {
		return err
	}
	shown, err := a.Screens.OrderList(c.UserContext(), v, page)
	if err != nil {
		return err
	}
	return a.sendOwn(c, shown)
}

func (a *API) order(c *fiber.Ctx) error {
	number, err := commerce.ParseOrderNumber("number", c.Params("number"))
	if err != nil {
		return err
	}
	token := c.Get("X-Order-Token")
	if err := contract.Operation("readOrder").CheckHeader("X-Order-Token", token); err != nil {
		return err
	}
	if q := readQuery(c, "readOrder"); q.err != nil {
		return q.err
	}
	if err := charge(c); err != nil {
		return err
	}
	shown, err := a.Screens.Order(c.UserContext(), viewer(c, 0), number, token)
	if err != nil {
		return err
	}
	return a.sendOwn(c, shown)
}
