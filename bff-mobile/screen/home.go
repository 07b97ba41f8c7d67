package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

const featured = 10 // products

// homeParts are two rounds of calls: the search tells which products to ask for.
var homeParts = append([]part[home]{
	{Part{Name: "categories", Op: commerce.OpCategoryTree, Priority: 1, Share: wholeTime, Fields: []string{"categories"}}, (*home).loadCategories},
	{Part{Name: "page", Op: commerce.OpPages, Priority: 3, Share: mostTime, Fields: []string{"page"}}, (*home).loadPage},
	{Part{Name: "featured", Op: commerce.OpSearch, Priority: 2, Share: firstTime, Fields: []string{"featured"}}, (*home).loadFeatured},
}, cardParts("featured", "featured", func(h *home) *cards { return &h.cards })...)

type home struct {
	cards

	shown api.HomeScreen
}

// Home is the app's first screen. It fails only when none of its parts can be had.
func (s *Screens) Home(ctx context.Context, v Viewer) (*api.HomeScreen, error) {
	h := &home{cards: cards{asked: asked{s, v}}}
	degraded, err := compose(ctx, s, wanted(v, homeParts), h)
	if err != nil {
		return nil, err
	}
	h.shown.Featured, h.shown.Degraded = h.inOrder(), degraded
	return &h.shown, nil
}

func (h *home) loadCategories(ctx context.Context) error {
	tree, err := h.Ports.Categories.Tree(ctx, h.viewer.Market)
	if err == nil {
		h.shown.Categories = tiles(h.viewer, tree.Roots)
	}
	return err
}

func (h *home) loadPage(ctx context.Context) error {
	id := h.HomePage
	pages, err := h.Ports.Content.Pages(ctx, h.viewer.Market, []commerce.PageID{id})
	if page := pages[id]; page != nil {
		h.shown.Page = api.Page{Title: page.Title, Body: page.Body, Image: image(page.Image, h.viewer.Hero)}
		return nil
	}
	return err
}

func (h *home) loadFeatured(ctx context.Context) error {
	found, err := h.Ports.Search.Search(ctx, h.viewer.Market, commerce.SearchQuery{
		Filter: commerce.SearchFilter{InStock: true}, Sort: commerce.SortNewest, First: featured, NoFacets: true,
	})
	if err == nil {
		h.skus = found.SKUs
	}
	return err
}
