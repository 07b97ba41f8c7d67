package compiled

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// Resolvers find the operation and the field that is resolved in their context, where
// graphql's own functions look for them. To put each there with a context of its own costs
// more than most resolvers do: here it is one piece with the context.

// The keys under which those functions look.
var (
	fieldKey     = keyOf(func(ctx context.Context) { graphql.GetFieldContext(ctx) })
	operationKey = keyOf(func(ctx context.Context) { graphql.HasOperationContext(ctx) })
)

// keyOf is the key that look asks a context for.
func keyOf(look func(context.Context)) any {
	p := &probe{Context: context.Background()}
	look(p)
	return p.key
}

// probe notes what it is asked for.
type probe struct {
	context.Context
	key any
}

// Value implements [context.Context].
func (p *probe) Value(key any) any {
	p.key = key
	return nil
}

// executing is the context of an operation that runs compiled.
type executing struct {
	context.Context
	tree *tree
	oc   *graphql.OperationContext
	run  run
}

// Value implements [context.Context].
func (o *executing) Value(key any) any {
	if _, own := key.(treeKey); own {
		return o.tree
	}
	if key == operationKey {
		return o.oc
	}
	return o.Context.Value(key)
}

// resolving is the context of a field that is resolved.
type resolving struct {
	context.Context
	field graphql.FieldContext
	at    places // of a batch resolver's parents
}

// within is ctx for what fc is about, as [graphql.WithFieldContext] makes it.
func within(ctx context.Context, fc graphql.FieldContext) *resolving {
	c := &resolving{Context: ctx, field: fc}
	c.field.Parent = graphql.GetFieldContext(ctx)
	return c
}

// Value implements [context.Context].
func (c *resolving) Value(key any) any {
	if key == fieldKey {
		return &c.field
	}
	if _, own := key.(placesKey); own && c.at.group != nil {
		return &c.at
	}
	return c.Context.Value(key)
}
