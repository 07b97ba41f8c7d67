package graph

import (
	"context"
	"slices"

	"github.com/portico-bff/portico/bff-web/graph/load"
)

// asked are keys to ask for, apart for each contract that differs in what it takes of
// what is stale: mostly there is one.
type asked[K comparable] []struct {
	takes Tolerance
	keys  []K
}

func (a *asked[K]) add(takes Tolerance, keys ...K) {
	for i := range *a {
		if (*a)[i].takes.StaleUpTo == takes.StaleUpTo {
			(*a)[i].keys = append((*a)[i].keys, keys...)
			return
		}
	}
	*a = append(*a, struct {
		takes Tolerance
		keys  []K
	}{takes, slices.Clip(keys)}) // who adds to them later gets a copy
}

// start asks for all of a in the background.
func start[K comparable, V any](ctx context.Context, b *load.Batch[K, V], a asked[K]) {
	for _, part := range a {
		b.StartUpTo(ctx, part.takes.bound(), part.keys)
	}
}

// claimHere is start for who is about to wait for all of a: when it returns, all is claimed,
// and what it answers asks for the last of it.
func claimHere[K comparable, V any](ctx context.Context, b *load.Batch[K, V], a asked[K]) (ask func()) {
	if len(a) == 0 {
		return func() {}
	}
	last := len(a) - 1
	start(ctx, b, a[:last])
	return b.ClaimUpTo(ctx, a[last].takes.bound(), a[last].keys)
}
