package load

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/stack"
)

// Batch asks a batch port for each key at most once in a request, many keys in
// one call. Who takes less of what is stale, as [commerce.WithStaleUpTo] says, asks
// apart: each gets an answer of its own. It is safe for concurrent use.
type Batch[K comparable, V any] struct {
	ask  func(context.Context, *request, []K) (map[K]V, error)
	told *request // keeps what calls tell of their sources
	mu   sync.Mutex
	list *list[K, V]             // the first list of keys: of most requests all there is
	seen map[asked[K]]*answer[V] // of other keys
}

// asked is a key as it is asked for.
type asked[K comparable] struct {
	key K
	terms
}

// terms are what whoever asks takes, and how long that one waits.
type terms struct {
	most    time.Duration // oldest stale value; NoBound when anything is taken
	patient bool          // as [commerce.Patient] says
}

// NoBound is the bound of who takes what is stale as the context has it, which has no bound
// as a rule.
const NoBound time.Duration = -1

func boundOf(ctx context.Context) time.Duration {
	if most, ok := commerce.StaleUpTo(ctx); ok {
		return most
	}
	return NoBound
}

// termsIn are those of who asks in ctx and takes most, or the context's bound where most is none.
func termsIn(ctx context.Context, most time.Duration) terms {
	if most == NoBound {
		most = boundOf(ctx)
	}
	return terms{most, commerce.Patient(ctx)}
}

// answer is what a key met; valid once its call is done.
type answer[V any] struct {
	call  *call
	value V
	found bool
	err   error
}

// call is one call of the port.
type call struct {
	from Origin
	over atomic.Bool

	mu   sync.Mutex
	done chan struct{} // nil until somebody waits
}

// end tells those who wait that the call has been answered.
func (c *call) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over.Store(true)
	if c.done != nil {
		close(c.done)
	}
}

// wait waits until the call has been answered. It answers false when ctx ends before.
func (c *call) wait(ctx context.Context) bool {
	if c.over.Load() {
		return true
	}
	c.mu.Lock()
	if c.over.Load() {
		c.mu.Unlock()
		return true
	}
	if c.done == nil {
		c.done = make(chan struct{})
	}
	done := c.done
	c.mu.Unlock()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// in makes b a batch of l, which ask asks for.
func (b *Batch[K, V]) in(l *request, ask func(context.Context, *request, []K) (map[K]V, error)) *Batch[K, V] {
	b.ask, b.told = ask, l
	return b
}

// Start asks for those of keys that nobody has asked for yet, in the background,
// at most [commerce.MaxBatch] in a call. When it returns, all keys are claimed.
func (b *Batch[K, V]) Start(ctx context.Context, keys []K) { b.StartUpTo(ctx, NoBound, keys) }

// StartUpTo is Start for who takes what is stale only while it is at most that old.
func (b *Batch[K, V]) StartUpTo(ctx context.Context, most time.Duration, keys []K) {
	on := termsIn(ctx, most)
	for p := b.claims(on, keys); p != nil; p = p.next {
		b.goRun(ctx, p, on)
	}
}

// AskUpTo is StartUpTo for who is about to wait for the answers: the last call, which is the
// only one as a rule, is made here.
func (b *Batch[K, V]) AskUpTo(ctx context.Context, most time.Duration, keys []K) {
	b.ClaimUpTo(ctx, most, keys)()
}

// ClaimUpTo is AskUpTo in two steps: when it returns, all keys are claimed, and who reads them
// waits for what it answers to be called, which asks for them.
func (b *Batch[K, V]) ClaimUpTo(ctx context.Context, most time.Duration, keys []K) (ask func()) {
	on := termsIn(ctx, most)
	own := b.claims(on, keys)
	return func() { b.ready(ctx, own, on) }
}

// claims claims those of keys that nobody has asked for.
func (b *Batch[K, V]) claims(on terms, keys []K) *part[K, V] {
	if len(keys) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claim(keys, on)
}

// ready has every part asked for: the last here, by who waits for it, the others meanwhile.
func (b *Batch[K, V]) ready(ctx context.Context, p *part[K, V], on terms) {
	for ; p != nil; p = p.next {
		if p.next == nil {
			b.run(ctx, p, on)
			return
		}
		b.goRun(ctx, p, on)
	}
}

// goRun has a part asked for in the background.
func (b *Batch[K, V]) goRun(ctx context.Context, p *part[K, V], on terms) {
	b.told.wg.Add(1)
	go func() {
		defer b.told.wg.Done()
		stack.To8K()
		b.run(ctx, p, on)
	}()
}

// claim finds out which of keys nobody has asked for. The caller holds the lock.
func (b *Batch[K, V]) claim(keys []K, on terms) (first *part[K, V]) {
	if b.list.is(keys, on) {
		return nil
	}
	if b.list == nil && b.seen == nil && len(keys) > 1 {
		b.list, keys = claimList[K, V](keys, on)
		first = b.list.part
	}
	last := first
	for i, key := range keys {
		if b.answerOf(key, on) != nil {
			continue
		}
		if last == nil || last.full() {
			p := newPart[K, V](min(len(keys)-i, commerce.MaxBatch))
			if last == nil {
				first = p
			} else {
				last.next = p
			}
			last = p
		}
		if b.seen == nil {
			b.seen = make(map[asked[K]]*answer[V], len(keys)-i)
		}
		b.seen[asked[K]{key, on}] = last.add(key)
	}
	return first
}

// answerOf is where the answer to a key is, or will be; nil when nobody has asked for it. Who is
// patient takes what others asked for, but not the other way round: nobody is kept waiting by those
// who can wait. The caller holds the lock.
func (b *Batch[K, V]) answerOf(key K, on terms) *answer[V] {
	if a := b.list.find(key, on); a != nil {
		return a
	}
	if a := b.seen[asked[K]{key, on}]; a != nil || !on.patient {
		return a
	}
	on.patient = false
	return b.answerOf(key, on)
}

func (b *Batch[K, V]) run(ctx context.Context, p *part[K, V], on terms) {
	defer p.end()
	if boundOf(ctx) != on.most {
		ctx = commerce.WithStaleUpTo(ctx, on.most)
	}
	ctx, p.from = b.told.Listen(ctx)
	values, err := b.guarded(ctx, p.keys)
	for i, key := range p.keys {
		a := &p.answers[i]
		if a.value, a.found = values[key]; !a.found {
			a.err = commerce.KeyError(err, key)
		}
	}
}

// Panic is a panic of a port, as an error: it must fail one part of an answer, not the process.
type Panic struct {
	Value any
	Stack []byte
}

// Error names the panic. It is for the log.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// guarded asks. A panic is an error.
func (b *Batch[K, V]) guarded(ctx context.Context, keys []K) (values map[K]V, err error) {
	defer func() {
		if r := recover(); r != nil {
			values, err = nil, &Panic{Value: r, Stack: debug.Stack()}
		}
	}()
	return b.ask(ctx, b.told, keys)
}

// Get waits for key's value and asks for it when nobody has. It answers false
// when the key is unknown. It returns when ctx ends.
func (b *Batch[K, V]) Get(ctx context.Context, key K) (V, bool, error) {
	v, found, _, err := b.Read(ctx, key)
	return v, found, err
}

// Read is Get and tells who knows where the value came from.
func (b *Batch[K, V]) Read(ctx context.Context, key K) (value V, found bool, from Origin, err error) {
	return b.ReadUpTo(ctx, NoBound, key)
}

// ReadUpTo is Read for who takes what is stale only while it is at most that old.
func (b *Batch[K, V]) ReadUpTo(ctx context.Context, most time.Duration, key K) (value V, found bool, from Origin, err error) {
	on := termsIn(ctx, most)
	b.mu.Lock()
	a := b.answerOf(key, on)
	if a != nil {
		b.mu.Unlock()
		return a.wait(ctx)
	}
	own := b.claim([]K{key}, on)
	b.mu.Unlock()
	b.ready(ctx, own, on)
	return own.answers[0].wait(ctx)
}

// Each reads keys and shows see, in their order, what Read answers for each.
func (b *Batch[K, V]) Each(ctx context.Context, keys []K, see func(i int, value V, found bool, from Origin, err error)) {
	b.EachUpTo(ctx, NoBound, keys, see)
}

// EachUpTo is Each for who takes what is stale only while it is at most that old.
func (b *Batch[K, V]) EachUpTo(ctx context.Context, most time.Duration, keys []K, see func(i int, value V, found bool, from Origin, err error)) {
	if len(keys) == 0 {
		return
	}
	on := termsIn(ctx, most)
	b.mu.Lock()
	own := b.claim(keys, on)
	answers := b.answers(own, keys, on)
	b.mu.Unlock()
	b.ready(ctx, own, on)
	for i := range keys {
		v, found, from, err := answers.of(i).wait(ctx)
		see(i, v, found, from, err)
	}
}

// answers is where the answers to keys are, or will be, of which own were claimed just now. The caller
// holds the lock.
func (b *Batch[K, V]) answers(own *part[K, V], keys []K, on terms) answers[V] {
	switch {
	case own != nil && len(own.keys) == len(keys):
		return answers[V]{whole: own.answers}
	case b.list.is(keys, on):
		return answers[V]{whole: b.list.answers}
	}
	each := make([]*answer[V], len(keys))
	for i, key := range keys {
		each[i] = b.answerOf(key, on)
	}
	return answers[V]{each: each}
}

// wait answers what the key met, or that ctx has ended.
func (a *answer[V]) wait(ctx context.Context) (value V, found bool, from Origin, err error) {
	if !a.call.wait(ctx) {
		return value, false, Origin{}, ctx.Err()
	}
	return a.value, a.found, a.call.from, a.err
}
