package graphhttp

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
)

// run runs an operation: as it was compiled where that is covered, else by the generated
// executor, which would defer, and does not. The context is what the rest of the request goes on with.
func (t *Transport) run(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext) (*graphql.Response, []byte, context.Context) {
	if t.Compiled != nil {
		if response, whole, covered := t.Compiled.RunWhole(ctx, oc); covered {
			return response, whole, ctx
		}
	}
	responses, ctx := exec.DispatchOperation(ctx, compiled.Undivided(oc))
	if oc.Operation.Operation == ast.Subscription {
		return answerOf(ctx, oc, responses), nil, ctx
	}
	return responses(ctx), nil, ctx
}
