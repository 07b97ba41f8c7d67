package graphhttp

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/internal/documents"
)

// within holds a text to the limits, once.
func (t *Transport) within(ctx context.Context, text string) *gqlerror.Error {
	if _, ok := t.Checked.Get(ctx, text); ok {
		return nil
	}
	if err := t.Limits.Check(text); err != nil {
		return err
	}
	t.Checked.Add(ctx, text, true)
	return nil
}

// prepare takes a query through the checks, the cheap ones first.
func (t *Transport) prepare(ctx context.Context, exec graphql.GraphExecutor, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	if documents.From(ctx) == nil { // those were checked when they were loaded
		if err := t.within(ctx, params.Query); err != nil {
			return &graphql.OperationContext{RawQuery: params.Query}, gqlerror.List{err}
		}
	}
	oc, errs := exec.CreateOperationContext(graphql.StartOperationTrace(ctx), params)
	if len(errs) > 0 {
		return oc, naming(oc.Doc, params, errs)
	}
	err := t.Limits.checkArguments(t.Schema, oc)
	if n := compiled.Deferred(oc, t.Limits.Deferred); err == nil && n > t.Limits.Deferred {
		err = exceeds("deferred fragments:", "deferred", n, t.Limits.Deferred)
	}
	if err == nil {
		err = t.price(ctx, oc)
	}
	if err != nil {
		own, ok := errors.AsType[*gqlerror.Error](err)
		if !ok {
			own = graph.Public(ctx, err)
		}
		return oc, gqlerror.List{own}
	}
	oc.DisableIntrospection = !t.Limits.Introspection
	return oc, nil
}
