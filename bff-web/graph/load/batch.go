package load

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// Batch asks a batch port for each key at most once in a request, many keys in
// one call. Who takes less of what is stale, as [commerce.WithStaleUpTo] says, asks
// apart: each gets an answer of its own. It is safe for concurrent use.
type Batch[K comparable, V any] struct {
	ask  func(context.Context, []K) (map[K]V, error)
	told *Loader // keeps what calls tell of their sources
	mu   sync.Mutex
	seen map[bounded[K]]*answer[V]
}

// bounded is a key as it is asked for.
type bounded[K comparable] struct {
	key  K
	most time.Duration // oldest stale value; noBound when anything is taken
}

const noBound time.Duration = -1

func boundOf(ctx context.Context) time.Duration {
	if most, ok := commerce.StaleUpTo(ctx); ok {
		return most
	}
	return noBound
}

// answer is what a key met; valid once done is closed.
type answer[V any] struct {
	done  chan struct{}
	value V
	found bool
	err   error
	from  Origin
}

func newBatch[K comparable, V any](l *Loader, ask func(context.Context, []K) (map[K]V, error)) *Batch[K, V] {
	return &Batch[K, V]{ask: ask, told: l, seen: map[bounded[K]]*answer[V]{}}
}

// Start asks for those of keys that nobody has asked for yet, in the background,
// at most [commerce.MaxBatch] in a call. When it returns, all keys are claimed.
func (b *Batch[K, V]) Start(ctx context.Context, keys []K) {
	if len(keys) == 0 {
		return
	}
	most := boundOf(ctx)
	fresh := b.claim(keys, most)
	for len(fresh) > 0 {
		n := min(len(fresh), commerce.MaxBatch)
		part := fresh[:n]
		fresh = fresh[n:]
		b.told.wg.Go(func() { b.run(ctx, part, most) })
	}
}

func (b *Batch[K, V]) claim(keys []K, most time.Duration) []K {
	b.mu.Lock()
	defer b.mu.Unlock()
	var fresh []K
	for _, key := range keys {
		if at := (bounded[K]{key, most}); b.seen[at] == nil {
			b.seen[at] = &answer[V]{done: make(chan struct{})}
			fresh = append(fresh, key)
		}
	}
	return fresh
}

func (b *Batch[K, V]) run(ctx context.Context, keys []K, most time.Duration) {
	ctx, from := b.told.Listen(ctx)
	values, err := guard(ctx, keys, b.ask)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		a := b.seen[bounded[K]{key, most}]
		a.value, a.found = values[key]
		a.from = from
		if !a.found {
			a.err = commerce.KeyError(err, key)
		}
		close(a.done)
	}
}

// Panic is a panic of a port, as an error: it must fail one part of an answer, not the process.
type Panic struct {
	Value any
	Stack []byte
}

// Error names the panic. It is for the log.
func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

func guard[K comparable, V any](ctx context.Context, keys []K, ask func(context.Context, []K) (map[K]V, error)) (values map[K]V, err error) {
	defer func() {
		if r := recover(); r != nil {
			values, err = nil, &Panic{Value: r, Stack: debug.Stack()}
		}
	}()
	return ask(ctx, keys)
}

// Get waits for key's value and asks for it when nobody has. It answers false
// when the key is unknown. It returns when ctx ends.
func (b *Batch[K, V]) Get(ctx context.Context, key K) (V, bool, error) {
	v, found, _, err := b.Read(ctx, key)
	return v, found, err
}

// Read is Get and tells who knows where the value came from.
func (b *Batch[K, V]) Read(ctx context.Context, key K) (value V, found bool, from Origin, err error) {
	b.Start(ctx, []K{key})
	b.mu.Lock()
	a := b.seen[bounded[K]{key, boundOf(ctx)}]
	b.mu.Unlock()
	select {
	case <-a.done:
		return a.value, a.found, a.from, a.err
	case <-ctx.Done():
		return value, false, Origin{}, ctx.Err()
	}
}
