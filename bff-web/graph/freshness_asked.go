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

// start asks for all of a.
func start[K comparable, V any](ctx context.Context, b *load.Batch[K, V], a asked[K]) {
	for _, part := range a {
		b.Start(part.takes.within(ctx), part.keys)
	}
}
