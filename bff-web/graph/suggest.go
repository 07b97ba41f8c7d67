package graph

import (
	"context"

	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/schema/commerce"
)

// recommendations are products for the caller, best first; those that the PIM does not
// publish are left out.
func (r *Resolver) recommendations(ctx context.Context, seeds []string, first int) ([]*commerce.Product, error) {
	skus := make([]commerce.SKU, len(seeds))
	for i, s := range seeds {
		skus[i] = commerce.SKU(s)
	}
	found, err := read(ctx, commerce.OpRecommend, func(ctx context.Context) ([]commerce.SKU, error) {
		return r.Ports.Recommendations.Recommend(ctx, caller.Shopper(ctx), skus, first)
	})
	if err != nil {
		return nil, err
	}
	planAt(ctx, found, nil)
	return listed(ctx, found, true), nil
}

// breadcrumbs are, for each product, the way to the deepest of its categories.
func breadcrumbs(ctx context.Context, products []*commerce.Product) ([][]*commerce.CategoryRef, error) {
	one := func(p *commerce.Product) (load.One, bool) { return load.One{}, p != nil }
	trees, err := keyed(ctx, commerce.OpCategoryTree, load.From(ctx).Tree, products, one)
	list := make([][]*commerce.CategoryRef, len(products))
	for i, tree := range trees {
		if tree != nil && products[i] != nil {
			list[i] = crumbs(deepestWay(tree, products[i]))
		}
	}
	return list, err
}
