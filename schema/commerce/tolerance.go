package commerce

import (
	"context"
	"time"
)

type toleranceKey struct{}

// WithStaleUpTo returns a context whose reader takes a stale value only while it is
// at most that old, counted from when it left its source; 0 takes none. What is fresh
// is taken at any age. Without a bound the cache's policy alone decides; a bound never
// makes it give more than that.
func WithStaleUpTo(ctx context.Context, most time.Duration) context.Context {
	return &bounded{ctx, most}
}

// bounded is a context with a bound, in one piece: a request has one for each read.
type bounded struct {
	context.Context
	most time.Duration
}

// Value is the bound, or what the context has beside it.
func (b *bounded) Value(key any) any {
	if _, own := key.(toleranceKey); own {
		return &b.most
	}
	return b.Context.Value(key)
}

// StaleUpTo is the context's bound, and whether it has one.
func StaleUpTo(ctx context.Context) (most time.Duration, bounded bool) {
	if own, ok := ctx.Value(toleranceKey{}).(*time.Duration); ok {
		return *own, true
	}
	return 0, false
}
