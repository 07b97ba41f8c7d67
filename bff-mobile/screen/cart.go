package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// cartParts are two rounds of calls: the cart tells what is in it.
var cartParts = []part[cart]{
	{Part{Name: "cart", Op: commerce.OpCartRead, Required: true, Share: mostTime}, (*cart).loadCart},
	{Part{Name: "lines.available", Op: commerce.OpAvailability, Priority: 2, Share: wholeTime, After: "cart", Fields: []string{"cart.lines.available"}}, (*cart).loadStock},
	{Part{Name: "lines.image", Op: commerce.OpProducts, Priority: 3, Share: wholeTime, After: "cart", Fields: []string{"cart.lines.image"}}, (*cart).loadProducts},
}

type cart struct {
	asked

	id       commerce.CartID
	found    *commerce.Cart
	skus     []commerce.SKU
	products map[commerce.SKU]*commerce.Product
	stock    map[commerce.SKU]*commerce.Availability
}

// Cart is a cart with pictures and stock of what is in it. The cart is required.
func (s *Screens) Cart(ctx context.Context, v Viewer, id commerce.CartID) (*api.CartScreen, error) {
	c := &cart{asked: asked{s, v}, id: id}
	degraded, err := compose(ctx, s, wanted(v, cartParts), c)
	if err != nil {
		return nil, err
	}
	shown := &api.CartScreen{Cart: Cart(c.found, v.Market.Locale), Degraded: degraded}
	for i, l := range c.found.Lines {
		if product := c.products[l.SKU]; product != nil && len(product.Images) > 0 {
			shown.Cart.Lines[i].Image = image(&product.Images[0], v.Tile)
		}
		if a := c.stock[l.SKU]; a != nil {
			line := &shown.Cart.Lines[i]
			line.Available, line.AvailableText = &a.Quantity, count(a.Quantity, v.Market.Locale)
		}
	}
	return shown, nil
}

func (c *cart) loadCart(ctx context.Context) error {
	found, err := c.Ports.Carts.Cart(ctx, c.viewer.Shopper, c.id)
	if err != nil {
		return err
	}
	c.found = found
	for _, l := range found.Lines[:min(len(found.Lines), commerce.MaxBatch)] {
		c.skus = append(c.skus, l.SKU)
	}
	return nil
}

func (c *cart) loadProducts(ctx context.Context) (err error) {
	if len(c.skus) > 0 {
		c.products, err = c.Ports.Catalog.Products(ctx, c.viewer.Market, c.skus)
	}
	return err
}

func (c *cart) loadStock(ctx context.Context) (err error) {
	if len(c.skus) > 0 {
		c.stock, err = c.Ports.Inventory.Availability(ctx, c.viewer.Market, c.skus)
	}
	return err
}
