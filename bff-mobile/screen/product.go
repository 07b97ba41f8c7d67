package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

const (
	latestReviews = 3
	relatedMost   = 12
)

// Product is a product with all that belongs to it. The product is required; one
// that is not published is [commerce.ErrNotFound].
func (s *Screens) Product(ctx context.Context, v Viewer, sku commerce.SKU) (*api.ProductScreen, error) {
	p, cancel := s.begin(ctx)
	defer cancel()
	shown := &api.ProductScreen{}
	var product *commerce.Product
	var tree *commerce.CategoryTree
	p.required("product", commerce.OpProducts, func(ctx context.Context) error {
		found, err := s.Ports.Catalog.Products(ctx, v.Market, []commerce.SKU{sku})
		if product = found[sku]; product == nil && err == nil {
			return &commerce.InputError{Field: "sku", Code: commerce.CodeUnknownProduct, Message: "is not a known product", Kind: commerce.ErrNotFound}
		}
		return err
	})
	p.optional("breadcrumbs", commerce.OpCategoryTree, func(ctx context.Context) (err error) {
		tree, err = s.Ports.Categories.Tree(ctx, v.Market)
		return err
	})
	p.offer(v, sku, shown)
	p.opinions(v, sku, shown)
	degraded, err := p.wait()
	if err != nil {
		return nil, err
	}
	shown.Degraded = degraded
	describe(shown, product, v)
	if tree != nil && len(product.Categories) > 0 {
		shown.Breadcrumbs = links(tree.Path(product.Categories[0].ID))
	}
	return shown, nil
}

// offer adds what the ERP knows.
func (p *parts) offer(v Viewer, sku commerce.SKU, into *api.ProductScreen) {
	ports := p.screens.Ports
	p.optional("price", commerce.OpPrices, func(ctx context.Context) error {
		prices, err := ports.Pricing.Prices(ctx, v.Market, v.Group, []commerce.PriceKey{one(sku)})
		if price := prices[one(sku)]; price != nil {
			into.Price = priceOf(price, v.Market.Locale)
		}
		return err
	})
	p.optional("availability", commerce.OpAvailability, func(ctx context.Context) error {
		found, err := ports.Inventory.Availability(ctx, v.Market, []commerce.SKU{sku})
		if a := found[sku]; a != nil {
			into.Availability = availability(a)
		}
		return err
	})
}

// opinions adds what others say and what goes with the product.
func (p *parts) opinions(v Viewer, sku commerce.SKU, into *api.ProductScreen) {
	ports := p.screens.Ports
	p.optional("reviews", commerce.OpReviews, func(ctx context.Context) error {
		found, err := ports.Reviews.Reviews(ctx, v.Market, []commerce.SKU{sku})
		if sum := found[sku]; sum != nil {
			into.Reviews = reviews(sum)
		}
		return err
	})
	p.optional("related", commerce.OpRelated, func(ctx context.Context) error {
		found, err := ports.Related.Related(ctx, v.Market, []commerce.SKU{sku})
		if err != nil {
			return err
		}
		into.Related = suggestions(v, found[sku])
		return nil
	})
}

// suggestions are cards of what goes with a product. They have neither price nor stock:
// to ask for those one has to know which products they are, and the screen would wait
// for a second round of calls.
func suggestions(v Viewer, found []commerce.RelatedProduct) []api.ProductCard {
	found = found[:min(len(found), relatedMost)]
	list := make([]api.ProductCard, len(found))
	for i, p := range found {
		list[i] = api.ProductCard{Sku: string(p.SKU), Name: p.Name, Brand: p.Brand, Image: image(p.Image, v.width(tileWidth))}
	}
	return list
}

func describe(into *api.ProductScreen, product *commerce.Product, v Viewer) {
	into.Sku, into.Name, into.Brand, into.Description = string(product.SKU), product.Name, product.Brand, product.Description
	for i := range product.Images {
		into.Images = append(into.Images, image(&product.Images[i], v.width(heroWidth)))
	}
	for _, a := range product.Attributes {
		into.Attributes = append(into.Attributes, api.Attribute{Code: a.Code, Label: a.Label, Value: a.Value, Unit: a.Unit})
	}
	for _, variant := range product.Variants {
		shown := api.Variant{Sku: string(variant.SKU), Name: variant.Name}
		for _, o := range variant.Options {
			shown.Options = append(shown.Options, api.Option{Code: o.Code, Value: o.Value})
		}
		into.Variants = append(into.Variants, shown)
	}
}

func availability(a *commerce.Availability) *api.Availability {
	shown := &api.Availability{InStock: a.InStock, Quantity: a.Quantity}
	for _, l := range a.Locations {
		shown.Locations = append(shown.Locations, api.Location{Name: l.Name, Quantity: l.Quantity})
	}
	return shown
}

func reviews(sum *commerce.ReviewSummary) *api.Reviews {
	shown := &api.Reviews{Count: sum.Count, Average: sum.Average}
	for _, r := range sum.Reviews[:min(len(sum.Reviews), latestReviews)] {
		shown.Latest = append(shown.Latest, api.Review{Author: r.Author, Rating: r.Rating, Body: r.Body, CreatedAt: r.CreatedAt})
	}
	return shown
}
