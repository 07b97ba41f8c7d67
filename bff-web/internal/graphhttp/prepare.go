package graphhttp

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/internal/documents"
)

// prepare takes a query through the checks, the cheap ones first.
func (t Transport) prepare(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	empty := &graphql.OperationContext{RawQuery: params.Query}
	if _, ok := t.Checked.Get(ctx, params.Query); !ok && documents.From(ctx) == nil { // those were checked when they were loaded
		if err := t.Limits.Check(params.Query); err != nil {
			return empty, gqlerror.List{err}
		}
		t.Checked.Add(ctx, params.Query, true)
	}
	oc, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		return oc, naming(oc.Doc, params, errs)
	}
	if err := t.Limits.checkArguments(t.Schema, oc); err != nil {
		own, ok := errors.AsType[*gqlerror.Error](err)
		if !ok {
			own = graph.Public(ctx, err)
		}
		return oc, gqlerror.List{own}
	}
	oc.DisableIntrospection = !t.Limits.Introspection
	return oc, nil
}
