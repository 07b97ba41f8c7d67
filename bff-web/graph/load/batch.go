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
	ask  func(context.Context, *Loader, []K) (map[K]V, error)
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

// answer is what a key met; valid once its call is done.
type answer[V any] struct {
	call  *call
	value V
	found bool
	err   error
}

// call is one call of the port.
type call struct {
	done chan struct{}
	from Origin
}

// in makes b a batch of l, which ask asks for.
func (b *Batch[K, V]) in(l *Loader, ask func(context.Context, *Loader, []K) (map[K]V, error)) *Batch[K, V] {
	b.ask, b.told = ask, l
	return b
}

// Start asks for those of keys that nobody has asked for yet, in the background,
// at most [commerce.MaxBatch] in a call. When it returns, all keys are claimed.
func (b *Batch[K, V]) Start(ctx context.Context, keys []K) {
	if len(keys) == 0 {
		return
	}
	most := boundOf(ctx)
	b.mu.Lock()
	fresh := b.claim(keys, most)
	b.mu.Unlock()
	b.ready(ctx, fresh, most)
}

// part is keys that one call asks for, and where the answers go.
type part[K comparable, V any] struct {
	call    *call
	keys    []K
	answers []answer[V]
}

// ready has every part asked for.
func (b *Batch[K, V]) ready(ctx context.Context, parts []part[K, V], most time.Duration) {
	for _, p := range parts {
		b.told.wg.Go(func() { b.run(ctx, p) })
	}
}

// claim finds out which of keys nobody has asked for. The caller holds the lock.
func (b *Batch[K, V]) claim(keys []K, most time.Duration) []part[K, V] {
	if b.seen == nil {
		b.seen = make(map[bounded[K]]*answer[V], len(keys))
	}
	var parts []part[K, V]
	for i, key := range keys {
		at := bounded[K]{key, most}
		if b.seen[at] != nil {
			continue
		}
		last := len(parts) - 1
		if last < 0 || len(parts[last].keys) == commerce.MaxBatch {
			n := min(len(keys)-i, commerce.MaxBatch)
			parts = append(parts, part[K, V]{&call{done: make(chan struct{})}, make([]K, 0, n), make([]answer[V], 0, n)})
			last++
		}
		p := &parts[last]
		p.keys, p.answers = append(p.keys, key), append(p.answers, answer[V]{call: p.call})
		b.seen[at] = &p.answers[len(p.answers)-1]
	}
	return parts
}

func (b *Batch[K, V]) run(ctx context.Context, p part[K, V]) {
	defer close(p.call.done)
	ctx, p.call.from = b.told.Listen(ctx)
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
	most := boundOf(ctx)
	b.mu.Lock()
	a := b.seen[bounded[K]{key, most}]
	if a == nil {
		fresh := b.claim([]K{key}, most)
		b.mu.Unlock()
		b.ready(ctx, fresh, most)
		return fresh[0].answers[0].wait(ctx)
	}
	b.mu.Unlock()
	return a.wait(ctx)
}

// Each reads keys and shows see, in their order, what Read answers for each.
func (b *Batch[K, V]) Each(ctx context.Context, keys []K, see func(i int, value V, found bool, from Origin, err error)) {
	if len(keys) == 0 {
		return
	}
	most := boundOf(ctx)
	answers := make([]*answer[V], len(keys))
	b.mu.Lock()
	fresh := b.claim(keys, most)
	for i, key := range keys {
		answers[i] = b.seen[bounded[K]{key, most}]
	}
	b.mu.Unlock()
	b.ready(ctx, fresh, most)
	for i, a := range answers {
		v, found, from, err := a.wait(ctx)
		see(i, v, found, from, err)
	}
}

// wait answers what the key met, or that ctx has ended.
func (a *answer[V]) wait(ctx context.Context) (value V, found bool, from Origin, err error) {
	select {
	case <-a.call.done: // the likely case costs little
		return a.value, a.found, a.call.from, a.err
	default:
	}
	select {
	case <-a.call.done:
		return a.value, a.found, a.call.from, a.err
	case <-ctx.Done():
		return value, false, Origin{}, ctx.Err()
	}
}
