package commerce

import (
	"context"
	"sync/atomic"
)

// Patience is whether any of those who wait for something is patient. The zero value is
// nobody's. It is safe for concurrent use.
type Patience struct{ some atomic.Bool }

// Join notes who ctx is of.
func (p *Patience) Join(ctx context.Context) {
	if Patient(ctx) {
		p.some.Store(true)
	}
}

type patienceKey struct{}

var always = func() *Patience {
	p := &Patience{}
	p.some.Store(true)
	return p
}()

// WithPatience returns a context whose reader waits for what is not kept as long as the
// context lets it: nothing else waits for what is read so. Without it, the cache says how
// long a reader waits, and the transport how long an attempt may take.
func WithPatience(ctx context.Context) context.Context { return always.In(ctx) }

// In returns a context of what is done for all who join p, now or later.
func (p *Patience) In(ctx context.Context) context.Context {
	return context.WithValue(ctx, patienceKey{}, p)
}

// Patient tells whether the context's reader waits as long as the context lets it, or one of
// those does for whom something is done.
func Patient(ctx context.Context) bool {
	p, _ := ctx.Value(patienceKey{}).(*Patience)
	return p != nil && p.some.Load()
}

// MayTurnPatient tells whether [Patient] may change while something is done in the context.
func MayTurnPatient(ctx context.Context) bool {
	p, _ := ctx.Value(patienceKey{}).(*Patience)
	return p != nil && !p.some.Load()
}
