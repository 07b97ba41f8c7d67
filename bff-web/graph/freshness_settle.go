package graph

import (
	"context"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/schema/commerce"
)

// Whatever reads a system for a field goes through here: it is read as the field's
// contract says, what came is noted for the freshness report, and what takes the place of
// a value that could not be had is decided once, for whichever executor asks.

// read reads for the current field what op answers as a whole.
func read[V any](ctx context.Context, op commerce.Operation, call func(context.Context) (V, error)) (V, error) {
	t := tolerance(ctx)
	within, from := load.From(ctx).Listen(t.within(ctx))
	v, err := guarded(within, call)
	return settle(ctx, t, v, load.Use{Op: op, Path: graphql.GetPath(ctx), From: from, Err: err})
}

// guarded calls. A panic is an error, which is told as any other that a system answers.
func guarded[V any](ctx context.Context, call func(context.Context) (V, error)) (v V, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &load.Panic{Value: r, Stack: debug.Stack()}
		}
	}()
	return call(ctx)
}

// readKey reads for the current field what a batch answers for key, which may be unknown.
func readKey[K comparable, V any](ctx context.Context, op commerce.Operation, b *load.Batch[K, V], key K) (V, error) {
	t := tolerance(ctx)
	v, _, from, err := b.ReadUpTo(ctx, t.bound(), key)
	return settle(ctx, t, v, load.Use{Op: op, Key: key, Path: graphql.GetPath(ctx), From: from, Err: err})
}

// readOne reads for the current field what is read once a request.
func readOne[V any](ctx context.Context, op commerce.Operation, b *load.Batch[load.One, V]) (V, error) {
	t := tolerance(ctx)
	v, _, from, err := b.ReadUpTo(ctx, t.bound(), load.One{})
	return settle(ctx, t, v, load.Use{Op: op, Path: graphql.GetPath(ctx), From: from, Err: err})
}

// settle is what stands at a path of the current field where v, or an error, was met, as
// t says: v, a constant in its place, or the error.
func settle[V any](ctx context.Context, t Tolerance, v V, u load.Use) (V, error) {
	v, u, err := settled(ctx, t, v, u)
	load.From(ctx).Note(u)
	return v, err
}

// settled is settle for those who note the use themselves.
func settled[V any](ctx context.Context, t Tolerance, v V, u load.Use) (V, load.Use, error) {
	if u.Err == nil {
		return v, u, nil
	}
	if t.OnError == Default && outage(u.Err) {
		if constant, err := fillerOf[V](graphql.GetFieldContext(ctx).Field.Definition); err == nil {
			u.Filler = true
			return constant, u, nil
		}
	}
	if t.OnError == Fail {
		load.From(ctx).Fail(u.Path)
	}
	return v, u, u.Err
}

// uses are what one batch brought for one field. Of what came as it should, only the key
// and the call are kept: path and all are made when somebody wants to know.
type uses[K comparable] struct {
	op   commerce.Operation
	keys []K
	from []load.Origin
	at   []int // the place of each key, for path; nil: they are in order
	path func(i int) ast.Path
	poor map[int]load.Use // those with an error, or a filler
}

var _ load.Uses = (*uses[commerce.SKU])(nil)

// Len implements [load.Uses].
func (u *uses[K]) Len() int { return len(u.keys) }

// Poor implements [load.Uses].
func (u *uses[K]) Poor() bool { return len(u.poor) > 0 }

// At implements [load.Uses].
func (u *uses[K]) At(i int) load.Use {
	if poor, ok := u.poor[i]; ok {
		return poor
	}
	return load.Use{Op: u.op, Key: u.keys[i], Path: u.place(i), From: u.from[i]}
}

func (u *uses[K]) place(i int) ast.Path {
	if u.at != nil {
		i = u.at[i]
	}
	return u.path(i)
}

// settleAt settles use i of u, which met err.
func settleAt[K comparable, V any](ctx context.Context, t Tolerance, v V, u *uses[K], i int, err error) (V, error) {
	v, use, err := settled(ctx, t, v, load.Use{Op: u.op, Key: u.keys[i], Path: u.place(i), From: u.from[i], Err: err})
	if u.poor == nil {
		u.poor = map[int]load.Use{}
	}
	u.poor[i] = use
	return v, err
}

// outage tells whether err is a system's failure to answer, rather than an answer, or a
// mistake of our own.
func outage(err error) bool {
	switch kindOf(err) {
	case commerce.ErrTimeout, commerce.ErrUnavailable, commerce.ErrRateLimited, commerce.ErrUpstream:
		return true
	default:
		return false
	}
}

// below appends an index to the current field's path.
func below(ctx context.Context, elements ...ast.PathElement) ast.Path {
	return append(append(ast.Path{}, graphql.GetPath(ctx)...), elements...)
}
