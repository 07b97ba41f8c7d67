package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// categoryParts are two rounds of calls: the search tells which products to ask for.
var categoryParts = append([]part[category]{
	{Part{Name: "category", Op: commerce.OpCategoryTree, Required: true, Share: wholeTime}, (*category).loadCategory},
	{Part{Name: "products", Op: commerce.OpSearch, Priority: 1, Share: firstTime, Input: true, Fields: []string{"products"}}, (*category).loadFound},
}, cardParts("products", "products.items", func(c *category) *cards { return &c.cards })...)

type category struct {
	listing

	id    commerce.CategoryID
	shown api.CategoryScreen
}

// Category is a category with a page of its products. The category itself is
// required; one that is not in the tree is [commerce.ErrNotFound].
func (s *Screens) Category(ctx context.Context, v Viewer, id commerce.CategoryID, q commerce.SearchQuery) (*api.CategoryScreen, error) {
	q.Filter.Category = id
	c := &category{listing: listed(s, v, q), id: id}
	degraded, err := compose(ctx, s, wanted(v, categoryParts), c)
	if err != nil {
		return nil, err
	}
	c.shown.Products, c.shown.Degraded = c.page(), degraded
	return &c.shown, nil
}

func (c *category) loadCategory(ctx context.Context) error {
	tree, err := c.Ports.Categories.Tree(ctx, c.viewer.Market)
	if err != nil {
		return err
	}
	of := tree.Category(c.id)
	if of == nil {
		return &commerce.InputError{Field: "id", Code: commerce.CodeInvalid, Message: "is not a known category", Kind: commerce.ErrNotFound}
	}
	c.shown.Id, c.shown.Name, c.shown.Description = string(of.ID), of.Name, of.Description
	c.shown.Image = image(of.Image, c.viewer.Hero)
	c.shown.Breadcrumbs, c.shown.Children = links(tree.Path(c.id)), tiles(c.viewer, of.Children)
	return nil
}
