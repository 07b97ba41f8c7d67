package load

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/portico-bff/portico/schema/commerce"
)

// Batch asks a batch port for each key at most once in a request, many keys in
// one call. It is safe for concurrent use.
type Batch[K comparable, V any] struct {
	ask  func(context.Context, []K) (map[K]V, error)
	wg   *sync.WaitGroup
	mu   sync.Mutex
	seen map[K]*answer[V]
}

// answer is what a key met; valid once done is closed.
type answer[V any] struct {
	done  chan struct{}
	value V
	found bool
	err   error
}

func newBatch[K comparable, V any](wg *sync.WaitGroup, ask func(context.Context, []K) (map[K]V, error)) *Batch[K, V] {
	return &Batch[K, V]{ask: ask, wg: wg, seen: map[K]*answer[V]{}}
}

// Start asks for those of keys that nobody has asked for yet, in the background,
// at most [commerce.MaxBatch] in a call. When it returns, all keys are claimed.
func (b *Batch[K, V]) Start(ctx context.Context, keys []K) {
	fresh := b.claim(keys)
	for len(fresh) > 0 {
		n := min(len(fresh), commerce.MaxBatch)
		part := fresh[:n]
		fresh = fresh[n:]
		b.wg.Go(func() { b.run(ctx, part) })
	}
}

func (b *Batch[K, V]) claim(keys []K) []K {
	b.mu.Lock()
	defer b.mu.Unlock()
	var fresh []K
	for _, key := range keys {
		if b.seen[key] == nil {
			b.seen[key] = &answer[V]{done: make(chan struct{})}
			fresh = append(fresh, key)
		}
	}
	return fresh
}

func (b *Batch[K, V]) run(ctx context.Context, keys []K) {
	values, err := guard(ctx, keys, b.ask)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		a := b.seen[key]
		a.value, a.found = values[key]
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
	b.Start(ctx, []K{key})
	b.mu.Lock()
	a := b.seen[key]
	b.mu.Unlock()
	select {
	case <-a.done:
		return a.value, a.found, a.err
	case <-ctx.Done():
		var zero V
		return zero, false, ctx.Err()
	}
}
