package screen

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// cards loads products of a list with prices and stock, in one round, in the
// order of skus; those that are not known are left out. Prices and stock are
// parts of their own, named after the list's.
func (p *parts) cards(ctx context.Context, v Viewer, name string, skus []commerce.SKU) ([]api.ProductCard, error) {
	if len(skus) == 0 {
		return nil, nil //nolint:nilnil // no products, no cards
	}
	var (
		products     map[commerce.SKU]*commerce.Product
		prices       map[commerce.PriceKey]*commerce.Price
		availability map[commerce.SKU]*commerce.Availability
	)
	ports := p.screens.Ports
	var group errgroup.Group // without a context: a list that fails says nothing about its prices
	group.Go(func() (err error) {
		products, err = ports.Catalog.Products(ctx, v.Market, skus)
		return partial(err, len(products))
	})
	group.Go(func() error {
		p.may(ctx, name+".price", commerce.OpPrices, func(ctx context.Context) (err error) {
			prices, err = ports.Pricing.Prices(ctx, v.Market, v.Group, keys(skus))
			return err
		})
		return nil
	})
	group.Go(func() error {
		p.may(ctx, name+".availability", commerce.OpAvailability, func(ctx context.Context) (err error) {
			availability, err = ports.Inventory.Availability(ctx, v.Market, skus)
			return err
		})
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	list := make([]api.ProductCard, 0, len(skus))
	for _, sku := range skus {
		if product := products[sku]; product != nil {
			list = append(list, card(v, product, prices[one(sku)], availability[sku]))
		}
	}
	return list, nil
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
		c.Image = image(&product.Images[0], v.width(tileWidth))
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
