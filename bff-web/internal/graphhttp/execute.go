package graphhttp

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/schema/commerce"
)

// nothingUsed is the use of what reads nothing.
func nothingUsed(func(commerce.Operation, string, ast.Path)) {}

// execute runs an operation for who ctx says, and calls then with what it brought
// before it waits for what may still run.
func (t *Transport) execute(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext, then func(context.Context, outcome)) {
	if !reachOf(oc).reads { // as those do that ask whether we live
		response, whole, ctx := t.run(ctx, exec, oc)
		t.priced(ctx, oc, response)
		then(ctx, outcome{response: response, whole: whole}.told(ctx, nothingUsed))
		return
	}
	ctx, loader := t.begin(ctx)
	defer loader.Close()
	response, whole, ctx := t.run(ctx, exec, oc)
	t.priced(ctx, oc, response)
	if failed := loader.Failed(); len(failed) > 0 && response != nil {
		response.Data, whole = graph.Bubble(oc, response.Data, failed), nil
	}
	then(ctx, outcome{response: response, whole: whole, freshness: loader.Freshness(), sources: loader.Sources()}.told(ctx, loader.EachUse))
}

// begin begins to read for who ctx says. The caller closes the loader.
func (t *Transport) begin(ctx context.Context) (context.Context, *load.Loader) {
	shopper := caller.Shopper(ctx)
	ctx, _ = commerce.WithTrail(ctx) // for calls past the cache
	ctx, loader := load.Start(ctx, t.Ports, shopper, t.Group(shopper.Market, shopper.Principal))
	if t.Fault != nil {
		loader.Fault = func(err error) { t.Fault(ctx, err) }
	}
	return ctx, loader
}
