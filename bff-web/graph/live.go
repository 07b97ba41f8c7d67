package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/portico-bff/portico/bff-web/graph/model"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/schema/commerce"
)

// once is a stream of one value. The transport runs a subscription anew for each answer, as
// it runs a query: every answer is read by a loader of its own.
func once[T any](v T) <-chan T {
	stream := make(chan T, 1)
	stream <- v
	close(stream)
	return stream
}

// stockOf names the products whose stock is watched; each is read where it is asked for.
func stockOf(skus []string) []*model.ProductAvailability {
	list := make([]*model.ProductAvailability, len(skus))
	for i, s := range skus {
		list[i] = &model.ProductAvailability{SKU: commerce.SKU(s)}
	}
	return list
}

// order answers the caller's own order, or a guest's by its token; null for anyone else.
func (r *Resolver) order(ctx context.Context, number commerce.OrderNumber, token string) (*commerce.Order, error) {
	order, err := read(ctx, commerce.OpOrder, func(ctx context.Context) (*commerce.Order, error) {
		return orNull(r.Orders.Order(ctx, caller.Principal(ctx), number, token))
	})
	if order == nil || err != nil {
		return order, err
	}
	planAt(ctx, orderedSKUs(order), []string{"lines", "product"})
	return order, nil
}

// watched says of each field of Subscription what makes its value another: the tags of the
// answers that it is read from. A field needs its row.
var watched = map[string]struct {
	ops  []commerce.Operation
	tags func(args map[string]any) []commerce.Tag
}{
	"availability": {
		ops: []commerce.Operation{commerce.OpAvailability},
		tags: func(args map[string]any) []commerce.Tag {
			var tags []commerce.Tag
			for _, s := range stringsOf(args["skus"]) {
				tags = append(tags, commerce.TagStock(commerce.SKU(s)), commerce.TagSKU(commerce.SKU(s)))
			}
			return tags
		},
	},
	"orderStatus": {
		ops: []commerce.Operation{commerce.OpOrder, commerce.OpGuestOrder},
		tags: func(args map[string]any) []commerce.Tag {
			number, _ := args["id"].(string)
			return []commerce.Tag{commerce.TagOrder(commerce.OrderNumber(number))}
		},
	},
}

// Watched is the root field of a subscription, and the tags of what makes its value another.
// Its error says that the operation does not watch one thing.
func Watched(oc *graphql.OperationContext, traits map[commerce.Operation]commerce.Traits) (graphql.CollectedField, []commerce.Tag, error) {
	fields := graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Subscription"})
	if len(fields) != 1 {
		return graphql.CollectedField{}, nil, errNotOne
	}
	row, ok := watched[fields[0].Name]
	if !ok {
		return graphql.CollectedField{}, nil, errNotOne
	}
	tags := row.tags(fields[0].ArgumentMap(oc.Variables))
	if len(tags) == 0 {
		return graphql.CollectedField{}, nil, errNothing
	}
	for _, op := range row.ops {
		tags = append(tags, commerce.TagOperation(op))
		if system := traits[op].System; system != "" {
			tags = append(tags, commerce.TagSystem(system))
		}
	}
	return fields[0], append(tags, commerce.TagAll), nil
}

var (
	errNotOne  = &commerce.InputError{Field: "query", Code: commerce.CodeInvalid, Message: "must subscribe to exactly one field"}
	errNothing = &commerce.InputError{Field: "skus", Code: commerce.CodeRequired, Message: "must hold at least one SKU"}
)
