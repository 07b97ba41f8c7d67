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

// productParts are one round of calls: all that is asked for is known from the request.
var productParts = []part[product]{
	{Part{Name: "product", Op: commerce.OpProducts, Required: true, Share: wholeTime}, (*product).loadProduct},
	{Part{Name: "price", Op: commerce.OpPrices, Priority: 1, Share: wholeTime, Fields: []string{"price"}}, (*product).loadPrice},
	{Part{Name: "availability", Op: commerce.OpAvailability, Priority: 1, Share: wholeTime, Fields: []string{"availability"}}, (*product).loadAvailability},
	{Part{Name: "breadcrumbs", Op: commerce.OpCategoryTree, Priority: 3, Share: mostTime, Fields: []string{"breadcrumbs"}}, (*product).loadTree},
	{Part{Name: "reviews", Op: commerce.OpReviews, Priority: 3, Share: mostTime, Fields: []string{"reviews"}}, (*product).loadReviews},
	{Part{Name: "related", Op: commerce.OpRelated, Priority: 4, Share: firstTime, Fields: []string{"related"}}, (*product).loadRelated},
}

type product struct {
	asked

	sku   commerce.SKU
	found *commerce.Product
	tree  *commerce.CategoryTree
	shown api.ProductScreen
}

// Product is a product with all that belongs to it. The product is required; one
// that is not published is [commerce.ErrNotFound].
func (s *Screens) Product(ctx context.Context, v Viewer, sku commerce.SKU) (*api.ProductScreen, error) {
	p := &product{asked: asked{s, v}, sku: sku}
	degraded, err := compose(ctx, s, wanted(v, productParts), p)
	if err != nil {
		return nil, err
	}
	p.shown.Degraded = degraded
	describe(&p.shown, p.found, v)
	if p.tree != nil && len(p.found.Categories) > 0 {
		p.shown.Breadcrumbs = links(p.tree.Path(p.found.Categories[0].ID))
	}
	return &p.shown, nil
}

func (p *product) loadProduct(ctx context.Context) error {
	found, err := p.Ports.Catalog.Products(ctx, p.viewer.Market, []commerce.SKU{p.sku})
	if p.found = found[p.sku]; p.found == nil && err == nil {
		return &commerce.InputError{Field: "sku", Code: commerce.CodeUnknownProduct, Message: "is not a known product", Kind: commerce.ErrNotFound}
	}
	return err
}

func (p *product) loadTree(ctx context.Context) (err error) {
	p.tree, err = p.Ports.Categories.Tree(ctx, p.viewer.Market)
	return err
}

func (p *product) loadPrice(ctx context.Context) error {
	key := one(p.sku)
	prices, err := p.Ports.Pricing.Prices(ctx, p.viewer.Market, p.viewer.Group, []commerce.PriceKey{key})
	if price := prices[key]; price != nil {
		p.shown.Price = priceOf(price, p.viewer.Market.Locale)
	}
	return err
}

func (p *product) loadAvailability(ctx context.Context) error {
	found, err := p.Ports.Inventory.Availability(ctx, p.viewer.Market, []commerce.SKU{p.sku})
	if a := found[p.sku]; a != nil {
		p.shown.Availability = availability(a, p.viewer.Market.Locale)
	}
	return err
}

func (p *product) loadReviews(ctx context.Context) error {
	found, err := p.Ports.Reviews.Reviews(ctx, p.viewer.Market, []commerce.SKU{p.sku})
	if sum := found[p.sku]; sum != nil {
		p.shown.Reviews = reviews(sum, p.viewer.Market.Locale)
	}
	return err
}

func (p *product) loadRelated(ctx context.Context) error {
	found, err := p.Ports.Related.Related(ctx, p.viewer.Market, []commerce.SKU{p.sku})
	if err == nil {
		p.shown.Related = suggestions(p.viewer, found[p.sku])
	}
	return err
}

// suggestions are cards of what goes with a product. They have neither price nor stock:
// to ask for those one has to know which products they are, and the screen would wait
// for a second round of calls.
func suggestions(v Viewer, found []commerce.RelatedProduct) []api.ProductCard {
	found = found[:min(len(found), relatedMost)]
	list := make([]api.ProductCard, len(found))
	for i, p := range found {
		list[i] = api.ProductCard{Sku: string(p.SKU), Name: p.Name, Brand: p.Brand, Image: image(p.Image, v.Tile)}
	}
	return list
}

func describe(into *api.ProductScreen, product *commerce.Product, v Viewer) {
	into.Sku, into.Name, into.Brand, into.Description = string(product.SKU), product.Name, product.Brand, product.Description
	for i := range product.Images {
		into.Images = append(into.Images, image(&product.Images[i], v.Hero))
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

// availability is what decides about buying. Where the pieces lie is the back office's business.
func availability(a *commerce.Availability, locale string) *api.Availability {
	return &api.Availability{InStock: a.InStock, Quantity: a.Quantity, QuantityText: count(a.Quantity, locale)}
}

func reviews(sum *commerce.ReviewSummary, locale string) *api.Reviews {
	shown := &api.Reviews{Count: sum.Count, CountText: count(sum.Count, locale), Average: sum.Average, AverageText: mean(sum.Average, locale)}
	for _, r := range sum.Reviews[:min(len(sum.Reviews), latestReviews)] {
		shown.Latest = append(shown.Latest, api.Review{Author: r.Author, Rating: r.Rating, Body: r.Body, CreatedAt: r.CreatedAt, CreatedOn: Day(r.CreatedAt, locale)})
	}
	return shown
}
