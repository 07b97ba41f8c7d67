package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

// searchParts are two rounds of calls: the search tells which products to ask for.
var searchParts = append([]part[listing]{
	{Part{Name: "products", Op: commerce.OpSearch, Required: true, Share: firstTime}, (*listing).loadFound},
}, cardParts("products", "products.items", func(l *listing) *cards { return &l.cards })...)

// listing is a page of products that are searched for.
type listing struct {
	cards

	query commerce.SearchQuery
	found *commerce.SearchResult
}

func listed(s *Screens, v Viewer, q commerce.SearchQuery) listing {
	return listing{cards: cards{asked: asked{s, v}}, query: q}
}

// Search is a page of products that were found. The search is required; without
// the catalogue the list is empty and degraded.
func (s *Screens) Search(ctx context.Context, v Viewer, q commerce.SearchQuery) (*api.SearchScreen, error) {
	l := listed(s, v, q)
	degraded, err := compose(ctx, s, wanted(v, searchParts), &l)
	if err != nil {
		return nil, err
	}
	return &api.SearchScreen{Products: l.page(), Degraded: degraded}, nil
}

func (l *listing) loadFound(ctx context.Context) error {
	q := l.query
	q.NoFacets = q.After != ""
	found, err := l.Ports.Search.Search(ctx, l.viewer.Market, q)
	if err == nil {
		l.found, l.skus = found, found.SKUs
	}
	return err
}

// page is what was found, empty when nothing could be asked.
func (l *listing) page() api.ProductList {
	if l.found == nil {
		return api.ProductList{}
	}
	locale := l.viewer.Market.Locale
	shown := api.ProductList{Items: l.inOrder(), Total: l.found.Total, TotalText: count(l.found.Total, locale), HasNext: l.found.HasNext, EndCursor: l.found.EndCursor}
	shown.Facets = facets(l.found.Facets, locale)
	return shown
}

// facets are those of the whole list, which only its first page asks for.
func facets(found []commerce.Facet, locale string) []api.Facet {
	shown := make([]api.Facet, 0, len(found))
	for _, f := range found {
		if len(f.Values) == 0 {
			continue // nothing to choose
		}
		facet := api.Facet{Code: f.Code, Label: f.Label, Values: make([]api.FacetValue, len(f.Values))}
		for i, v := range f.Values {
			facet.Values[i] = api.FacetValue{Value: v.Value, Label: v.Label, Count: v.Count, CountText: count(v.Count, locale), Selected: v.Selected}
		}
		shown = append(shown, facet)
	}
	return shown
}
