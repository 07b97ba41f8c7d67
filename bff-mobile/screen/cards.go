package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// cards are products of a list with prices and stock, which are parts of their own.
type cards struct {
	asked

	skus         []commerce.SKU
	products     map[commerce.SKU]*commerce.Product
	prices       map[commerce.PriceKey]*commerce.Price
	availability map[commerce.SKU]*commerce.Availability
}

// cardParts are the parts of a list whose products the part called name tells; its cards are
// the property called field.
func cardParts[S any](name, field string, of func(*S) *cards) []part[S] {
	return []part[S]{
		{
			Part{Name: name + ".items", Op: commerce.OpProducts, Priority: 1, Share: wholeTime, After: name, Fields: []string{field}},
			func(s *S, ctx context.Context) error { return of(s).loadProducts(ctx) },
		},
		{
			Part{Name: name + ".price", Op: commerce.OpPrices, Priority: 1, Share: wholeTime, After: name, Fields: []string{field + ".price"}},
			func(s *S, ctx context.Context) error { return of(s).loadPrices(ctx) },
		},
		{
			Part{Name: name + ".availability", Op: commerce.OpAvailability, Priority: 2, Share: wholeTime, After: name, Fields: []string{field + ".inStock"}},
			func(s *S, ctx context.Context) error { return of(s).loadAvailability(ctx) },
		},
	}
}

func (c *cards) loadProducts(ctx context.Context) (err error) {
	if len(c.skus) > 0 {
		c.products, err = c.Ports.Catalog.Products(ctx, c.viewer.Market, c.skus)
	}
	return partial(err, len(c.products))
}

func (c *cards) loadPrices(ctx context.Context) (err error) {
	if len(c.skus) > 0 {
		c.prices, err = c.Ports.Pricing.Prices(ctx, c.viewer.Market, c.viewer.Group, keys(c.skus))
	}
	return err
}

func (c *cards) loadAvailability(ctx context.Context) (err error) {
	if len(c.skus) > 0 {
		c.availability, err = c.Ports.Inventory.Availability(ctx, c.viewer.Market, c.skus)
	}
	return err
}

// inOrder are the cards in the order of the list; products that are not known are left out.
func (c *cards) inOrder() []api.ProductCard {
	if len(c.products) == 0 {
		return nil
	}
	list := make([]api.ProductCard, 0, len(c.skus))
	for _, sku := range c.skus {
		if product := c.products[sku]; product != nil {
			list = append(list, card(c.viewer, product, c.prices[one(sku)], c.availability[sku]))
		}
	}
	return list
}

// partial lets a batch stand of which only some keys failed: the cache has
// reported those.
func partial(err error, have int) error {
	if have > 0 {
		return nil
	}
	return err
}

func card(v Viewer, product *commerce.Product, price *commerce.Price, available *commerce.Availability) api.ProductCard {
	c := api.ProductCard{Sku: string(product.SKU), Name: product.Name, Brand: product.Brand}
	if len(product.Images) > 0 {
		c.Image = image(&product.Images[0], v.Tile)
	}
	if price != nil {
		c.Price = priceOf(price, v.Market.Locale)
		c.Price.Tiers = nil // a list shows none
	}
	if available != nil {
		c.InStock = &available.InStock
	}
	return c
}

func one(sku commerce.SKU) commerce.PriceKey { return commerce.PriceKey{SKU: sku, Quantity: 1} }

func keys(skus []commerce.SKU) []commerce.PriceKey {
	list := make([]commerce.PriceKey, len(skus))
	for i, sku := range skus {
		list[i] = one(sku)
	}
	return list
}
