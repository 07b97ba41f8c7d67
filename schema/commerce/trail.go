package commerce

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Trail collects what happened on the way to an answer: every call of an upstream
// ([Call]), and the marks [ReasonRetried] and [ReasonHedged], which
// [Source].Outcomes shows. Whoever starts a load puts one into its context, and
// the transport writes to it. Those who wait for the load are given the trail
// itself ([Wait]), not a copy: nothing is copied unless somebody looks. It is safe
// for concurrent use.
type Trail struct {
	mu       sync.Mutex
	outcomes []Reason
	keys     int
	first    *CallRecord // the calls, in the order they began
	last     *CallRecord
	calls    int
	followed []*Trail // of loads begun by others that this one waited for
}

// maxTrailCalls bounds what one trail keeps. A load makes a handful.
const maxTrailCalls = 128

type trailKey struct{}

// WithTrail returns a context whose marks and calls go to a new trail, and the trail.
func WithTrail(ctx context.Context) (context.Context, *Trail) {
	trail := &Trail{}
	return OnTrail(ctx, trail), trail
}

// OnTrail returns a context whose marks and calls go to t.
func OnTrail(ctx context.Context, t *Trail) context.Context {
	return context.WithValue(ctx, trailKey{}, t)
}

// TrailOf is the context's trail; nil when nobody keeps one.
func TrailOf(ctx context.Context) *Trail {
	trail, _ := ctx.Value(trailKey{}).(*Trail)
	return trail
}

// Mark leaves outcome on the context's trail, once; without a trail it does nothing.
func Mark(ctx context.Context, outcome Reason) {
	t := TrailOf(ctx)
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.outcomes, outcome) {
		t.outcomes = append(t.outcomes, outcome)
	}
}

// Outcomes is a copy of the marks left so far, in their order; nil when there are none.
func (t *Trail) Outcomes() []Reason {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.outcomes)
}

// For says how many keys the load asks for; calls that begin from now on tell it.
func (t *Trail) For(keys int) *Trail {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys = keys
	return t
}

// Follow notes that what t belongs to waited for the load of other: its calls are
// visited as well. To follow nil, from nil, or twice does nothing.
func (t *Trail) Follow(other *Trail) {
	if t == nil || other == nil || t == other {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.followed) < maxTrailCalls && !slices.Contains(t.followed, other) {
		t.followed = append(t.followed, other)
	}
}

// Record begins the record of a call; step is the operation's request where it
// makes several, else empty. It is nil, which every method of it takes, when t is
// nil or full.
func (t *Trail) Record(system string, op Operation, step string) *CallRecord {
	if t == nil {
		return nil
	}
	r := &CallRecord{of: t, call: Call{System: system, Operation: op, Step: step, Began: time.Now(), Open: true, Wire: -1}}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calls++; t.calls > maxTrailCalls {
		return nil
	}
	r.call.Keys = t.keys
	if t.last == nil {
		t.first = r
	} else {
		t.last.next = r
	}
	t.last = r
	return r
}

// Visit shows see each call so far, those under way included, and those of the
// trails that t follows. A call is read-only and only good until see returns; see
// must not touch t. It answers how many calls were not kept because they were too
// many.
func (t *Trail) Visit(see func(*Call)) (lost int) {
	if t == nil {
		return 0
	}
	for _, other := range t.visitOwn(see) {
		lost += other.Visit(see)
	}
	return lost + max(0, t.count()-maxTrailCalls)
}

func (t *Trail) visitOwn(see func(*Call)) []*Trail {
	t.mu.Lock()
	defer t.mu.Unlock()
	for r := t.first; r != nil; r = r.next {
		see(&r.call)
	}
	return slices.Clone(t.followed)
}

func (t *Trail) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls
}
