package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// Category is a category with a page of its products. The category itself is
// required; one that is not in the tree is [commerce.ErrNotFound].
func (s *Screens) Category(ctx context.Context, v Viewer, id commerce.CategoryID, q commerce.SearchQuery) (*api.CategoryScreen, error) {
	p, cancel := s.begin(ctx)
	defer cancel()
	shown := &api.CategoryScreen{}
	p.required("category", commerce.OpCategoryTree, func(ctx context.Context) error {
		tree, err := s.Ports.Categories.Tree(ctx, v.Market)
		if err != nil {
			return err
		}
		c := tree.Category(id)
		if c == nil {
			return &commerce.InputError{Field: "id", Code: commerce.CodeInvalid, Message: "is not a known category", Kind: commerce.ErrNotFound}
		}
		shown.Id, shown.Name, shown.Description = string(c.ID), c.Name, c.Description
		shown.Image = image(c.Image, v.width(heroWidth))
		shown.Breadcrumbs, shown.Children = links(tree.Path(id)), tiles(v, c.Children)
		return nil
	})
	q.Filter.Category = id
	p.search("products", v, q, &shown.Products)
	var err error
	shown.Degraded, err = p.wait()
	return shown, err
}
