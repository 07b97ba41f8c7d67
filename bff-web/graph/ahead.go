package graph

import (
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/schema/commerce"
)

// What a field below a category or a cart asks of another system needs nothing but the id,
// which the query names: it is asked for while the category tree or the cart is still read.

// searchAhead starts the searches below the current field, which is a category.
func searchAhead(ctx context.Context, id commerce.CategoryID) {
	eachBelow(ctx, "products", func(ctx context.Context, f graphql.CollectedField) {
		if q, ok := queryOf(argumentsOf(ctx, f), id); ok {
			q.NoFacets = noFacets(ctx)
			load.From(ctx).Searches.StartUpTo(ctx, ToleranceOf(f.Field).bound(), []load.Question{load.QuestionOf(q)})
		}
	})
}

// shippingAhead starts reading the ways to send the cart that the current field is.
func shippingAhead(ctx context.Context, id commerce.CartID) {
	eachBelow(ctx, "shippingOptions", func(ctx context.Context, f graphql.CollectedField) {
		if to, ok := addressOf(argumentsOf(ctx, f)["address"]); ok {
			q := load.QuestionOf(load.ShippingQuery{Cart: id, To: to})
			load.From(ctx).Shipping.StartUpTo(ctx, ToleranceOf(f.Field).bound(), []load.Question{q})
		}
	})
}

// eachBelow calls see for the fields of that name right below the current one, with the
// context in which they are read: those that are deferred come last.
func eachBelow(ctx context.Context, name string, see func(context.Context, graphql.CollectedField)) {
	eachIn(ctx, graphql.GetFieldContext(ctx).Field.Selections, name, see)
}

func eachIn(ctx context.Context, set ast.SelectionSet, name string, see func(context.Context, graphql.CollectedField)) {
	for _, f := range compiled.Collect(ctx, graphql.GetOperationContext(ctx), set) {
		if f.Name == name {
			see(ctx, f)
		}
	}
	for _, later := range compiled.Later(ctx, set) {
		eachIn(commerce.WithPatience(ctx), later, name, see)
	}
}

func argumentsOf(ctx context.Context, f graphql.CollectedField) map[string]any {
	return f.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
}

// argument is one argument of f, as [ast.Field.ArgumentMap] has it among all.
func argument(f graphql.CollectedField, variables map[string]any, name string) any {
	given := f.Arguments.ForName(name)
	if given != nil && given.Value.Kind == ast.Variable {
		if v, ok := variables[given.Value.Raw]; ok {
			return v
		}
		given = nil
	}
	value := f.Definition.Arguments.ForName(name).DefaultValue
	if given != nil {
		value = given.Value
	}
	if value == nil {
		return nil
	}
	v, err := value.Value(variables)
	if err != nil {
		panic(err) // as ArgumentMap does: the operation was validated
	}
	return v
}

// readAsked reads for the current field what a port without keys answers.
func readAsked[V any](ctx context.Context, op commerce.Operation, b *load.Batch[load.Question, V], q load.Question) (V, error) {
	t := tolerance(ctx)
	v, _, from, err := b.ReadUpTo(ctx, t.bound(), q)
	v, err = orNull(v, err)
	return settle(ctx, t, v, load.Use{Op: op, Path: graphql.GetPath(ctx), From: from, Err: err})
}

// queryOf is the search that the resolver of a category's products makes of arguments, which
// were checked before. It is false for what is not written in the usual way: the
// resolver then asks by itself.
func queryOf(args map[string]any, id commerce.CategoryID) (commerce.SearchQuery, bool) {
	q := commerce.SearchQuery{Filter: commerce.SearchFilter{Category: id}}
	first, err := graphql.UnmarshalInt(args["first"])
	if err != nil {
		return q, false
	}
	q.First = first
	q.After, _ = args["after"].(string)
	if sort, ok := args["sort"].(string); ok {
		q.Sort = commerce.Sort(sort)
	}
	var filter struct {
		Category commerce.CategoryID
		Facets   []struct {
			Code   string
			Values []string
		}
		PriceMin, PriceMax string
		InStock            bool
	}
	if args["filter"] == nil {
		return q, true
	}
	if !as(args["filter"], &filter) {
		return q, false
	}
	if filter.Category != "" {
		q.Filter.Category = filter.Category
	}
	q.Filter.PriceMin, q.Filter.PriceMax, q.Filter.InStock = filter.PriceMin, filter.PriceMax, filter.InStock
	for _, choice := range filter.Facets {
		if q.Filter.Facets == nil {
			q.Filter.Facets = map[string][]string{}
		}
		q.Filter.Facets[choice.Code] = append(q.Filter.Facets[choice.Code], choice.Values...)
	}
	return q, true
}

// addressOf is an address as an argument has it.
func addressOf(v any) (commerce.Address, bool) {
	var a commerce.Address
	return a, as(v, &a)
}

// as reads an input object, whose members are called as out's fields are but for case.
func as(v, out any) bool {
	text, err := json.Marshal(v)
	return err == nil && json.Unmarshal(text, out) == nil
}

// shippingOptions are the ways to send a cart to an address; nil when the cart is gone or
// not the caller's.
func shippingOptions(ctx context.Context, id commerce.CartID, to generated.AddressInput) ([]*commerce.ShippingOption, error) {
	q := load.QuestionOf(load.ShippingQuery{Cart: id, To: domainAddress(to)})
	list, err := readAsked(ctx, commerce.OpShippingOptions, load.From(ctx).Shipping, q)
	if list == nil || err != nil {
		return nil, err
	}
	return pointers(list), nil
}
