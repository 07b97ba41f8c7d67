package graph

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/schema/commerce"
)

// A plan looks ahead in the query. As soon as products are known by SKU it asks
// every port that the fields below them need, at the same time and for all of
// them, level by level: so that a page costs one round trip, and a list one call
// of an operation, however the query is nested or aliased. Resolvers then wait
// for the answers.

// want is a set of products and what the query selects of them.
type want struct {
	place  string // response keys from the root, without list indexes
	skus   []commerce.SKU
	takes  Tolerance // of the field that names them
	fields ast.SelectionSet
}

// deferred is what w selects in fragments that are deferred.
func (w want) deferred(ctx context.Context) (list []want) {
	for _, set := range compiled.Later(ctx, w.fields) {
		list = append(list, want{laterPlace(w.place), w.skus, w.takes, set})
	}
	return list
}

// laterPlace is what a place is called where it is deferred: what is answered at once waits
// for no plan of that.
func laterPlace(place string) string {
	if strings.HasPrefix(place, deferredMark) {
		return place
	}
	return deferredMark + place
}

const deferredMark = "@defer "

// keys is what one level of a plan asks for.
type keys struct {
	skus      asked[commerce.SKU]
	prices    asked[commerce.PriceKey]
	available asked[commerce.SKU]
	reviewed  asked[commerce.SKU]
	related   asked[commerce.SKU]
	tree      asked[load.One]
	follow    []follow
	later     []want // what is deferred of the wants
}

// follow is a field below products that names further products.
type follow struct {
	from    want
	field   graphql.CollectedField
	place   string
	claimed func()
	pick    func(*commerce.Product) []commerce.SKU // nil: all variants, or all that is related
}

// plan claims what wants need on this level and, in the background, below it.
func plan(ctx context.Context, wants ...want) {
	k := planBeside(ctx, wants)
	start(ctx, load.From(ctx).Products, k.skus)
	k.below(ctx)
}

// planHere is plan for who has nothing to do but to wait for the products: they are asked
// for here, without a goroutine of their own.
func planHere(ctx context.Context, wants ...want) {
	k := planBeside(ctx, wants)
	ask := claimHere(ctx, load.From(ctx).Products, k.skus)
	k.below(ctx)
	ask()
}

// planBeside is plan of this level but for the products themselves.
func planBeside(ctx context.Context, wants []want) keys {
	l := load.From(ctx)
	var k keys
	for _, w := range wants {
		k.add(ctx, l, w)
	}
	start(ctx, l.Prices, k.prices)
	start(ctx, l.Availability, k.available)
	start(ctx, l.Reviews, k.reviewed)
	start(ctx, l.Related, k.related)
	start(ctx, l.Tree, k.tree)
	return k
}

// below plans the next level in the background. All of this one has been claimed: what is
// read there first must not be asked for apart. Each fragment that is deferred asks on its
// own: nobody waits for what only another needs.
func (k *keys) below(ctx context.Context) {
	for _, w := range k.later {
		plan(commerce.WithPatience(ctx), w)
	}
	if len(k.follow) > 0 {
		oc, list := graphql.GetOperationContext(ctx), k.follow
		load.From(ctx).Go(func() { planBelow(ctx, oc, list) })
	}
}

func (k *keys) add(ctx context.Context, l *load.Loader, w want) {
	oc := graphql.GetOperationContext(ctx)
	k.skus.add(w.takes, w.skus...)
	k.later = append(k.later, w.deferred(ctx)...)
	for _, f := range compiled.Collect(ctx, oc, w.fields) {
		switch f.Name {
		case "price":
			k.addPrices(ToleranceOf(f.Field), w.skus, argument(f, oc.Variables, "quantity"))
		case "availability":
			k.available.add(ToleranceOf(f.Field), w.skus...)
		case "reviews":
			k.reviewed.add(ToleranceOf(f.Field), w.skus...)
		case "breadcrumbs":
			if len(w.skus) > 0 {
				k.tree.add(ToleranceOf(f.Field), load.One{})
			}
		case "related":
			k.related.add(ToleranceOf(f.Field), w.skus...)
			k.addPick(l, w, f, w.place+"."+f.Alias, nil)
		case "variant":
			pick := pickVariant(argument(f, oc.Variables, "options"))
			k.addProducts(ctx, l, w, f, pick)
		case "variants":
			k.addProducts(ctx, l, w, f, nil)
		}
	}
}

func (k *keys) addPrices(takes Tolerance, skus []commerce.SKU, quantity any) {
	n, err := graphql.UnmarshalInt(quantity)
	if err != nil {
		return // the resolver will say so
	}
	list := make([]commerce.PriceKey, len(skus))
	for i, sku := range skus {
		list[i] = commerce.PriceKey{SKU: sku, Quantity: n}
	}
	k.prices.add(takes, list...)
}

// addProducts follows f, of w's products, to the products of its variants.
func (k *keys) addProducts(ctx context.Context, l *load.Loader, w want, f graphql.CollectedField, pick func(*commerce.Product) []commerce.SKU) {
	for _, sub := range compiled.Collect(ctx, graphql.GetOperationContext(ctx), f.Selections) {
		if sub.Name == "product" {
			k.addPick(l, w, sub, w.place+"."+f.Alias+"."+sub.Alias, pick)
		}
	}
}

func (k *keys) addPick(l *load.Loader, w want, f graphql.CollectedField, place string, pick func(*commerce.Product) []commerce.SKU) {
	if claimed, first := l.Expect(place); first {
		k.follow = append(k.follow, follow{from: w, field: f, place: place, claimed: claimed, pick: pick})
	}
}

// planBelow waits for the products that a level names and plans the next level,
// all of it at once.
func planBelow(ctx context.Context, oc *graphql.OperationContext, list []follow) {
	wants := make([]want, 0, len(list))
	for _, f := range list {
		defer f.claimed()
		wants = append(wants, want{place: f.place, skus: f.skus(ctx), takes: ToleranceOf(f.field.Field), fields: f.field.Selections})
	}
	plan(ctx, wants...)
}

// skus are the products that the field names. What cannot be had is left out: the
// resolver meets the error itself.
func (f follow) skus(ctx context.Context) []commerce.SKU {
	l := load.From(ctx)
	own, above := ToleranceOf(f.field.Field).bound(), f.from.takes.bound()
	var skus []commerce.SKU
	for _, sku := range f.from.skus {
		if f.field.Name == "related" {
			list, _, _, _ := l.Related.ReadUpTo(ctx, own, sku)
			for i := range list {
				skus = append(skus, list[i].SKU)
			}
			continue
		}
		p, _, _, _ := l.Products.ReadUpTo(ctx, above, sku)
		if p == nil {
			continue
		}
		if f.pick != nil {
			skus = append(skus, f.pick(p)...)
			continue
		}
		for _, v := range p.Variants {
			skus = append(skus, v.SKU)
		}
	}
	return skus
}

// planRoots plans all products that the operation names itself, aliases included; for who
// is deferred, those that are.
func planRoots(ctx context.Context) {
	l, set := load.From(ctx), graphql.GetOperationContext(ctx).Operation.SelectionSet
	if !commerce.Patient(ctx) {
		l.Roots.Do(func() { planHere(ctx, rootsIn(ctx, set)...) })
		return
	}
	l.LaterRoots.Do(func() {
		for _, later := range compiled.Later(ctx, set) {
			planRootsIn(ctx, later)
		}
	})
}

// planRootsIn plans the products that a deferred selection of the root names, and those below it.
func planRootsIn(ctx context.Context, set ast.SelectionSet) {
	plan(ctx, rootsIn(ctx, set)...)
	for _, later := range compiled.Later(ctx, set) {
		planRootsIn(ctx, later)
	}
}

// rootsIn are the products that a selection of the root names.
func rootsIn(ctx context.Context, set ast.SelectionSet) (wants []want) {
	oc := graphql.GetOperationContext(ctx)
	for _, f := range compiled.Collect(ctx, oc, set) {
		if f.Name == "product" || f.Name == "products" {
			wants = append(wants, want{place: placeIn(ctx, f.Alias), skus: named(f.ArgumentMap(oc.Variables)), takes: ToleranceOf(f.Field), fields: f.Selections})
		}
	}
	return wants
}

// named reads the SKUs of a root field's arguments, which were checked before.
func named(args map[string]any) []commerce.SKU {
	var skus []commerce.SKU
	add := func(v any) {
		if s, ok := v.(string); ok {
			skus = append(skus, commerce.SKU(s))
		}
	}
	add(args["sku"])
	switch list := args["skus"].(type) {
	case []any:
		for _, v := range list {
			add(v)
		}
	case []string: // one value in a variable, made a list of one
		for _, v := range list {
			add(v)
		}
	default:
		add(list)
	}
	return skus
}

// planAt plans products that the current field's value names, for every field
// that way leads to below it.
func planAt(ctx context.Context, skus []commerce.SKU, ways ...[]string) {
	if len(skus) == 0 {
		return
	}
	from := want{place: place(ctx), skus: skus, fields: graphql.GetFieldContext(ctx).Field.Selections}
	var wants, later []want
	for _, way := range ways {
		now, deferred := find(ctx, from, way)
		wants, later = append(wants, now...), append(later, deferred...)
	}
	if len(wants) > 0 {
		plan(ctx, wants...)
	}
	for _, w := range later {
		plan(commerce.WithPatience(ctx), w)
	}
}

// find follows way, a list of field names, from w down. What lies in a fragment that is
// deferred, on the way, is told apart.
func find(ctx context.Context, w want, way []string) (found, later []want) {
	if len(way) == 0 {
		return []want{w}, nil // what it defers itself its plan knows
	}
	for _, f := range compiled.Collect(ctx, graphql.GetOperationContext(ctx), w.fields) {
		if f.Name == way[0] {
			now, deferred := find(ctx, want{w.place + "." + f.Alias, w.skus, ToleranceOf(f.Field), f.Selections}, way[1:])
			found, later = append(found, now...), append(later, deferred...)
		}
	}
	for _, d := range w.deferred(ctx) {
		now, deferred := find(ctx, d, way)
		later = append(append(later, now...), deferred...)
	}
	return found, later
}

// place is the current field's path without list indexes.
func place(ctx context.Context) string {
	var names []string
	for _, element := range graphql.GetPath(ctx) {
		if name, ok := element.(ast.PathName); ok {
			names = append(names, string(name))
		}
	}
	return placeIn(ctx, strings.Join(names, "."))
}

// placeIn is a place as it is called in ctx.
func placeIn(ctx context.Context, place string) string {
	if commerce.Patient(ctx) {
		return laterPlace(place)
	}
	return place
}
