package graph

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/graph/model"
	"github.com/portico-bff/portico/schema/commerce"
)

// image picks a picture's rendition; a nil width asks for the largest. No picture
// is no image.
func image(picture *commerce.Image, width *int) *model.Image {
	if picture == nil {
		return nil
	}
	w := 0
	if width != nil {
		w = *width
	}
	return &model.Image{URL: picture.URL(w), Alt: picture.Alt}
}

// images are a product's pictures, each in a rendition.
func images(p *commerce.Product, width *int) []*model.Image {
	list := make([]*model.Image, len(p.Images))
	for i := range p.Images {
		list[i] = image(&p.Images[i], width)
	}
	return list
}

// products resolves a product for each of n parents; an empty SKU is null.
func (r *Resolver) products(ctx context.Context, n int, skuOf func(int) commerce.SKU) ([]*commerce.Product, error) {
	l := load.From(ctx)
	l.Planned(ctx, place(ctx))
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return keyed(ctx, commerce.OpProducts, l.Products, index, func(i int) (commerce.SKU, bool) {
		s := skuOf(i)
		return s, s != ""
	})
}

// related resolves, for each product, those that go with it. Suggestions that the
// PIM no longer publishes are left out.
func (r *Resolver) related(ctx context.Context, objs []*commerce.Product) ([][]*commerce.Product, error) {
	l, t := load.From(ctx), tolerance(ctx)
	most := t.bound()
	l.Planned(ctx, place(ctx))
	var parents, all []commerce.SKU
	for _, p := range objs {
		if s, ok := sku(p); ok {
			parents = append(parents, s)
		}
	}
	l.Related.AskUpTo(ctx, most, parents)
	for _, s := range parents {
		list, _, _, _ := l.Related.ReadUpTo(ctx, most, s)
		for i := range list {
			all = append(all, list[i].SKU)
		}
	}
	l.Products.AskUpTo(ctx, most, all)
	found, errs := make([][]*commerce.Product, len(objs)), make(graphql.BatchErrorList, len(objs))
	for i, p := range objs {
		if s, ok := sku(p); ok {
			found[i], errs[i] = relatedTo(ctx, t, s, compiled.ParentPath(ctx, i))
		}
	}
	return found, errs
}

// relatedTo answers the products that go with one and that the PIM publishes, in their
// order, for the path of the current field.
func relatedTo(ctx context.Context, t Tolerance, s commerce.SKU, path ast.Path) ([]*commerce.Product, error) {
	l, most := load.From(ctx), t.bound()
	list, _, from, err := l.Related.ReadUpTo(ctx, most, s)
	use := load.Use{Op: commerce.OpRelated, Key: s, Path: path, From: from, Err: err}
	if err != nil {
		return settle[[]*commerce.Product](ctx, t, nil, use)
	}
	l.Note(use)
	products := []*commerce.Product{}
	for i := range list {
		s := list[i].SKU
		p, ok, from, err := l.Products.ReadUpTo(ctx, most, s)
		use := load.Use{Op: commerce.OpProducts, Key: s, Path: path, From: from, Err: err}
		if err != nil {
			return settle[[]*commerce.Product](ctx, t, nil, use)
		}
		if !ok {
			continue
		}
		use.Path = append(slices.Clip(path), ast.PathIndex(len(products)))
		l.Note(use)
		products = append(products, p)
	}
	return products, nil
}

// listed reads products for a list field, in the order of skus: null with an error
// of its own where one cannot be had. Unknown ones are null, or left out.
func listed(ctx context.Context, skus []commerce.SKU, dropUnknown bool) []*commerce.Product {
	l, t := load.From(ctx), tolerance(ctx)
	here := slices.Clip(graphql.GetPath(ctx))
	u := &uses[commerce.SKU]{
		op: commerce.OpProducts, keys: make([]commerce.SKU, 0, len(skus)), from: make([]load.Origin, 0, len(skus)),
		path: func(i int) ast.Path { return append(here, ast.PathIndex(i)) },
	}
	products := make([]*commerce.Product, 0, len(skus))
	l.Products.EachUpTo(ctx, t.bound(), skus, func(i int, p *commerce.Product, ok bool, from load.Origin, err error) {
		if !ok && err == nil && dropUnknown {
			return
		}
		u.keys, u.from = append(u.keys, skus[i]), append(u.from, from)
		if err != nil {
			at := len(products)
			if p, err = settleAt(ctx, t, p, u, at, err); err != nil {
				graphql.AddError(ctx, &pathError{u.path(at), err})
			}
		}
		products = append(products, p)
	})
	l.NoteAll(u)
	return products
}

// query is a search as the domain asks for it. The arguments were checked before.
func query(words *string, filter *generated.SearchFilterInput, sort *commerce.Sort, first int, after *string) commerce.SearchQuery {
	q := commerce.SearchQuery{Text: text(words), First: first, After: text(after)}
	if sort != nil {
		q.Sort = *sort
	}
	if filter == nil {
		return q
	}
	q.Filter = commerce.SearchFilter{
		Category: commerce.CategoryID(omitted(filter.Category)),
		PriceMin: omitted(filter.PriceMin),
		PriceMax: omitted(filter.PriceMax),
		InStock:  omitted(filter.InStock),
	}
	for _, choice := range filter.Facets.Value() {
		if q.Filter.Facets == nil {
			q.Filter.Facets = map[string][]string{}
		}
		q.Filter.Facets[choice.Code] = append(q.Filter.Facets[choice.Code], choice.Values...)
	}
	return q
}

// search resolves the current field, which is a page of products.
func (r *Resolver) search(ctx context.Context, q commerce.SearchQuery) (*model.ProductConnection, error) {
	q.NoFacets = noFacets(ctx)
	result, err := readAsked(ctx, commerce.OpSearch, load.From(ctx).Searches, load.QuestionOf(q))
	if err != nil {
		return nil, err
	}
	planAt(ctx, result.SKUs, []string{"nodes"}, []string{"edges", "node"})
	return &model.ProductConnection{
		SKUs: result.SKUs, Cursors: result.Cursors, PageInfo: model.InfoOf(result.Cursors, q.After, result.HasNext),
		TotalCount: result.Total, Facets: result.Facets,
	}, nil
}

// noFacets tells whether the operation asks for no facets, so that the search engine need not
// count any. All pages of an operation are read with or without: one that stands in it
// twice, by aliases or in a deferred part, stays one search.
func noFacets(ctx context.Context) bool { return !compiled.Asks(ctx, "ProductConnection", "facets") }

// edges pairs products with their cursors. What the PIM no longer publishes is left out;
// what cannot be had is the node's to say.
func (r *Resolver) edges(ctx context.Context, page *model.ProductConnection) []*model.ProductEdge {
	l, most := load.From(ctx), nodeTolerance().bound()
	l.Products.AskUpTo(ctx, most, page.SKUs)
	edges := []*model.ProductEdge{}
	for i, s := range page.SKUs {
		if _, ok, _, err := l.Products.ReadUpTo(ctx, most, s); ok || err != nil {
			edges = append(edges, &model.ProductEdge{Cursor: page.Cursors[i], SKU: s})
		}
	}
	return edges
}

// nodeTolerance is what the schema declares for a page's products.
var nodeTolerance = sync.OnceValue(func() Tolerance {
	t, _ := declaredOf(ownSchema().Types["ProductEdge"].Fields.ForName("node"))
	return t
})

// pathError is an error of one element of a list that one resolver answers.
type pathError struct {
	path ast.Path
	err  error
}

// Error is the cause's text.
func (e *pathError) Error() string { return e.err.Error() }

// Unwrap gives the cause to [errors.Is].
func (e *pathError) Unwrap() error { return e.err }
