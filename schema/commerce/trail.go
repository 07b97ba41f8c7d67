package commerce

import (
	"context"
	"slices"
	"sync"
)

// Trail collects what happened on the way to an answer: [ReasonRetried],
// [ReasonHedged]. Whoever starts a load puts one into its context; the transport
// leaves marks; [Source].Outcomes shows them. It is safe for concurrent use.
type Trail struct {
	mu       sync.Mutex
	outcomes []Reason
}

type trailKey struct{}

// WithTrail returns a context whose marks go to a new trail, and the trail.
func WithTrail(ctx context.Context) (context.Context, *Trail) {
	trail := &Trail{}
	return context.WithValue(ctx, trailKey{}, trail), trail
}

// Mark leaves outcome on the context's trail, once; without a trail it does nothing.
func Mark(ctx context.Context, outcome Reason) {
	trail, ok := ctx.Value(trailKey{}).(*Trail)
	if !ok {
		return
	}
	trail.mu.Lock()
	defer trail.mu.Unlock()
	if !slices.Contains(trail.outcomes, outcome) {
		trail.outcomes = append(trail.outcomes, outcome)
	}
}

// Outcomes is a copy of the marks left so far, in their order; nil when there are none.
func (t *Trail) Outcomes() []Reason {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.outcomes)
}
