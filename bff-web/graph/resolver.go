// Package graph resolves the schema of schema/graphql from the domain's ports.
package graph

import (
	"context"
	"errors"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"

	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
)

// Orders places and finds orders, as [ordering.Service] does.
type Orders interface {
	Place(ctx context.Context, r ordering.Request) (*ordering.Placed, error)
	Orders(ctx context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error)
	Order(ctx context.Context, p commerce.Principal, number commerce.OrderNumber, token string) (*commerce.Order, error)
}

// Idempotency remembers answers, as [idempotency.Store] does.
type Idempotency interface {
	Do(ctx context.Context, r idempotency.Request, run func(context.Context) (idempotency.Answer, error)) (idempotency.Answer, bool, error)
}

// Resolver is the root of all resolvers. Every port it reads is set.
type Resolver struct {
	Ports       commerce.Ports
	Orders      Orders
	Idempotency Idempotency
	Log         *slog.Logger
}

// keyed reads a batch for all parents of a field: one answer and one error per
// parent, in their order. Skipped parents are null.
func keyed[P any, K comparable, V any](ctx context.Context, op commerce.Operation, b *load.Batch[K, V], parents []P, key func(P) (K, bool)) ([]V, error) {
	u := &uses[K]{op: op, keys: make([]K, 0, len(parents)), at: make([]int, 0, len(parents)), path: compiled.Paths(ctx)}
	for i, p := range parents {
		if k, wanted := key(p); wanted {
			u.keys, u.at = append(u.keys, k), append(u.at, i)
		}
	}
	t := tolerance(ctx)
	values := make([]V, len(parents))
	var errs graphql.BatchErrorList
	u.from = make([]load.Origin, len(u.keys))
	b.EachUpTo(ctx, t.bound(), u.keys, func(i int, v V, _ bool, from load.Origin, err error) {
		u.from[i] = from
		if err != nil {
			v, err = settleAt(ctx, t, v, u, i, err)
		}
		values[u.at[i]] = v
		if err != nil && errs == nil {
			errs = make(graphql.BatchErrorList, len(parents))
		}
		if err != nil {
			errs[u.at[i]] = err
		}
	})
	load.From(ctx).NoteAll(u)
	if errs != nil {
		return values, errs
	}
	return values, nil
}

// orNull answers null for what is not there, or not the caller's: in a query that
// is an answer, not an error.
func orNull[T any](v T, err error) (T, error) {
	if errors.Is(err, commerce.ErrNotFound) {
		var null T
		return null, nil
	}
	return v, err
}

// sku is the key of a product; a place without one has none.
func sku(p *commerce.Product) (commerce.SKU, bool) {
	if p == nil {
		return "", false
	}
	return p.SKU, true
}

// text is a nullable argument's text; empty when it is null.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// omitted is an optional input field's value, or the zero value.
func omitted[T any](o graphql.Omittable[*T]) T {
	if v := o.Value(); v != nil {
		return *v
	}
	var zero T
	return zero
}

// pointers answers a pointer to each element.
func pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}
