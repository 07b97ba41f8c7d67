package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

const featured = 10 // products

// Home is the app's first screen. It fails only when none of its parts can be had.
func (s *Screens) Home(ctx context.Context, v Viewer) (*api.HomeScreen, error) {
	p, cancel := s.begin(ctx)
	defer cancel()
	shown := &api.HomeScreen{}
	p.optional("categories", commerce.OpCategoryTree, func(ctx context.Context) error {
		tree, err := s.Ports.Categories.Tree(ctx, v.Market)
		if err == nil {
			shown.Categories = tiles(v, tree.Roots)
		}
		return err
	})
	p.optional("page", commerce.OpPages, func(ctx context.Context) error {
		pages, err := s.Ports.Content.Pages(ctx, v.Market, []commerce.PageID{s.HomePage})
		if page := pages[s.HomePage]; page != nil {
			shown.Page = api.Page{Title: page.Title, Body: page.Body, Image: image(page.Image, v.width(heroWidth))}
			return nil
		}
		return err
	})
	p.optional("featured", commerce.OpSearch, func(ctx context.Context) error {
		found, err := s.Ports.Search.Search(ctx, v.Market, commerce.SearchQuery{
			Filter: commerce.SearchFilter{InStock: true}, Sort: commerce.SortNewest, First: featured,
		})
		if err != nil {
			return err
		}
		p.may(ctx, "featured.items", commerce.OpProducts, func(ctx context.Context) (err error) {
			shown.Featured, err = p.cards(ctx, v, "featured", found.SKUs)
			return err
		})
		return nil
	})
	var err error
	shown.Degraded, err = p.waitAny()
	return shown, err
}
