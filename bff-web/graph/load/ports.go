package load

import (
	"context"

	"github.com/portico-bff/portico/schema/commerce"
)

// How each batch asks its port, for whom the loader says.

func askProducts(ctx context.Context, l *request, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	return l.ports.Catalog.Products(ctx, l.shopper.Market, skus)
}

func askRelated(ctx context.Context, l *request, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	return l.ports.Related.Related(ctx, l.shopper.Market, skus)
}

func askPrices(ctx context.Context, l *request, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	return l.ports.Pricing.Prices(ctx, l.shopper.Market, l.Group, keys)
}

func askAvailability(ctx context.Context, l *request, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	return l.ports.Inventory.Availability(ctx, l.shopper.Market, skus)
}

func askReviews(ctx context.Context, l *request, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	return l.ports.Reviews.Reviews(ctx, l.shopper.Market, skus)
}

func askPages(ctx context.Context, l *request, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	return l.ports.Content.Pages(ctx, l.shopper.Market, ids)
}

func askTree(ctx context.Context, l *request, _ []One) (map[One]*commerce.CategoryTree, error) {
	return one(l.ports.Categories.Tree(ctx, l.shopper.Market))
}

func askCustomer(ctx context.Context, l *request, _ []One) (map[One]*commerce.Customer, error) {
	return one(l.ports.Customers.Customer(ctx, l.shopper.Principal))
}

// one is what a request reads as a whole, as a batch's answer.
func one[V any](v V, err error) (map[One]V, error) {
	if err != nil {
		return nil, err
	}
	return map[One]V{{}: v}, nil
}

var (
	askSearch = questions(func(ctx context.Context, l *request, q commerce.SearchQuery) (*commerce.SearchResult, error) {
		return l.ports.Search.Search(ctx, l.shopper.Market, q)
	})
	askShipping = questions(func(ctx context.Context, l *request, q ShippingQuery) ([]commerce.ShippingOption, error) {
		return l.ports.CheckoutOptions.ShippingOptions(ctx, l.shopper, q.Cart, q.To)
	})
)
