package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// Search is a page of products that were found. The search is required; without
// the catalogue the list is empty and degraded.
func (s *Screens) Search(ctx context.Context, v Viewer, q commerce.SearchQuery) (*api.SearchScreen, error) {
	p, cancel := s.begin(ctx)
	defer cancel()
	shown := &api.SearchScreen{}
	p.required("products", commerce.OpSearch, func(ctx context.Context) error {
		found, err := s.Ports.Search.Search(ctx, v.Market, q)
		if err != nil {
			return err
		}
		shown.Products = listOf(found)
		p.may(ctx, "products.items", commerce.OpProducts, func(ctx context.Context) (err error) {
			shown.Products.Items, err = p.cards(ctx, v, "products", found.SKUs)
			return err
		})
		return nil
	})
	var err error
	shown.Degraded, err = p.wait()
	return shown, err
}

// search adds a list of products as an optional part. Input that the search
// refuses still fails the screen: the client can put it right.
func (p *parts) search(name string, v Viewer, q commerce.SearchQuery, into *api.ProductList) {
	p.group.Go(func() error {
		var refused error
		p.may(p.ctx, name, commerce.OpSearch, func(ctx context.Context) error {
			found, err := p.screens.Ports.Search.Search(ctx, v.Market, q)
			if err != nil {
				if commerce.KindOf(err) == commerce.ErrInvalid {
					refused = err
				}
				return err
			}
			*into = listOf(found)
			p.may(ctx, name+".items", commerce.OpProducts, func(ctx context.Context) (err error) {
				into.Items, err = p.cards(ctx, v, name, found.SKUs)
				return err
			})
			return nil
		})
		return refused
	})
}

func listOf(found *commerce.SearchResult) api.ProductList {
	list := api.ProductList{Total: found.Total, HasNext: found.HasNext, EndCursor: found.EndCursor}
	for _, f := range found.Facets {
		if len(f.Values) == 0 {
			continue // nothing to choose
		}
		facet := api.Facet{Code: f.Code, Label: f.Label, Values: make([]api.FacetValue, len(f.Values))}
		for i, value := range f.Values {
			facet.Values[i] = api.FacetValue{Value: value.Value, Label: value.Label, Count: value.Count, Selected: value.Selected}
		}
		list.Facets = append(list.Facets, facet)
	}
	return list
}
