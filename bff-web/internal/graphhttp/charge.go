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
func (l Limits) price(oc *graphql.OperationContext) error {
	cost := costOf(oc)
	oc.Stats.SetExtension(costKey, cost)
	return cost.within(l.Calls)
}

// charge charges an operation that is about to run to whoever asks for it: each call that
// it can come to, and each guess apart.
func (t Transport) charge(ctx context.Context, out writer, oc *graphql.OperationContext) *ratelimit.Refused {
	client := caller.Client(ctx)
	cost, priced := oc.Stats.GetExtension(costKey).(Cost)
	if client == nil || !priced {
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
func (t Transport) priced(oc *graphql.OperationContext, response *graphql.Response) {
	if !t.ShowCost || response == nil {
		return
	}
	shown := maps.Clone(response.Extensions)
	if shown == nil {
		shown = map[string]any{}
	}
	shown[costKey] = oc.Stats.GetExtension(costKey)
	response.Extensions = shown
}
