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
// it can come to, and each guess apart. It tells the client what is left.
func (t *Transport) charge(ctx context.Context, out *writer, oc *graphql.OperationContext) *ratelimit.Refused {
	refused, charged := t.spend(ctx, oc)
	if charged && t.TellLimits != nil {
		t.TellLimits(ctx, out.ResponseWriter)
	}
	return refused
}

// spend charges oc. Where there is nothing to charge, the client knows what is left.
func (t *Transport) spend(ctx context.Context, oc *graphql.OperationContext) (refused *ratelimit.Refused, charged bool) {
	client := caller.Client(ctx)
	if client == nil {
		return nil, false
	}
	cost := priceOf(ctx, oc)
	if cost == nil || cost.guesses == 0 && cost.Total == 0 {
		return nil, false
	}
	refused = client.Coupons(ctx, cost.guesses)
	if refused == nil {
		refused = client.Both(ctx, cost.Total)
	}
	return refused, true
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
