package graphhttp

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// run runs an operation: as it was compiled where that is covered, else by the generated
// executor. The context is what the rest of the request goes on with.
func (t *Transport) run(ctx context.Context, exec graphql.GraphExecutor, oc *graphql.OperationContext) (*graphql.Response, context.Context) {
	if t.Compiled != nil {
		if response, covered := t.Compiled.Run(ctx, oc); covered {
			return response, ctx
		}
	}
	responses, ctx := exec.DispatchOperation(ctx, oc)
	return responses(ctx), ctx
}
