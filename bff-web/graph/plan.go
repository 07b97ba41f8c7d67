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

// keys is what one level of a plan asks for.
type keys struct {
	skus      asked[commerce.SKU]
	prices    asked[commerce.PriceKey]
	available asked[commerce.SKU]
	reviewed  asked[commerce.SKU]
	related   asked[commerce.SKU]
	tree      asked[load.One]
	follow    []follow
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
// read there first must not be asked for apart.
func (k *keys) below(ctx context.Context) {
	if len(k.follow) > 0 {
		oc, list := graphql.GetOperationContext(ctx), k.follow
		load.From(ctx).Go(func() { planBelow(ctx, oc, list) })
	}
}

func (k *keys) add(ctx context.Context, l *load.Loader, w want) {
	oc := graphql.GetOperationContext(ctx)
	k.skus.add(w.takes, w.skus...)
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
			k.addFollow(l, w, f, w.place+"."+f.Alias)
		case "variant":
			pick := pickVariant(argument(f, oc.Variables, "options"))
			for _, sub := range compiled.Collect(ctx, oc, f.Selections) {
				if sub.Name == "product" {
					k.addPick(l, w, sub, w.place+"."+f.Alias+"."+sub.Alias, pick)
				}
			}
		case "variants":
			for _, sub := range compiled.Collect(ctx, oc, f.Selections) {
				if sub.Name == "product" {
					k.addFollow(l, w, sub, w.place+"."+f.Alias+"."+sub.Alias)
				}
			}
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

func (k *keys) addFollow(l *load.Loader, w want, f graphql.CollectedField, place string) {
	k.addPick(l, w, f, place, nil)
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

// planRoots plans all products that the operation names itself, aliases included.
func planRoots(ctx context.Context) {
	load.From(ctx).Roots.Do(func() {
		oc := graphql.GetOperationContext(ctx)
		var wants []want
		for _, f := range compiled.Collect(ctx, oc, oc.Operation.SelectionSet) {
			if f.Name != "product" && f.Name != "products" {
				continue
			}
			args := f.ArgumentMap(oc.Variables)
			wants = append(wants, want{place: f.Alias, skus: named(args), takes: ToleranceOf(f.Field), fields: f.Selections})
		}
		planHere(ctx, wants...)
	})
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
	fc := graphql.GetFieldContext(ctx)
	var wants []want
	for _, way := range ways {
		wants = append(wants, find(ctx, want{place: place(ctx), skus: skus, fields: fc.Field.Selections}, way)...)
	}
	if len(wants) > 0 {
		plan(ctx, wants...)
	}
}

// find follows way, a list of field names, from w down.
func find(ctx context.Context, w want, way []string) []want {
	if len(way) == 0 {
		return []want{w}
	}
	var found []want
	for _, f := range compiled.Collect(ctx, graphql.GetOperationContext(ctx), w.fields) {
		if f.Name == way[0] {
			found = append(found, find(ctx, want{w.place + "." + f.Alias, w.skus, ToleranceOf(f.Field), f.Selections}, way[1:])...)
		}
	}
	return found
}

// place is the current field's path without list indexes.
func place(ctx context.Context) string {
	var names []string
	for _, element := range graphql.GetPath(ctx) {
		if name, ok := element.(ast.PathName); ok {
			names = append(names, string(name))
		}
	}
	return strings.Join(names, ".")
}
