package compiled

import (
	"context"
	"reflect"
)

// Direct calls a batch resolver of a known signature without reflection, which costs more
// than most of them do.
type Direct struct {
	// bind makes a call of a resolver's method; nil when it has another signature.
	bind func(method any) call
}

// call calls a resolver.
type call func(ctx context.Context, parents reflect.Value, args []reflect.Value) (reflect.Value, error)

// DirectBatch is for resolvers that take parents P and answer a V for each.
func DirectBatch[P, V any]() *Direct {
	return &Direct{bind: func(method any) call {
		f, ok := method.(func(context.Context, []P) ([]V, error))
		if !ok {
			return nil
		}
		return func(ctx context.Context, parents reflect.Value, _ []reflect.Value) (reflect.Value, error) {
			list, _ := parents.Interface().([]P) // the compiler has seen to it
			values, err := f(ctx, list)
			return reflect.ValueOf(values), err
		}
	}}
}

// DirectBatchArg is [DirectBatch] for resolvers with one argument.
func DirectBatchArg[P, A, V any]() *Direct {
	return &Direct{bind: func(method any) call {
		f, ok := method.(func(context.Context, []P, A) ([]V, error))
		if !ok {
			return nil
		}
		return func(ctx context.Context, parents reflect.Value, args []reflect.Value) (reflect.Value, error) {
			list, _ := parents.Interface().([]P)
			arg, _ := args[0].Interface().(A)
			values, err := f(ctx, list, arg)
			return reflect.ValueOf(values), err
		}
	}}
}
