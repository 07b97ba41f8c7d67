package graphhttp

import (
	"context"
	"maps"

	"github.com/99designs/gqlgen/graphql"

	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/edge/ratelimit"
)

// costKey is where an operation context keeps the operation's [Cost], and the name of the
// extension that shows it.
const costKey = "cost"

// price notes what oc comes to, and refuses it when that is too much.
func (t *Transport) price(ctx context.Context, oc *graphql.OperationContext) error {
	cost, known := knownCost(ctx, oc)
	if !known {
		own := costOf(oc)
		cost = &own
	}
	if !known || t.ShowCost { // what is made for everyone knows of no document
		oc.Stats.SetExtension(costKey, cost)
	}
	return cost.within(t.Limits.Calls)
}

// priceOf is what [Transport.price] found that oc comes to.
func priceOf(ctx context.Context, oc *graphql.OperationContext) *Cost {
	if own, ok := oc.Stats.GetExtension(costKey).(*Cost); ok {
		return own
	}
	cost, _ := knownCost(ctx, oc)
	return cost
}

// charge charges an operation that is about to run to whoever asks for it: each call that
// it can come to, and each guess apart.
func (t *Transport) charge(ctx context.Context, out *writer, oc *graphql.OperationContext) *ratelimit.Refused {
	client := caller.Client(ctx)
	if client == nil {
		return nil
	}
	cost := priceOf(ctx, oc)
	if cost == nil || cost.guesses == 0 && cost.Total == 0 { // and the client knows what is left
		return nil
	}
	refused := client.Coupons(ctx, cost.guesses)
	if refused == nil {
		refused = client.Both(ctx, cost.Total)
	}
	if t.TellLimits != nil {
		t.TellLimits(ctx, out.ResponseWriter)
	}
	return refused
}

// priced shows in the answer what the operation could have come to.
func (t *Transport) priced(ctx context.Context, oc *graphql.OperationContext, response *graphql.Response) {
	if !t.ShowCost || response == nil {
		return
	}
	shown := maps.Clone(response.Extensions)
	if shown == nil {
		shown = map[string]any{}
	}
	shown[costKey] = priceOf(ctx, oc)
	response.Extensions = shown
}
