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
	return context.WithValue(ctx, toleranceKey{}, most)
}

// StaleUpTo is the context's bound, and whether it has one.
func StaleUpTo(ctx context.Context) (most time.Duration, bounded bool) {
	most, bounded = ctx.Value(toleranceKey{}).(time.Duration)
	return most, bounded
}
